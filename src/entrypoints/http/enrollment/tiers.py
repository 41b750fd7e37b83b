"""The tiers of exam packages over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, delete, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.enrollment.tiers import AddTier, ChangeTier, DeleteTier, TierInPackage
from domain.auth.people import Actor, Role
from domain.enrollment.package_refusals import LastTier, PackageChanged, TierInUse, TierNameTaken, TierNotFound
from domain.enrollment.refusals import PackageNotFound
from entrypoints.http.conditional import expected_version, version_tag
from entrypoints.http.enrollment.package_bodies import (
    ChangeTierRequest,
    CreateTierRequest,
    TierInPackageBody,
    agreed,
    tier_body,
)
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_ADMINS: Final[dict[str, Any]] = {"callers": (Role.ADMIN,)}


@post(
    "/admin/exam-packages/{exam_package_id:str}/tiers",
    summary="Add a tier",
    operation_id="createTier",
    opt={**_ADMINS, "refusals": (PackageNotFound, TierNameTaken, PackageChanged), "tagged": True},
)
async def create_tier(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[CreateTierRequest],
    add_tier: Injected[AddTier],
) -> Response[TierInPackageBody]:
    """Add a tier to an exam package: a change of the package. As the default it takes that from the one before."""
    expected = agreed(expected_version(request), data.expected_version)
    return await once(request, actor, lambda: add_tier(actor, exam_package_id, data.change(), expected), _added)


@patch(
    "/admin/exam-packages/{exam_package_id:str}/tiers/{tier_id:str}",
    summary="Change a tier",
    operation_id="changeTier",
    opt={**_ADMINS, "refusals": (PackageNotFound, TierNotFound, TierNameTaken, PackageChanged), "tagged": True},
)
async def change_one_tier(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    tier_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeTierRequest],
    change_tier: Injected[ChangeTier],
) -> Response[TierInPackageBody]:
    """Change a tier for everybody in it. How long somebody may stay was settled when they enrolled."""
    expected = agreed(expected_version(request), data.expected_version)
    found = await change_tier(actor, exam_package_id, tier_id, data.change(), expected)
    return Response(tier_body(found), headers=version_tag(found.package.version))


@delete(
    "/admin/exam-packages/{exam_package_id:str}/tiers/{tier_id:str}",
    summary="Delete a tier",
    operation_id="deleteTier",
    response_description="The tier is deleted",
    opt={**_ADMINS, "refusals": (PackageNotFound, TierNotFound, TierInUse, LastTier, PackageChanged), "tagged": True},
)
async def delete_one_tier(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    tier_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_tier: Injected[DeleteTier],
) -> Response[None]:
    """Delete a tier in which nobody was ever enrolled; deactivate any other. An exam package keeps one tier at least.

    Without the default tier whoever enrols names one.
    """
    package = await delete_tier(actor, exam_package_id, tier_id, expected_version(request))
    return Response(None, headers=version_tag(package.version))


def _added(found: TierInPackage) -> Reply:
    return Reply(tier_body(found), headers=version_tag(found.package.version))


handlers: Sequence[ControllerRouterHandler] = [create_tier, change_one_tier, delete_one_tier]

"""Exam packages over HTTP, as administrators manage them and instructors say what their exams are like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from application.enrollment.managing import ChangePackage, CreatePackage, DeletePackage
from application.enrollment.package_reading import ReadPackage
from application.enrollment.ports.packages import PackageReader
from application.enrollment.views import StaffPackageView
from domain.auth.people import Actor, Role
from domain.enrollment.package_refusals import PackageChanged, PackageInUse, PackageSlugTaken
from domain.enrollment.packages import Visibility
from domain.enrollment.refusals import BankUnknown, PackageNotFound
from entrypoints.http.conditional import expected_version, personal, version_tag
from entrypoints.http.enrollment.package_bodies import (
    ChangeExamPackageRequest,
    CreateExamPackageRequest,
    ExamPackageBody,
    ExamPackageBodyPage,
    ReviseExamPackageRequest,
    agreed,
    package_body,
)
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STAFF: Final[dict[str, Any]] = {"callers": (Role.INSTRUCTOR, Role.ADMIN)}
_ADMINS: Final[dict[str, Any]] = {"callers": (Role.ADMIN,)}
_Shown = Annotated[Visibility | None, QueryParameter(description="Only these; unless told visible and hidden ones")]
_Text = Annotated[
    str | None, QueryParameter(max_length=200, description="Occurs in title, slug or description, in any case")
]


@get("/admin/exam-packages", summary="List all exam packages", operation_id="listAllExamPackages", opt=_ADMINS)
async def list_for_admins(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    package_reader: Injected[PackageReader],
    visibility: _Shown = None,
    q: _Text = None,
) -> Response[ExamPackageBodyPage]:
    """All exam packages with all their tiers, hidden ones too, the oldest first."""
    (after,) = paging.after(str) or (None,)
    found = await package_reader.packages(visibility=visibility, text=q, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=_by_id, item=package_body, body=ExamPackageBodyPage)


@post(
    "/admin/exam-packages",
    summary="Make an exam package",
    operation_id="createExamPackage",
    opt={**_ADMINS, "refusals": (PackageSlugTaken, BankUnknown), "located": True, "tagged": True},
)
async def create_one(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateExamPackageRequest],
    create_package: Injected[CreatePackage],
) -> Response[ExamPackageBody]:
    """Make an exam package. It has one tier, the default, which students may take; add others afterwards."""
    return await once(request, actor, lambda: create_package(actor, data.new()), _made)


@get(
    "/admin/exam-packages/{exam_package_id:str}",
    summary="Read any exam package",
    operation_id="readExamPackage",
    opt={**_ADMINS, "refusals": (PackageNotFound,)},
)
async def read_for_admins(
    exam_package_id: FromPath[str], read_package: Injected[ReadPackage]
) -> Response[ExamPackageBody]:
    """One exam package, by its id or its slug."""
    found = await read_package(exam_package_id)
    return personal(package_body(found), found.package.version)


@patch(
    "/admin/exam-packages/{exam_package_id:str}",
    summary="Change an exam package",
    operation_id="changeExamPackage",
    opt={**_ADMINS, "refusals": (PackageNotFound, PackageSlugTaken, BankUnknown, PackageChanged), "tagged": True},
)
async def change_one(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeExamPackageRequest],
    change_package: Injected[ChangePackage],
) -> Response[ExamPackageBody]:
    """Change anything about an exam package. Hiding it takes nothing from those who are enrolled."""
    expected = agreed(expected_version(request), data.expected_version)
    return _changed(await change_package(actor, exam_package_id, data.change(), expected))


@delete(
    "/admin/exam-packages/{exam_package_id:str}",
    summary="Delete an exam package",
    operation_id="deleteExamPackage",
    response_description="The exam package is deleted with its tiers",
    opt={**_ADMINS, "refusals": (PackageNotFound, PackageInUse, PackageChanged)},
)
async def delete_one(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_package: Injected[DeletePackage],
) -> None:
    """Delete an exam package in which nobody was ever enrolled and that has no templates. Hide any other."""
    await delete_package(actor, exam_package_id, expected_version(request))


@get(
    "/instructor/exam-packages",
    summary="List exam packages with what they say",
    operation_id="listExamPackagesOfStaff",
    opt=_STAFF,
)
async def list_for_instructors(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    package_reader: Injected[PackageReader],
    visibility: _Shown = None,
    q: _Text = None,
) -> Response[ExamPackageBodyPage]:
    """All exam packages with all their tiers, hidden ones too, the oldest first."""
    (after,) = paging.after(str) or (None,)
    found = await package_reader.packages(visibility=visibility, text=q, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=_by_id, item=package_body, body=ExamPackageBodyPage)


@get(
    "/instructor/exam-packages/{exam_package_id:str}",
    summary="Read an exam package with what it says",
    operation_id="readExamPackageOfStaff",
    opt={**_STAFF, "refusals": (PackageNotFound,)},
)
async def read_for_instructors(
    exam_package_id: FromPath[str], read_package: Injected[ReadPackage]
) -> Response[ExamPackageBody]:
    """One exam package, by its id or its slug."""
    found = await read_package(exam_package_id)
    return personal(package_body(found), found.package.version)


@patch(
    "/instructor/exam-packages/{exam_package_id:str}",
    summary="Change what an exam package says",
    operation_id="reviseExamPackage",
    opt={**_STAFF, "refusals": (PackageNotFound, PackageChanged), "tagged": True},
)
async def revise_one(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ReviseExamPackageRequest],
    change_package: Injected[ChangePackage],
) -> Response[ExamPackageBody]:
    """Change what an exam package says about itself and its exams. Slug, visibility, banks and tiers are for admins."""
    expected = agreed(expected_version(request), data.expected_version)
    return _changed(await change_package(actor, exam_package_id, data.change(), expected))


def _made(view: StaffPackageView) -> Reply:
    location = {"location": f"/admin/exam-packages/{view.package.id}"}
    return Reply(package_body(view), headers=version_tag(view.package.version) | location)


def _changed(view: StaffPackageView) -> Response[ExamPackageBody]:
    return Response(package_body(view), headers=version_tag(view.package.version))


def _by_id(view: StaffPackageView) -> tuple[str]:
    return (view.package.id,)


handlers: Sequence[ControllerRouterHandler] = [
    list_for_admins,
    create_one,
    read_for_admins,
    change_one,
    delete_one,
    list_for_instructors,
    read_for_instructors,
    revise_one,
]

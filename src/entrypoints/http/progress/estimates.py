"""Weak areas and readiness over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from application.progress.estimating import ReadWeakAreas, ShowReadiness
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound
from entrypoints.http.fields import ID_PATTERN
from entrypoints.http.injection import Injected
from entrypoints.http.progress.estimate_bodies import ReadinessBody, WeakAreasBody, readiness_body, weak_areas_body

_STUDENTS: Final[dict[str, Any]] = {"callers": (Role.STUDENT,), "refusals": (PackageNotFound, EnrollmentRequired)}
_PackageId = Annotated[
    str,
    QueryParameter(name="examPackageId", min_length=1, max_length=64, pattern=ID_PATTERN, description="Of this one"),
]


@get("/student/weak-areas", summary="List one's weak areas", operation_id="listWeakAreas", opt=_STUDENTS)
async def list_weak_areas(
    actor: NamedDependency[Actor], package: _PackageId, read_weak_areas: Injected[ReadWeakAreas]
) -> WeakAreasBody:
    """Where the caller stands in each topic of an exam package, the most urgent first.

    What is believed begins with how all students do and moves with every answer of the caller; answers lose half of
    their weight every 45 days, and repeated ones count less. For whoever is or was enrolled.
    """
    return weak_areas_body(package, await read_weak_areas(actor, package))


@get("/student/readiness", summary="Read one's readiness", operation_id="getReadiness", opt=_STUDENTS)
async def get_readiness(
    actor: NamedDependency[Actor], package: _PackageId, show_readiness: Injected[ShowReadiness]
) -> ReadinessBody:
    """How likely the caller would pass an exam of the package today, or `insufficient_data`.

    What is shown is kept, so that it can be held against the exams that follow. For whoever is or was enrolled.
    """
    return readiness_body(package, await show_readiness(actor, package))


handlers: list[ControllerRouterHandler] = [list_weak_areas, get_readiness]

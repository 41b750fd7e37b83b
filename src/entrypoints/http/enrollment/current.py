"""A student's own enrolment in one exam package over HTTP, with all that a page about it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.enrollment.current import ReadCurrentEnrollment
from application.enrollment.views import CurrentEnrollment
from domain.auth.people import Actor, Role
from domain.enrollment.refusals import EnrollmentNotFound
from entrypoints.http.enrollment.enrolling import EnrollmentBody
from entrypoints.http.enrollment.packages import ExamPackageSummary, ExamPackageTier, package_summary
from entrypoints.http.fields import ResponseBody, When
from entrypoints.http.injection import Injected


class PracticeWeekBody(ResponseBody):
    """How much one may practise: a session counts for exactly seven days from its begin, in whatever state it is."""

    weekly_limit: Annotated[
        int | None, Meta(description="Sessions in seven days, by the tier; null: no limit, 0: none at all")
    ]
    used: Annotated[int, Meta(description="Sessions begun in the last seven days")]
    remaining: Annotated[int | None, Meta(description="Sessions that may be begun now; null: as many as one likes")]
    next_free_at: Annotated[
        When | None, Meta(description="When the next session may be begun; null: now, or never with a limit of 0")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "weeklyLimit": 5,
        "used": 5,
        "remaining": 0,
        "nextFreeAt": "2026-03-09T08:20:00Z",
    }


class CurrentEnrollmentBody(EnrollmentBody):
    """An enrolment in an exam package, and what it opens."""

    tier: ExamPackageTier
    exam_package: Annotated[
        ExamPackageSummary, Meta(description="As the list of exam packages shows it, also while it is hidden")
    ]
    upgrades: Annotated[
        list[ExamPackageTier],
        Meta(description="The tiers that one may change to unasked, the default first; none when it has ended"),
    ]
    practice: Annotated[PracticeWeekBody | None, Meta(description="Null when it has ended")]

    example: ClassVar[Mapping[str, Any]] = {
        **EnrollmentBody.example,
        "tier": ExamPackageSummary.example["tiers"][0],
        "examPackage": ExamPackageSummary.example,
        "upgrades": [],
        "practice": PracticeWeekBody.example,
    }


@get(
    "/student/enrollments/{exam_package_id:str}",
    summary="Read own enrolment",
    operation_id="getEnrollment",
    opt={"callers": (Role.STUDENT,), "refusals": (EnrollmentNotFound,)},
)
async def read_enrollment(
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_current_enrollment: Injected[ReadCurrentEnrollment],
) -> CurrentEnrollmentBody:
    """The caller's active enrolment in an exam package, by its id, or the latest one when none is active."""
    return _body(await read_current_enrollment(actor, exam_package_id))


def _body(found: CurrentEnrollment) -> CurrentEnrollmentBody:
    fields = {name: getattr(found.enrollment, name) for name in EnrollmentBody.__struct_fields__}
    practice = found.practice
    return CurrentEnrollmentBody(
        **fields,
        tier=convert(found.tier, ExamPackageTier, from_attributes=True),
        exam_package=package_summary(found.package),
        upgrades=[convert(tier, ExamPackageTier, from_attributes=True) for tier in found.upgrades],
        practice=None if practice is None else convert(practice, PracticeWeekBody, from_attributes=True),
    )


handlers: Sequence[ControllerRouterHandler] = [read_enrollment]

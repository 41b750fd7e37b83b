"""Enrolments over HTTP: bodies and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.enrollment.enrolling import CancelEnrollment, Enroll, Enrolled, UpgradeEnrollment
from application.enrollment.ports.enrolling import EnrollmentReader, WantedEnrollments
from application.enrollment.views import EnrollmentView
from domain.auth.people import Actor, Role
from domain.enrollment.enrolling import Enrollment, EnrollmentEnd, EnrollmentStatus
from domain.enrollment.refusals import (
    AccessUsedUp,
    EnrollmentExists,
    EnrollmentNotFound,
    LiveExam,
    NotAnUpgrade,
    PackageNotFound,
    TierNotSelfService,
    TierUnknown,
)
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody, When
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STUDENTS = {"callers": (Role.STUDENT,)}


PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
TIER_ID = "tier_01m7y0w5089re0wwbvvzgw20sg"
ExpiresAt = Annotated[When | None, Meta(description="When it ends by itself; null: never")]
EndedAt = Annotated[When | None, Meta(description="Null while it is active")]
EndReason = Annotated[EnrollmentEnd | None, Meta(description="Null while it is active")]
WantedStatus = Annotated[
    EnrollmentStatus | None, QueryParameter(name="status", description="Only active ones, or only ended ones")
]
WantedPackage = Annotated[
    str | None, QueryParameter(name="examPackageId", max_length=64, description="Only those in this exam package")
]


class EnrollRequest(RequestBody):
    """The exam package to enrol in."""

    exam_package_id: Id
    tier_id: Annotated[Id | None, Meta(description="Absent or null: the default tier")] = None

    example: ClassVar[Mapping[str, Any]] = {"examPackageId": PACKAGE_ID, "tierId": None}


class UpgradeRequest(RequestBody):
    """The tier to change to."""

    tier_id: Annotated[Id, Meta(description="Of a higher rank than the one so far")]

    example: ClassVar[Mapping[str, Any]] = {"tierId": TIER_ID}


class EnrollmentBody(ResponseBody):
    """An enrolment in an exam package."""

    id: str
    exam_package_id: str
    tier_id: str
    status: EnrollmentStatus
    started_at: When
    expires_at: ExpiresAt
    ended_at: EndedAt
    end_reason: EndReason

    example: ClassVar[Mapping[str, Any]] = {
        "id": "enr_01m7y0w5089re0wwbvvzgw20sh",
        "examPackageId": PACKAGE_ID,
        "tierId": TIER_ID,
        "status": "active",
        "startedAt": "2026-03-02T08:20:00Z",
        "expiresAt": None,
        "endedAt": None,
        "endReason": None,
    }


class EnrollmentListItem(ResponseBody):
    """An enrolment with the names of its exam package and tier."""

    id: str
    exam_package_id: str
    package_slug: str
    package_title: str
    tier_id: str
    tier_name: str
    status: EnrollmentStatus
    started_at: When
    expires_at: ExpiresAt
    ended_at: EndedAt
    end_reason: EndReason


class EnrollmentPage(PageBody):
    """A page of enrolments."""

    items: list[EnrollmentListItem]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                **EnrollmentBody.example,
                "packageSlug": "network-fundamentals",
                "packageTitle": "Network Fundamentals Associate",
                "tierName": "Standard",
            }
        ],
        "nextCursor": None,
    }


@get("/student/enrollments", summary="List own enrolments", operation_id="listEnrollments", opt=_STUDENTS)
async def list_enrollments(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    enrollment_reader: Injected[EnrollmentReader],
    status: WantedStatus = None,
    exam_package_id: WantedPackage = None,
) -> Response[EnrollmentPage]:
    """The caller's enrolments, active and ended, the newest first. One whose time is over has ended."""
    (after,) = paging.after(str) or (None,)
    wanted = WantedEnrollments(status=status, exam_package_id=exam_package_id)
    found = await enrollment_reader.enrollments(actor.user_id, wanted, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=enrollment_item, body=EnrollmentPage)


@post(
    "/student/enrollments",
    summary="Enrol in an exam package",
    operation_id="enroll",
    opt={
        **_STUDENTS,
        "refusals": (PackageNotFound, TierUnknown, TierNotSelfService, AccessUsedUp, EnrollmentExists),
        "also_answers": (200,),
    },
)
async def enroll_in_package(
    request: ApiRequest, actor: NamedDependency[Actor], data: JSONBody[EnrollRequest], enroll: Injected[Enroll]
) -> Response[EnrollmentBody]:
    """Enrol in an exam package, in its default tier unless one is named.

    Who is enrolled in that tier already gets the enrolment there is, with status 200. The days of access that a tier
    gives count from the first enrolment in it: whoever comes back has what is left of them, and keeps an end that an
    administrator named.
    """
    return await once(request, actor, lambda: enroll(actor, data.exam_package_id, data.tier_id), enrolled_reply)


@patch(
    "/student/enrollments/{exam_package_id:str}",
    summary="Change to a better tier",
    operation_id="upgradeEnrollment",
    opt={**_STUDENTS, "refusals": (EnrollmentNotFound, TierUnknown, TierNotSelfService, NotAnUpgrade, AccessUsedUp)},
)
async def change_tier(
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[UpgradeRequest],
    upgrade_enrollment: Injected[UpgradeEnrollment],
) -> EnrollmentBody:
    """Change to a tier of a higher rank that students may take unasked. Any other change is an administrator's.

    The enrolment so far ends and stays in the history; the answer is the one that began in its place. Who has the tier
    already gets the enrolment there is. Days of access count from the first enrolment in the tier.
    """
    return enrollment_body(await upgrade_enrollment(actor, exam_package_id, data.tier_id))


@delete(
    "/student/enrollments/{exam_package_id:str}",
    summary="Leave an exam package",
    operation_id="cancelEnrollment",
    response_description="The enrolment has ended",
    opt={**_STUDENTS, "refusals": (EnrollmentNotFound, LiveExam)},
)
async def leave_package(
    exam_package_id: FromPath[str], actor: NamedDependency[Actor], cancel_enrollment: Injected[CancelEnrollment]
) -> None:
    """Leave an exam package, but not during an exam. The enrolment ends and stays in the history, with all results."""
    await cancel_enrollment(actor, exam_package_id)


def enrollment_item(view: EnrollmentView) -> EnrollmentListItem:
    return convert(view, EnrollmentListItem, from_attributes=True)


def enrollment_body(enrollment: Enrollment) -> EnrollmentBody:
    return convert(enrollment, EnrollmentBody, from_attributes=True)


def enrolled_reply(enrolled: Enrolled) -> Reply:
    return Reply(enrollment_body(enrolled.enrollment), status=201 if enrolled.created else 200)


handlers: Sequence[ControllerRouterHandler] = [list_enrollments, enroll_in_package, change_tier, leave_package]

"""Enrolments over HTTP, as administrators make, change and end them: bodies and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, Meta, UnsetType, convert

from application.enrollment.administering import (
    ChangeEnrollment,
    EndEnrollment,
    EnrollStudent,
    ListEnrolled,
    ListEnrollmentsOf,
    Terms,
)
from application.enrollment.ports.enrolling import WantedEnrollments
from application.enrollment.views import EnrolledView
from domain.auth.people import Actor, Role, UserNotFound
from domain.enrollment.enrolling import EnrollmentStatus, Until
from domain.enrollment.refusals import (
    EnrollmentExists,
    EnrollmentNotFound,
    PackageNotFound,
    StudentsOnly,
    TierUnknown,
)
from entrypoints.http.admin_bodies import Reason
from entrypoints.http.admin_people import ReasonParameter
from entrypoints.http.enrollment.enrolling import (
    PACKAGE_ID,
    TIER_ID,
    EndedAt,
    EndReason,
    EnrollmentBody,
    EnrollmentPage,
    ExpiresAt,
    WantedPackage,
    WantedStatus,
    enrolled_reply,
    enrollment_body,
    enrollment_item,
)
from entrypoints.http.fields import Id, Moment, PageBody, RequestBody, ResponseBody, When
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest

_ADMINS: Mapping[str, Any] = {"callers": (Role.ADMIN,)}
_USER_ID = "usr_01m7y0w5089re0wwbvvzgw20sk"
_REASON = "Paid by invoice"


class EnrollStudentRequest(RequestBody):
    """The exam package to enrol somebody in, and on what terms."""

    exam_package_id: Annotated[Id, Meta(description="Also of a hidden one")]
    tier_id: Annotated[Id | None, Meta(description="Any of the package; absent or null: the default tier")] = None
    expires_at: Annotated[Moment | UnsetType | None, Meta(description="Absent: as the tier says; null: never")] = UNSET
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {
        "examPackageId": PACKAGE_ID,
        "tierId": TIER_ID,
        "expiresAt": "2027-03-02T00:00:00Z",
        "reason": _REASON,
    }

    def terms(self) -> Terms:
        return Terms(tier_id=self.tier_id, until=_until(self.expires_at))


class ChangeEnrollmentRequest(RequestBody):
    """What is to be changed; what is absent stays as it is."""

    tier_id: Annotated[Id | UnsetType, Meta(description="Any of the package, better or not")] = UNSET
    expires_at: Annotated[
        Moment | UnsetType | None,
        Meta(description="Absent: as the new tier says, or as it is where the tier stays; null: never"),
    ] = UNSET
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"expiresAt": None, "reason": _REASON}

    def terms(self) -> Terms:
        return Terms(tier_id=None if self.tier_id is UNSET else self.tier_id, until=_until(self.expires_at))


class EnrolledItem(ResponseBody):
    """An enrolment in an exam package, with its student."""

    id: str
    user_id: str
    email: str
    name: str
    tier_id: str
    tier_name: str
    status: EnrollmentStatus
    started_at: When
    expires_at: ExpiresAt
    ended_at: EndedAt
    end_reason: EndReason


class EnrolledPage(PageBody):
    """A page of enrolments in an exam package."""

    items: list[EnrolledItem]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "id": EnrollmentBody.example["id"],
                "userId": _USER_ID,
                "email": "ada@example.org",
                "name": "Ada Lovelace",
                "tierId": TIER_ID,
                "tierName": "Standard",
                "status": "active",
                "startedAt": "2026-03-02T08:20:00Z",
                "expiresAt": "2027-03-02T00:00:00Z",
                "endedAt": None,
                "endReason": None,
            }
        ],
        "nextCursor": None,
    }


@get(
    "/admin/users/{user_id:str}/enrollments",
    summary="List a person's enrolments",
    operation_id="listUserEnrollments",
    opt={**_ADMINS, "refusals": (UserNotFound,)},
)
async def list_of_user(
    request: ApiRequest,
    user_id: FromPath[str],
    paging: NamedDependency[Paging],
    list_enrollments_of: Injected[ListEnrollmentsOf],
    status: WantedStatus = None,
    exam_package_id: WantedPackage = None,
) -> Response[EnrollmentPage]:
    """The enrolments of a person, active and ended, the newest first. One whose time is over has ended."""
    (after,) = paging.after(str) or (None,)
    wanted = WantedEnrollments(status=status, exam_package_id=exam_package_id)
    found = await list_enrollments_of(user_id, wanted, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=enrollment_item, body=EnrollmentPage)


@post(
    "/admin/users/{user_id:str}/enrollments",
    summary="Enrol a student",
    operation_id="enrollUser",
    opt={
        **_ADMINS,
        "refusals": (UserNotFound, StudentsOnly, PackageNotFound, TierUnknown, EnrollmentExists),
        "also_answers": (200,),
    },
)
async def enroll_user(
    request: ApiRequest,
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[EnrollStudentRequest],
    enroll_student: Injected[EnrollStudent],
) -> Response[EnrollmentBody]:
    """Enrol a student in any tier of any exam package. The days of access of the tier begin anew.

    Who is enrolled on these terms already gets the enrolment there is, with status 200.
    """
    package_id = data.exam_package_id
    return await once(
        request, actor, lambda: enroll_student(actor, user_id, package_id, data.terms(), data.reason), enrolled_reply
    )


@patch(
    "/admin/users/{user_id:str}/enrollments/{exam_package_id:str}",
    summary="Change an enrolment",
    operation_id="changeUserEnrollment",
    opt={**_ADMINS, "refusals": (UserNotFound, StudentsOnly, EnrollmentNotFound, TierUnknown)},
)
async def change_of_user(
    user_id: FromPath[str],
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeEnrollmentRequest],
    change_enrollment: Injected[ChangeEnrollment],
) -> EnrollmentBody:
    """Change the tier of an enrolment, its end, or both. What is so already stays unchanged.

    The enrolment so far ends and stays in the history; the answer is the one that began in its place.
    """
    return enrollment_body(await change_enrollment(actor, user_id, exam_package_id, data.terms(), data.reason))


@delete(
    "/admin/users/{user_id:str}/enrollments/{exam_package_id:str}",
    summary="End an enrolment",
    operation_id="endUserEnrollment",
    response_description="The enrolment has ended",
    opt={**_ADMINS, "refusals": (UserNotFound, EnrollmentNotFound)},
)
async def end_of_user(
    user_id: FromPath[str],
    exam_package_id: FromPath[str],
    actor: NamedDependency[Actor],
    end_enrollment: Injected[EndEnrollment],
    reason: ReasonParameter = None,
) -> None:
    """End somebody's enrolment in an exam package. It stays in the history, with all results."""
    await end_enrollment(actor, user_id, exam_package_id, reason)


@get(
    "/admin/exam-packages/{exam_package_id:str}/enrollments",
    summary="List who is enrolled",
    operation_id="listEnrolled",
    opt={**_ADMINS, "refusals": (PackageNotFound,)},
)
async def list_of_package(
    request: ApiRequest,
    exam_package_id: FromPath[str],
    paging: NamedDependency[Paging],
    list_enrolled: Injected[ListEnrolled],
    status: WantedStatus = None,
) -> Response[EnrolledPage]:
    """Who is or was enrolled in an exam package, the newest enrolment first."""
    (after,) = paging.after(str) or (None,)
    found = await list_enrolled(exam_package_id, status=status, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=_item, body=EnrolledPage)


def _item(view: EnrolledView) -> EnrolledItem:
    return convert(view, EnrolledItem, from_attributes=True)


def _until(value: Moment | UnsetType | None) -> Until | None:
    return None if isinstance(value, UnsetType) else Until(at=value)


handlers: Sequence[ControllerRouterHandler] = [
    list_of_user,
    enroll_user,
    change_of_user,
    end_of_user,
    list_of_package,
]

"""Exam packages and enrolments over HTTP: bodies and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.enrollment.enrolling import CancelEnrollment, Enroll, Enrolled
from application.enrollment.ports import EnrollmentReader, PackageReader
from application.enrollment.views import EnrollmentView, PackageView
from domain.auth.people import Actor, Role
from domain.enrollment import (
    EnrollmentEnd,
    EnrollmentExists,
    EnrollmentNotFound,
    EnrollmentStatus,
    PackageNotFound,
    TierNotSelfService,
    TierUnknown,
)
from entrypoints.http.conditional import hashed
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody, When
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STUDENTS = {"callers": (Role.STUDENT,)}


_PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
_TIER_ID = "tier_01m7y0w5089re0wwbvvzgw20sg"
_EndedAt = Annotated[When | None, Meta(description="Null while it is active")]
_EndReason = Annotated[EnrollmentEnd | None, Meta(description="Null while it is active")]


class ExamPackageTier(ResponseBody):
    """A way of being enrolled in an exam package."""

    id: str
    name: str
    is_default: Annotated[bool, Meta(description="Whether it is taken where an enrolment names none")]


class ExamPackageSummary(ResponseBody):
    """An exam package as one who chooses sees it."""

    id: str
    slug: Annotated[str, Meta(description="Its name in addresses")]
    title: str
    description: str
    question_count: Annotated[int, Meta(description="How many published questions it has")]
    duration_seconds: Annotated[int | None, Meta(description="How long the exam lasts; null: as long as one likes")]
    pass_mark: Annotated[Decimal, Meta(description="The percent of the marks that passes, as a decimal string")]
    version: Annotated[int, Meta(description="Grows with every change")]
    tiers: Annotated[
        list[ExamPackageTier], Meta(description="Those that a student may take unasked, the default first")
    ]


class ExamPackagePage(PageBody):
    """A page of exam packages."""

    items: list[ExamPackageSummary]

    example: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "id": _PACKAGE_ID,
                "slug": "network-fundamentals",
                "title": "Network Fundamentals Associate",
                "description": "Addressing, routing and switching.",
                "questionCount": 240,
                "durationSeconds": 5400,
                "passMark": "70",
                "version": 3,
                "tiers": [{"id": _TIER_ID, "name": "Standard", "isDefault": True}],
            }
        ],
        "nextCursor": None,
    }


class EnrollRequest(RequestBody):
    """The exam package to enrol in."""

    exam_package_id: Id
    tier_id: Annotated[Id | None, Meta(description="Absent or null: the default tier")] = None

    example: ClassVar[Mapping[str, Any]] = {"examPackageId": _PACKAGE_ID, "tierId": None}


class EnrollmentBody(ResponseBody):
    """An enrolment in an exam package."""

    id: str
    exam_package_id: str
    tier_id: str
    status: EnrollmentStatus
    started_at: When
    ended_at: _EndedAt
    end_reason: _EndReason

    example: ClassVar[Mapping[str, Any]] = {
        "id": "enr_01m7y0w5089re0wwbvvzgw20sh",
        "examPackageId": _PACKAGE_ID,
        "tierId": _TIER_ID,
        "status": "active",
        "startedAt": "2026-03-02T08:20:00Z",
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
    ended_at: _EndedAt
    end_reason: _EndReason


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


@get("/exam-packages", summary="List the exam packages", operation_id="listExamPackages")
async def list_exam_packages(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    package_reader: Injected[PackageReader],
    q: Annotated[
        str | None, QueryParameter(max_length=200, description="Occurs in title, slug or description, in any case")
    ] = None,
) -> Response[ExamPackagePage]:
    """The exam packages that anybody may choose from. Tiers are those that a student may take without being asked."""
    (after,) = paging.after(str) or (None,)
    found = await package_reader.visible_packages(text=q, after=after, limit=paging.limit + 1)
    packages = page(request, paging, found, key=lambda view: (view.id,), item=_summary, body=ExamPackagePage)
    answer = hashed(request, packages.content)
    answer.headers.update(packages.headers)
    return answer


@get("/student/enrollments", summary="List own enrolments", operation_id="listEnrollments", opt=_STUDENTS)
async def list_enrollments(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    enrollment_reader: Injected[EnrollmentReader],
) -> Response[EnrollmentPage]:
    """The caller's enrolments, active and ended, the newest first."""
    (after,) = paging.after(str) or (None,)
    found = await enrollment_reader.enrollments(actor.user_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=_item, body=EnrollmentPage)


@post(
    "/student/enrollments",
    summary="Enrol in an exam package",
    operation_id="enroll",
    opt={
        **_STUDENTS,
        "refusals": (PackageNotFound, TierUnknown, TierNotSelfService, EnrollmentExists),
        "also_answers": (200,),
    },
)
async def enroll_in_package(
    request: ApiRequest, actor: NamedDependency[Actor], data: JSONBody[EnrollRequest], enroll: Injected[Enroll]
) -> Response[EnrollmentBody]:
    """Enrol in an exam package, in its default tier unless one is named.

    Who is enrolled in that tier already gets the enrolment there is, with status 200.
    """
    return await once(request, actor, lambda: enroll(actor, data.exam_package_id, data.tier_id), _enrolled)


@delete(
    "/student/enrollments/{exam_package_id:str}",
    summary="Leave an exam package",
    operation_id="cancelEnrollment",
    response_description="The enrolment has ended",
    opt={**_STUDENTS, "refusals": (EnrollmentNotFound,)},
)
async def leave_package(
    exam_package_id: FromPath[str], actor: NamedDependency[Actor], cancel_enrollment: Injected[CancelEnrollment]
) -> None:
    """Leave an exam package. The enrolment ends and stays in the history, with all results."""
    await cancel_enrollment(actor, exam_package_id)


def _summary(view: PackageView) -> ExamPackageSummary:
    return convert(view, ExamPackageSummary, from_attributes=True)


def _item(view: EnrollmentView) -> EnrollmentListItem:
    return convert(view, EnrollmentListItem, from_attributes=True)


def _enrolled(enrolled: Enrolled) -> Reply:
    body = convert(enrolled.enrollment, EnrollmentBody, from_attributes=True)
    return Reply(body, status=201 if enrolled.created else 200)


handlers: Sequence[ControllerRouterHandler] = [
    Router(
        "/",
        route_handlers=[list_exam_packages, list_enrollments, enroll_in_package, leave_package],
        tags=["enrollment"],
    )
]

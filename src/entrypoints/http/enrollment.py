"""Exam packages and enrolments over HTTP: bodies and routes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from litestar import Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import convert

from application.enrollment.enrolling import CancelEnrollment, Enroll, Enrolled
from application.enrollment.ports import EnrollmentReader, PackageReader
from application.enrollment.views import EnrollmentView, PackageView
from domain.auth.people import Actor, Role
from domain.enrollment import (
    EndReason,
    EnrollmentExists,
    EnrollmentNotFound,
    EnrollmentStatus,
    PackageNotFound,
    TierNotSelfService,
    TierUnknown,
)
from entrypoints.http.conditional import hashed
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_STUDENTS = {"callers": (Role.STUDENT,)}


class ExamPackageTier(ResponseBody):
    id: str
    name: str
    is_default: bool


class ExamPackageSummary(ResponseBody):
    id: str
    slug: str
    title: str
    description: str
    question_count: int
    duration_seconds: int | None
    pass_mark: Decimal
    version: int
    tiers: list[ExamPackageTier]


class ExamPackagePage(PageBody):
    items: list[ExamPackageSummary]


class EnrollRequest(RequestBody):
    exam_package_id: Id
    tier_id: Id | None = None


class EnrollmentBody(ResponseBody):
    id: str
    exam_package_id: str
    tier_id: str
    status: EnrollmentStatus
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None


class EnrollmentListItem(ResponseBody):
    id: str
    exam_package_id: str
    package_slug: str
    package_title: str
    tier_id: str
    tier_name: str
    status: EnrollmentStatus
    started_at: datetime
    ended_at: datetime | None
    end_reason: EndReason | None


class EnrollmentPage(PageBody):
    items: list[EnrollmentListItem]


@get("/exam-packages", operation_id="listExamPackages")
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


@get("/student/enrollments", operation_id="listEnrollments", opt=_STUDENTS)
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
    operation_id="cancelEnrollment",
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

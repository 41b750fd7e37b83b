"""Exam packages over HTTP, as those see them who choose one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Meta, convert

from application.enrollment.package_reading import ReadOfferedPackage
from application.enrollment.ports.packages import PackageReader
from application.enrollment.views import PackageView
from domain.enrollment.refusals import PackageNotFound
from entrypoints.http.conditional import hashed
from entrypoints.http.fields import MarkedBody, PageBody, ResponseBody, When
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest

_PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
_TIER_ID = "tier_01m7y0w5089re0wwbvvzgw20sg"
ACCESS_DAYS = (
    "How many days one stays enrolled, counted from when a student first began in the tier: leaving and coming back"
    " does not renew them, only an administrator does; null: for good"
)


class ExamPackageTier(ResponseBody):
    """A way of being enrolled in an exam package."""

    id: str
    name: str
    is_default: Annotated[bool, Meta(description="Whether it is taken where an enrolment names none")]
    weekly_practice_sessions: Annotated[int | None, Meta(description="In seven days; null: no limit, 0: none at all")]
    weekly_exam_sessions: Annotated[int | None, Meta(description="In seven days; null: no limit, 0: none at all")]
    access_days: Annotated[int | None, Meta(description=ACCESS_DAYS)]
    rank: Annotated[int, Meta(description="A tier of a higher one is an upgrade")]


class ExamPackageSummary(MarkedBody):
    """An exam package as one who chooses sees it."""

    id: str
    slug: Annotated[str, Meta(description="Its name in addresses")]
    title: str
    description: str
    question_count: Annotated[int, Meta(description="How many published questions it has")]
    duration_seconds: Annotated[int | None, Meta(description="How long the exam lasts; null: as long as one likes")]
    pass_mark: Annotated[Decimal, Meta(description="The percent of the marks that passes, as a decimal string")]
    exam_question_count: Annotated[int | None, Meta(description="How many questions an exam asks; null: all there are")]
    attempts_allowed: Annotated[int | None, Meta(description="How many exams one may take; null: as many as one likes")]
    opens_at: Annotated[When | None, Meta(description="From when on exams begin; null: at any time")]
    closes_at: Annotated[When | None, Meta(description="When exams end at the latest; null: never")]
    version: Annotated[int, Meta(description="Grows with every change")]
    tiers: Annotated[
        list[ExamPackageTier], Meta(description="Those that a student may take unasked, the default first")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "id": _PACKAGE_ID,
        "slug": "network-fundamentals",
        "title": "Network Fundamentals Associate",
        "description": "Addressing, routing and switching.",
        "questionCount": 240,
        "durationSeconds": 5400,
        "passMark": "70",
        "examQuestionCount": 60,
        "attemptsAllowed": 3,
        "opensAt": None,
        "closesAt": None,
        "version": 3,
        "tiers": [
            {
                "id": _TIER_ID,
                "name": "Standard",
                "isDefault": True,
                "weeklyPracticeSessions": None,
                "weeklyExamSessions": 2,
                "accessDays": 365,
                "rank": 0,
            }
        ],
    }


class ExamPackagePage(PageBody):
    """A page of exam packages."""

    items: list[ExamPackageSummary]

    example: ClassVar[Mapping[str, Any]] = {"items": [ExamPackageSummary.example], "nextCursor": None}


@get("/exam-packages", summary="List the exam packages", operation_id="listExamPackages")
async def list_exam_packages(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    package_reader: Injected[PackageReader],
    q: Annotated[
        str | None, QueryParameter(max_length=200, description="Occurs in title, slug or description, in any case")
    ] = None,
) -> Response[ExamPackagePage]:
    """The exam packages that anybody may choose from, the oldest first.

    Tiers are those that a student may take without being asked.
    """
    (after,) = paging.after(str) or (None,)
    found = await package_reader.visible_packages(text=q, after=after, limit=paging.limit + 1)
    packages = page(request, paging, found, key=lambda view: (view.id,), item=package_summary, body=ExamPackagePage)
    answer = hashed(request, packages.content)
    answer.headers.update(packages.headers)
    return answer


@get(
    "/exam-packages/{exam_package_id:str}",
    summary="Read an exam package",
    operation_id="getExamPackage",
    opt={"refusals": (PackageNotFound,)},
)
async def read_exam_package(
    request: ApiRequest, exam_package_id: FromPath[str], read_offered_package: Injected[ReadOfferedPackage]
) -> Response[ExamPackageSummary]:
    """One exam package that anybody may choose, by its id or its slug."""
    return hashed(request, package_summary(await read_offered_package(exam_package_id)))


def package_summary(view: PackageView) -> ExamPackageSummary:
    return convert(view, ExamPackageSummary, from_attributes=True)


handlers: Sequence[ControllerRouterHandler] = [list_exam_packages, read_exam_package]

"""The dashboard over HTTP: its one route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from litestar import get
from msgspec import Meta

from application.admin.dashboard import Dashboard, ReadDashboard
from domain.auth.people import Actor
from entrypoints.http.admin_people import ADMINS
from entrypoints.http.fields import ResponseBody, When
from entrypoints.http.injection import Injected


class PeopleFigures(ResponseBody):
    """How many people there are by role, deleted ones apart."""

    students: Annotated[int, Meta(description="Students")]
    instructors: Annotated[int, Meta(description="Instructors")]
    admins: Annotated[int, Meta(description="Administrators")]

    example: ClassVar[Mapping[str, Any]] = {"students": 1840, "instructors": 12, "admins": 3}


class QuestionFigures(ResponseBody):
    """How many questions there are. One that is published and has an open next version is counted as both."""

    draft: Annotated[int, Meta(description="Open versions that are written at")]
    in_review: Annotated[int, Meta(description="Open versions that wait for a reviewer")]
    changes_requested: Annotated[int, Meta(description="Open versions that a reviewer sent back")]
    published: Annotated[int, Meta(description="Questions with a published version")]
    archived: Annotated[int, Meta(description="Questions that were archived")]

    example: ClassVar[Mapping[str, Any]] = {
        "draft": 31,
        "inReview": 8,
        "changesRequested": 2,
        "published": 4210,
        "archived": 55,
    }


class LiveExamFigures(ResponseBody):
    """Live exam sessions by status."""

    created: Annotated[int, Meta(description="Waiting for their start to be authorised")]
    active: Annotated[int, Meta(description="Under way")]
    paused: Annotated[int, Meta(description="Paused")]
    overdue: Annotated[int, Meta(description="Past their time, in the grace that the package allows")]

    example: ClassVar[Mapping[str, Any]] = {"created": 0, "active": 411, "paused": 2, "overdue": 1}


class ExamFiguresBody(ResponseBody):
    """Exam sessions."""

    live: Annotated[int, Meta(description="All that are live")]
    live_by_status: LiveExamFigures
    connection_lost: Annotated[int, Meta(description="Active, and not heard of for more than 90 seconds")]
    due: Annotated[
        int, Meta(description="Live, though their time is over: the next sweep writes down what became of them")
    ]
    finished: Annotated[int, Meta(description="Handed in and graded")]
    today: Annotated[int, Meta(description="Started since midnight UTC")]

    example: ClassVar[Mapping[str, Any]] = {
        "live": 414,
        "liveByStatus": LiveExamFigures.example,
        "connectionLost": 3,
        "due": 0,
        "finished": 9120,
        "today": 596,
    }


class DashboardBody(ResponseBody):
    """The whole installation in figures, all of one instant."""

    at: When
    users: PeopleFigures
    question_banks: Annotated[int, Meta(description="Question banks")]
    topics: Annotated[int, Meta(description="Topics of all banks")]
    questions: QuestionFigures
    exam_packages: Annotated[int, Meta(description="Exam packages, hidden ones included")]
    enrollments: Annotated[int, Meta(description="Enrolments that are active")]
    exam_sessions: ExamFiguresBody
    events24h: Annotated[int, Meta(description="Events of exam sessions in the last 24 hours, a million at most")]
    flags24h: Annotated[int, Meta(description="Flags put on exam sessions in the last 24 hours")]
    open_flags: Annotated[int, Meta(description="Flags that nobody has resolved")]

    example: ClassVar[Mapping[str, Any]] = {
        "at": "2026-03-02T09:41:52Z",
        "users": PeopleFigures.example,
        "questionBanks": 6,
        "topics": 88,
        "questions": QuestionFigures.example,
        "examPackages": 9,
        "enrollments": 1702,
        "examSessions": ExamFiguresBody.example,
        "events24h": 20411,
        "flags24h": 17,
        "openFlags": 4,
    }


@get("/admin/dashboard", summary="Read the dashboard", operation_id="getDashboard", opt=ADMINS)
async def get_dashboard(actor: Injected[Actor], read_dashboard: Injected[ReadDashboard]) -> DashboardBody:
    """How many people, questions, packages and exam sessions there are, and what wants attention in exams now."""
    return _body(await read_dashboard(actor))


def _body(found: Dashboard) -> DashboardBody:
    return DashboardBody(
        at=found.at,
        users=PeopleFigures(students=found.students, instructors=found.instructors, admins=found.admins),
        question_banks=found.question_banks,
        topics=found.topics,
        questions=QuestionFigures(
            draft=found.drafts,
            in_review=found.in_review,
            changes_requested=found.changes_requested,
            published=found.published,
            archived=found.archived,
        ),
        exam_packages=found.exam_packages,
        enrollments=found.enrollments,
        exam_sessions=_exam_figures(found),
        events24h=found.events_24h,
        flags24h=found.flags_24h,
        open_flags=found.open_flags,
    )


def _exam_figures(found: Dashboard) -> ExamFiguresBody:
    return ExamFiguresBody(
        live=found.live,
        live_by_status=LiveExamFigures(
            created=found.created, active=found.active, paused=found.paused, overdue=found.overdue
        ),
        connection_lost=found.lost,
        due=found.due,
        finished=found.finished,
        today=found.today,
    )


dashboard = [get_dashboard]

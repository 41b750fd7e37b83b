"""Exams over HTTP: administrators see everybody's sessions and all that is on record about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from application.exam.inspecting import (
    ListAnswerHistory,
    ListOverseenSessions,
    ListSessionEvents,
    ReadOverseenSession,
)
from application.exam.overseen import OverseenRow
from application.exam.ports.overseeing import WantedOverseen
from domain.auth.people import Actor
from domain.exam.connection import Connection
from domain.exam.refusals import ExamSessionNotFound
from entrypoints.http.exam.filters import OnlyPackage, OnlyStatuses, statuses_of
from entrypoints.http.exam.interventions import ADMINS, ONE
from entrypoints.http.exam.oversight_bodies import (
    ExamAnswerEntryPage,
    ExamSessionDetail,
    ListedExamSessionPage,
    OverseenExamEventPage,
    answer_entry_body,
    detail_body,
    listed_body,
    overseen_event_body,
)
from entrypoints.http.fields import EARLIEST, LATEST
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.refusals import invalid
from entrypoints.http.requests import ApiRequest

_ONE: Final = {"callers": ADMINS, "refusals": (ExamSessionNotFound,)}


@get(
    "/admin/exam-sessions",
    summary="List everybody's exam sessions",
    operation_id="listAllExamSessions",
    opt={"callers": ADMINS},
)
async def list_sessions(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_overseen_sessions: Injected[ListOverseenSessions],
    exam_package_id: OnlyPackage = None,
    statuses: OnlyStatuses = None,
    user_id: Annotated[
        str | None, QueryParameter(name="userId", max_length=64, description="Only of this student")
    ] = None,
    connection: Annotated[
        Connection | None, QueryParameter(description="Only with this connection; `none`: those that are not active")
    ] = None,
    flagged: Annotated[
        bool | None, QueryParameter(description="Only with a flag that is not resolved, or only without one")
    ] = None,
    since: Annotated[
        datetime | None, QueryParameter(name="from", description="Only made from this time on, written with its zone")
    ] = None,
    until: Annotated[
        datetime | None, QueryParameter(name="to", description="Only made before this time, written with its zone")
    ] = None,
) -> Response[ListedExamSessionPage]:
    """Exam sessions of everybody, the newest first. What time has ended is told so, and found so within a minute."""
    wanted = WantedOverseen(
        statuses=statuses_of(statuses),
        exam_package_id=exam_package_id,
        user_id=user_id,
        connection=connection,
        flagged=flagged,
        since=_moment("from", since),
        until=_moment("to", until),
    )
    after = paging.after(datetime, str, str)
    place = None if after is None else (after[0], after[1], after[2])
    found = await list_overseen_sessions(actor, wanted, place, paging.limit + 1)
    return page(request, paging, found, key=_key, item=listed_body, body=ListedExamSessionPage)


@get(ONE, summary="Read somebody's exam session", operation_id="getUserExamSession", opt=_ONE)
async def read_one(
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    read_overseen_session: Injected[ReadOverseenSession],
) -> ExamSessionDetail:
    """A session with its slots, answers, marks, grades, flags, and who did what to it; without texts and keys."""
    return detail_body(await read_overseen_session(actor, user_id, session_id))


@get(f"{ONE}/events", summary="List the events of an exam", operation_id="listExamSessionEvents", opt=_ONE)
async def list_events(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_session_events: Injected[ListSessionEvents],
    type_: Annotated[
        str | None, QueryParameter(name="type", max_length=64, description="Only events of this type")
    ] = None,
) -> Response[OverseenExamEventPage]:
    """What happened in a session, the latest first: what its student's browser told, staff did, or time brought."""
    (before,) = paging.after(int) or (None,)
    found = await list_session_events(actor, user_id, session_id, type_, before, paging.limit + 1)
    return page(
        request,
        paging,
        found,
        key=lambda view: (view.position,),
        item=overseen_event_body,
        body=OverseenExamEventPage,
    )


@get(f"{ONE}/answers", summary="Read every answer of an exam", operation_id="listExamAnswerHistory", opt=_ONE)
async def list_answers(
    request: ApiRequest,
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_answer_history: Injected[ListAnswerHistory],
    slot: Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1, description="Only answers to this question")] = None,
) -> Response[ExamAnswerEntryPage]:
    """Every answer that was accepted, in the order in which they came: also those that were changed afterwards."""
    (after,) = paging.after(int) or (0,)
    found = await list_answer_history(actor, user_id, session_id, slot, after, paging.limit + 1)
    return page(
        request, paging, found, key=lambda view: (view.position,), item=answer_entry_body, body=ExamAnswerEntryPage
    )


def _key(row: OverseenRow) -> tuple[datetime, str, str]:
    session = row.overseen.session
    return session.created_at, row.overseen.user_id, session.id


def _moment(name: str, value: datetime | None) -> datetime | None:
    if value is not None and (value.tzinfo is None or not EARLIEST <= value < LATEST):
        raise invalid(f"?{name}", "out_of_range", "Expected a time from 2000 to 2100, with its zone")
    return value


handlers: Sequence[ControllerRouterHandler] = [list_sessions, read_one, list_events, list_answers]

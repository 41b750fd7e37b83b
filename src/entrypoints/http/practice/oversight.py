"""Practice over HTTP, as administrators see to it: routes."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.practice.invalidating import InvalidatePractice
from application.practice.overseeing import ListPracticeSessionsOf, OverseePractice
from application.practice.ports.reading import WantedSessions
from domain.auth.people import Actor, Role, UserNotFound
from domain.practice.refusals import PracticeFinished, PracticeSessionNotFound
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.practice.bodies import (
    OverseenPracticeSession,
    OverseenPracticeSessionWithSlots,
    PracticeSessionPage,
    overseen_body,
    overseen_slots_body,
    session_body,
)
from entrypoints.http.practice.sessions import OnlyPackage, OnlyStates
from entrypoints.http.practice.wishes import InvalidatePracticeRequest
from entrypoints.http.requests import ApiRequest


@get(
    "/admin/users/{user_id:str}/practice-sessions",
    summary="List a person's practice sessions",
    operation_id="listUserPracticeSessions",
    opt={"callers": (Role.ADMIN,), "refusals": (UserNotFound,)},
)
async def list_of_user(
    request: ApiRequest,
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_practice_sessions_of: Injected[ListPracticeSessionsOf],
    exam_package_id: OnlyPackage = None,
    statuses: OnlyStates = None,
) -> Response[PracticeSessionPage]:
    """The practice sessions of a person, the newest first, as the person lists them."""
    (before_id,) = paging.after(str) or (None,)
    wanted = WantedSessions(exam_package_id=exam_package_id, statuses=tuple(statuses or ()))
    found = await list_practice_sessions_of(actor, user_id, wanted, before_id, paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=session_body, body=PracticeSessionPage)


@get(
    "/admin/practice-sessions/{user_id:str}/{session_id:str}",
    summary="Read a person's practice session",
    operation_id="getUserPracticeSession",
    opt={"callers": (Role.ADMIN,), "refusals": (PracticeSessionNotFound,)},
)
async def read_of_user(
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    oversee_practice: Injected[OverseePractice],
) -> OverseenPracticeSessionWithSlots:
    """A practice session with what became of each question, without their texts and keys.

    How answers are judged is told here while it is deferred for the student.
    """
    return overseen_slots_body(await oversee_practice(actor, user_id, session_id))


@post(
    "/admin/practice-sessions/{user_id:str}/{session_id:str}/invalidate",
    summary="Declare a practice session void",
    operation_id="invalidatePracticeSession",
    status_code=200,
    opt={"callers": (Role.ADMIN,), "refusals": (PracticeSessionNotFound, PracticeFinished)},
)
async def invalidate_session(
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[InvalidatePracticeRequest],
    invalidate_practice: Injected[InvalidatePractice],
) -> OverseenPracticeSession:
    """Declare a session void before its end: its answers count for nothing, and what they counted is taken back.

    Doing it again changes nothing and keeps the first reason.
    """
    return overseen_body(await invalidate_practice(actor, user_id, session_id, data.reason.strip()))


handlers: Sequence[ControllerRouterHandler] = [list_of_user, read_of_user, invalidate_session]

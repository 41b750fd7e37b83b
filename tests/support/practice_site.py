"""Practice over HTTP for tests: the served application on a cloned database. A header tells who calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from litestar import Request
from litestar.di import Provide
from litestar.types import Scope

from adapters.postgres.database import Database
from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from application.ports import Clock, IdGenerator
from application.practice.answering import AnswerQuestion
from application.practice.invalidating import InvalidatePractice
from application.practice.overseeing import ListPracticeSessionsOf, OverseePractice
from application.practice.reading import ListPracticeSessions, ReadPracticeSession, ReviewPractice, SummarisePractice
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.progress.repeating import ScheduleReviews
from domain.auth.people import Actor, Role
from entrypoints.http.practice import oversight, sessions
from tests.support.http import StubArea, build_app, client_of
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, STUDENT, PostgresWorld, offers

SESSIONS = "/practice-sessions"


def _actor(request: Request[Any, Any, Any]) -> Actor:
    role = Role(request.headers.get("x-role", Role.STUDENT))
    return Actor(user_id=request.headers.get("x-caller", STUDENT.user_id), role=role, session_id="ses_1")


def _caller(scope: Scope) -> Actor:
    return _actor(Request(scope))


@dataclass
class Site:
    """The served application, and the world behind it."""

    client: httpx.AsyncClient
    world: PostgresWorld
    clock: SettableClock

    async def create(self, *, key: str | None = None, **body: Any) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return await self.client.post(SESSIONS, json={"examPackageId": PACKAGE} | body, headers=headers)

    async def begin(self, **body: Any) -> dict[str, Any]:
        created = await self.create(**body)
        assert created.status_code == 201, created.text
        session: dict[str, Any] = created.json()
        return session

    async def answer(self, session: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.client.post(f"{SESSIONS}/{session['id']}/answers", json=body)

    async def move(self, session: dict[str, Any], command: str) -> httpx.Response:
        return await self.client.post(f"{SESSIONS}/{session['id']}/{command}")

    async def read(self, session: dict[str, Any], what: str = "") -> dict[str, Any]:
        answer = await self.client.get(f"{SESSIONS}/{session['id']}{what}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@asynccontextmanager
async def site_of(
    cloned: ClonedDatabase, database: Database, ids: IdGenerator, clock: SettableClock
) -> AsyncIterator[Site]:
    """A site with one package of three questions, in which one student is enrolled."""
    practice = StubArea(handlers=[*sessions.handlers, *oversight.handlers])
    known = {"actor": Provide(_actor, sync_to_thread=False), "caller": Provide(_caller, sync_to_thread=False)}
    callers = StubArea(dependencies=known)
    served = _use_cases(database, ids, clock)
    providers: dict[str, Any] = {name: (lambda use_case=use_case: use_case) for name, use_case in served.items()}
    world = PostgresWorld(cloned, PostgresTransaction(database, PostgresPracticeWork, ids, clock))
    world.offer(offers(3, topic_id="top_risk"))
    world.enroll(STUDENT.user_id)
    async with client_of(build_app(practice, callers, **providers)) as client:
        yield Site(client, world, clock)


def _use_cases(database: Database, ids: IdGenerator, clock: Clock) -> dict[str, object]:
    transact = PostgresTransaction(database, PostgresPracticeWork, ids, clock)
    reader = PostgresPracticeReader(database, clock)
    return {
        "create_practice_session": CreatePracticeSession(
            ids=ids, transact=transact, schedule_reviews=ScheduleReviews(FsrsScheduler())
        ),
        "answer_question": AnswerQuestion(transact=transact, quick=PostgresQuickAnswers(database, clock)),
        "invalidate_practice": InvalidatePractice(transact=transact),
        "list_practice_sessions_of": ListPracticeSessionsOf(practice=reader),
        "oversee_practice": OverseePractice(practice=reader),
        "pause_practice": PausePractice(transact),
        "resume_practice": ResumePractice(transact),
        "finish_practice": FinishPractice(transact),
        "read_practice_session": ReadPracticeSession(reader),
        "list_practice_sessions": ListPracticeSessions(reader),
        "review_practice": ReviewPractice(reader),
        "summarise_practice": SummarisePractice(reader),
    }

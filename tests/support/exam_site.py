"""Exams through the whole application, at the time that a test wants: packages, students who sit exams, and staff."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import httpx
from dependency_injector import providers

from adapters.postgres.transaction import PostgresTransaction
from application.ports import Clock
from entrypoints.container import Container
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD, WholeSite, whole_site_of

SESSIONS: Final = "/exam-sessions"
OVERSEEN: Final = "/admin/exam-sessions"
DURATION: Final = 3600
RIGHT: Final = {"choiceIds": ["B"]}
WRONG: Final = {"choiceIds": ["A"]}
"""Of the questions of `whole_site`: the right option is always B."""


@dataclass
class MovingClock(Clock):
    """The real time and so much more: tests move it on, and requests take the time that they take."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class ExamSite:
    """The whole application. Everything about exams happens at `clock`; sessions at the door go by the real time."""

    whole: WholeSite
    clock: MovingClock
    bank: str
    people: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def database(self) -> ClonedDatabase:
        return self.whole.database

    async def ask(self, method: str, path: str, person: str | None = "student", **options: Any) -> httpx.Response:
        return await self.whole.ask(method, path, person, **options)

    def later(self, **by: float) -> datetime:
        """Moves the time of exams on by what `timedelta` takes; gives the new one."""
        self.clock.ahead += timedelta(**by)
        return self.clock.now()

    async def person(self) -> str:
        """The name of a student who is new here."""
        name = f"candidate{next(self._numbers)}"
        body = {"email": f"{name}@example.org", "password": PASSWORD, "delivery": "body"}
        answer = await self.whole.client.post("/student/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        self.whole.tokens[name] = answer.json()["accessToken"]
        self.people[name] = answer.json()["user"]["id"]
        return name

    def id_of(self, person: str) -> str:
        if person not in self.people:
            row = self.database.keeper.execute(
                "select id from users where email = %s", (f"{person}@example.org",)
            ).fetchone()
            assert row is not None
            self.people[person] = row[0]
        return self.people[person]

    async def package(self, *, duration: int | None = DURATION, **settings: Any) -> str:
        """A package of the questions of `sums`; `settings` are camelCase, as they are sent."""
        slug = f"exam-{next(self._numbers)}"
        body = {
            "slug": slug,
            "title": slug.title(),
            "durationSeconds": duration,
            "questionBankIds": [self.bank],
            "settings": {"shuffleQuestions": False, "shuffleOptions": False} | settings,
        }
        answer = await self.ask("POST", "/admin/exam-packages", "admin", json=body)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    async def enroll(self, package: str, person: str = "student") -> None:
        answer = await self.ask("POST", "/student/enrollments", person, json={"examPackageId": package})
        assert answer.status_code == 201, answer.text

    async def start(self, package: str, person: str = "student", key: str | None = None) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return await self.ask("POST", SESSIONS, person, json={"examPackageId": package}, headers=headers)

    async def begin(
        self, person: str = "student", *, duration: int | None = DURATION, **settings: Any
    ) -> dict[str, Any]:
        """A session in a package of its own, with its paper, begun just now."""
        package = await self.package(duration=duration, **settings)
        await self.enroll(package, person)
        answer = await self.start(package, person)
        assert answer.status_code == 201, answer.text
        session: dict[str, Any] = answer.json()
        return session

    async def act(
        self,
        session: Mapping[str, Any],
        what: str,
        body: Any = None,
        *,
        person: str = "student",
        key: str | None = None,
    ) -> httpx.Response:
        """`POST /exam-sessions/{id}/{what}`."""
        headers = {"idempotency-key": key} if key else {}
        return await self.ask("POST", f"{SESSIONS}/{session['id']}/{what}", person, json=body, headers=headers)

    async def save(
        self,
        session: Mapping[str, Any],
        slot: int = 1,
        response: Any = RIGHT,
        base: int = 0,
        *,
        person: str = "student",
        **more: Any,
    ) -> httpx.Response:
        """An answer to a question."""
        body = {"response": response, "baseRevision": base} | more
        return await self.ask("PUT", f"{SESSIONS}/{session['id']}/answers/{slot}", person, json=body)

    async def read(self, session: Mapping[str, Any], what: str = "", person: str = "student") -> dict[str, Any]:
        """The session, or with `/paper` or `/result` that of it."""
        answer = await self.ask("GET", f"{SESSIONS}/{session['id']}{what}", person)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def oversee(
        self, session: Mapping[str, Any], command: str, *, person: str = "student", key: str | None = None, **body: Any
    ) -> httpx.Response:
        """`POST /admin/exam-sessions/{userId}/{id}/{command}` of an administrator, about a session of `person`."""
        path = f"{OVERSEEN}/{self.id_of(person)}/{session['id']}/{command}"
        headers = {"idempotency-key": key} if key else {}
        return await self.ask("POST", path, "admin", json=body, headers=headers)

    def status(self, session: Mapping[str, Any]) -> str:
        """As it is written down."""
        found: str = self.value("select status from exam_sessions where id = %s", session["id"])
        return found

    def value(self, query: str, *parameters: object) -> Any:
        row = self.database.keeper.execute(query.encode(), parameters).fetchone()
        return row and row[0]


@asynccontextmanager
async def exam_site_of(database: ClonedDatabase, **settings: Any) -> AsyncIterator[ExamSite]:
    """Those of the whole site (`student`, `stranger`, `instructor`, `admin`), and a bank of six published questions."""
    async with whole_site_of(database, **settings) as whole:
        yield exam_site(whole)


def exam_site(whole: WholeSite) -> ExamSite:
    """The same in a whole site that is there already."""
    clock = MovingClock()
    _set_clock(whole.container, clock)
    row = whole.database.keeper.execute("select id from question_banks where slug = 'sums'").fetchone()
    assert row is not None
    return ExamSite(whole, clock, row[0])


def _set_clock(container: Container, clock: Clock) -> None:
    """Into every transaction on exams, and every adapter of exams that can be told the time."""
    for provider in container.providers.values():
        if isinstance(provider, providers.Singleton) and _is_of_exams(provider):
            provider.add_kwargs(clock=clock)
            provider.reset()


def _is_of_exams(provider: providers.Singleton[Any]) -> bool:
    made = provider.cls
    if made is PostgresTransaction:
        return any(".exam." in getattr(each, "__module__", "") for each in provider.args)
    return ".exam." in getattr(made, "__module__", "") and "clock" in inspect.signature(made).parameters

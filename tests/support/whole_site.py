"""The whole application as it is served, on a database of the test's own, with people in it who ask it things."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import httpx
from dependency_injector import providers

from adapters.security.passwords import ArgonPasswordHasher
from application.auth.registering import NewUser
from application.enrollment.defining import PackageOutline
from application.exam.monitoring import MonitorTerms
from application.question_bank.imports import ImportOrder
from application.question_bank.ports.importing import FileOptions
from domain.auth.people import Role
from entrypoints.container import Container
from entrypoints.http.app import Application, create_app
from entrypoints.http.logs import AccessLog
from entrypoints.settings import Settings
from tests.support.auth_http import CHEAP_HASHES
from tests.support.http import ORIGIN, LogLines
from tests.support.postgres import ClonedDatabase

SECRET: Final = "known-to-this-installation-of-the-tests"
PASSWORD: Final = "nine clouds over the hill"
# Occurs in every explanation and nowhere else, so that a leak is told from what may be seen.
SENTINEL: Final = "REVEALED-ONLY-AFTERWARDS"
QUESTIONS: Final = 6
_LETTERS = "abcd"
# All tests of a module come from one address within a minute. What is limited is tested where it is limited again.
_AS_OFTEN_AS_YOU_LIKE = 1_000_000
_UNHURRIED = {
    "sign_in_failures_per_minute": _AS_OFTEN_AS_YOU_LIKE,
    "registrations_per_ten_minutes": _AS_OFTEN_AS_YOU_LIKE,
    "mail_requests_per_ten_minutes": _AS_OFTEN_AS_YOU_LIKE,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, and who may be sent to ask for it."""

    method: str
    path: str
    described: dict[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        name: str = self.described["operationId"]
        return name

    @property
    def takes_json(self) -> bool:
        return "application/json" in self.described.get("requestBody", {}).get("content", {})

    @property
    def protected(self) -> bool:
        security: list[dict[str, list[str]]] = self.described["security"]
        return {} not in security

    @property
    def person(self) -> str:
        """Somebody whom the operation serves."""
        portal = self.path.split("/")[1]
        return portal if portal in {"instructor", "admin"} else "student"

    def at(self, **ids: str) -> str:
        """The path with these identifiers in it, and identifiers of nothing where none is given."""
        return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none_1"), self.path)


@dataclass
class WholeSite:
    """The application with its client, and the tokens of those who use it."""

    app: Application
    client: httpx.AsyncClient
    database: ClonedDatabase
    container: Container
    package: str = ""
    tokens: dict[str, str] = field(default_factory=dict)

    def speaking(self, person: str) -> dict[str, str]:
        """The header of somebody who is signed in."""
        return {"authorization": f"Bearer {self.tokens[person]}"}

    async def ask(self, method: str, path: str, person: str | None = None, **options: Any) -> httpx.Response:
        headers = {**(self.speaking(person) if person else {}), **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def practice(self, person: str = "student", **wishes: Any) -> dict[str, Any]:
        """A new practice session of somebody who is enrolled."""
        body = {"examPackageId": self.package} | wishes
        created = await self.ask("POST", "/practice-sessions", person, json=body)
        assert created.status_code == 201, created.text
        session: dict[str, Any] = created.json()
        return session

    def operations(self) -> Iterator[Operation]:
        """Every operation of the API, as its document tells them. The better-auth door has rules of its own, and
        tests of its own.
        """
        for path, item in self.app.document()["paths"].items():
            for method, found in item.items() if not path.startswith("/api/auth/") else ():
                yield Operation(method=method.upper(), path=path, described=found)

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return dict(self.database.keeper.execute(self._counting).fetchall())

    @cached_property
    def _counting(self) -> bytes:
        names = self.database.keeper.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
            # That somebody has asked is counted, whatever the answer.
            " and relname <> 'attempt_counters' order by 1"
        )
        return " union all ".join(f"""select '{name}', count(*) from "{name}" """ for (name,) in names).encode()


@asynccontextmanager
async def whole_site_of(database: ClonedDatabase, **settings: Any) -> AsyncIterator[WholeSite]:
    """Two students, an instructor, an admin; one package, in which both students are enrolled."""
    container = Container(
        settings=Settings(database_url=database.urls.app, secret_keys=(SECRET,), **_UNHURRIED | settings)
    )
    container.password_hasher.override(providers.Singleton(ArgonPasswordHasher, **CHEAP_HASHES))
    quotas = dict(container.quotas())
    unhurried = {name: replace(quotas[name], limit=_AS_OFTEN_AS_YOU_LIKE) for name in ("link", "import")}
    container.quotas.override(providers.Object(quotas | unhurried))
    # Whoever asks waits for the end of the answer, and the monitor of exams has none of its own.
    container.monitor_terms.override(providers.Object(MonitorTerms(watch_seconds=0.0)))
    app = create_app(container, log=AccessLog(LogLines().write))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        site = WholeSite(app, client, database, container)
        await _fill(site, container)
        yield site


async def _fill(site: WholeSite, container: Container) -> None:
    file = container.question_files().from_file("sums.csv", io.BytesIO(question_file().encode()), FileOptions())
    report = await container.import_questions()(None, ImportOrder(file=file, bank="sums", publish=True))
    assert report.created == QUESTIONS, report
    await container.define_package()(None, PackageOutline(slug="sums", title="Sums", banks=("sums",)))
    for role in (Role.INSTRUCTOR, Role.ADMIN):
        new = NewUser(role=role, email=f"{role}@example.org", password=PASSWORD, name=role.title(), email_verified=True)
        await container.ensure_user()(new)
        site.tokens[role] = await _token(site, f"/{role}/auth/login", email=new.email)
    site.package = (await site.client.get("/exam-packages")).json()["items"][0]["id"]
    for person in ("student", "stranger"):
        site.tokens[person] = await _token(site, "/student/auth/register", email=f"{person}@example.org")
        enrolled = await site.ask("POST", "/student/enrollments", person, json={"examPackageId": site.package})
        assert enrolled.status_code == 201, enrolled.text


async def _token(site: WholeSite, path: str, *, email: str) -> str:
    answer = await site.client.post(path, json={"email": email, "password": PASSWORD, "delivery": "body"})
    assert answer.is_success, answer.text
    token: str = answer.json()["accessToken"]
    return token


def question_file() -> str:
    """A file of questions with every kind of explanation; the right option is always B."""
    options = [f"option-{letter}" for letter in _LETTERS] + [f"explanation-{letter}" for letter in _LETTERS]
    lines = [",".join(["question-id", "question-text", *options, "explanation", "correct answer", "domain"])]
    for number in range(1, QUESTIONS + 1):
        texts = [f"{number} and {letter}" for letter in _LETTERS]
        texts += [f"{SENTINEL} {number}{letter}" for letter in (*_LETTERS, "all")]
        lines.append(",".join([f"q{number}", f"Question {number}?", *texts, "B", f"Topic {number % 2}"]))
    return "\n".join(lines)

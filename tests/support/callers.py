"""Callers who differ from a good one in a single respect, and an application that ends where its handlers begin."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import psycopg
from dependency_injector import providers
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.security.keys import Key, key_ring
from domain.auth.people import Role
from domain.auth.throttling import Attempts, Left, Quota, caller_key
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.areas import AREAS
from entrypoints.http.logs import AccessLog
from entrypoints.settings import Settings
from tests.support.http import LogLines, StubArea, told_in_detail
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import SECRET

RETIRED_SECRET: Final = "of-an-installation-that-has-put-it-aside"
ADMITTED: Final = "admitted"
Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and the template of a path."""

    method: str
    template: str

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def changes(self) -> bool:
        return self.method not in {"GET", "HEAD"}

    @property
    def path(self) -> str:
        """The path, where it needs identifiers with some of nothing."""
        return re.sub(r"\{\w+\}", "none_1", self.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person with one session. `header` and `claims` say what the token differs in from an honest one."""

    role: Role
    user_id: str
    session_id: str
    at: datetime
    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return sealed({**self.honest_header, **self.header}, {**self.honest_claims, **self.claims})

    @property
    def honest_header(self) -> Claims:
        return {"alg": "HS256", "typ": "at+jwt", "kid": _key(SECRET).id}

    @property
    def honest_claims(self) -> Claims:
        now = int(self.at.timestamp())
        times = {"auth_time": now, "iat": now, "nbf": now, "exp": now + 900}
        who = {"sub": self.user_id, "sid": self.session_id, "aud": str(self.role), "role": str(self.role)}
        return {"iss": "ace", "jti": "jti_1", **who, **times}


def sealed(header: Mapping[str, Any], claims: Mapping[str, Any], *, secret: str = SECRET, by: str = "sha256") -> str:
    """A token as its author wants it, under a true signature by the key that an installation makes of this secret."""
    text = f"{_part(header)}.{_part(claims)}"
    return f"{text}.{_encoded(hmac.digest(_key(secret).bytes, text.encode(), by))}"


def unsealed(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{_part(header)}.{_part(claims)}."


def retired_key_id() -> str:
    return _key(RETIRED_SECRET).id


def settle(
    keeper: psycopg.Connection, role: Role, name: str, *, user: str = "", session: str = "", **differences: Any
) -> Caller:
    """Makes a person with a session that was opened now. `user` and `session` are SQL that then changes the rows."""
    now = datetime.now(UTC)
    caller = Caller(role=role, user_id=f"usr_{role}_{name}", session_id=f"ses_{role}_{name}", at=now, **differences)
    row = {"user": caller.user_id, "session": caller.session_id, "role": str(role), "now": now}
    row |= {"idle": now + timedelta(days=7), "absolute": now + timedelta(days=30)}
    keeper.execute(
        "insert into users (id, email, role, password_hash, created_at, updated_at)"
        " values (%(user)s, %(user)s || '@example.org', %(role)s, '!', %(now)s, %(now)s)",
        row,
    )
    keeper.execute(
        "insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,"
        " absolute_expires_at) values"
        " (%(user)s, %(session)s, 'portal', %(role)s, %(now)s, %(now)s, %(now)s, %(idle)s, %(absolute)s)",
        row,
    )
    if user:
        keeper.execute(f"update users set {user} where id = %(user)s".encode(), row)
    if session:
        keeper.execute(f"update auth_sessions set {session} where user_id = %(user)s".encode(), row)
    return caller


def outcome(answer: httpx.Response) -> str:
    """Whether the handler was reached, or else the code of the refusal, which is a whole problem document."""
    if ADMITTED in answer.headers:
        return ADMITTED
    if "x-error-code" in answer.headers:
        return told_in_detail(answer)
    if answer.headers.get("content-type") != "application/problem+json":
        return f"answered {answer.status_code}"
    problem = answer.json()
    whole = {"type", "title", "status", "detail", "code", "instance"} <= set(problem)
    assert whole, problem
    assert problem["status"] == answer.status_code
    assert problem["instance"] == answer.headers["x-request-id"]
    assert (answer.status_code == 401) == ("www-authenticate" in answer.headers)
    return str(problem["code"])


class _Doorstep(ASGIMiddleware):
    """Answers instead of every handler, after whatever else stands before them."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        user_id = getattr(scope.get("user"), "user_id", "")
        headers = [(ADMITTED.encode(), user_id.encode() or b"nobody")]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _take_nothing(quota: Quota, caller: str) -> Left:
    """Nothing is counted of what is not done."""
    now = datetime.now(UTC)
    return quota.left(Attempts.none(caller_key(quota.name, caller), now), now)


@dataclass(frozen=True, slots=True)
class Wire:
    """Asks an application without a client in between: a matrix has ten thousand questions."""

    app: Any
    scheme: str = "http"

    async def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes = b"{}",
        sending: Callable[[], Awaitable[Any]] | None = None,
    ) -> httpx.Response:
        """`sending` is how the body comes, where it does not come at once."""
        path, _, query = target.partition("?")
        sent = {"host": "ace.test", "content-type": "application/json"} | dict(headers)
        answer: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            answer.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("ace.test", 80),
        }
        await self.app(scope, sending or receive, send)
        body = b"".join(message.get("body", b"") for message in answer[1:])
        return httpx.Response(answer[0]["status"], headers=answer[0]["headers"], content=body)

    async def outcome(self, route: Route, headers: Mapping[str, str], target: str = "") -> str:
        """What becomes of a request to this route, at another address if one is given."""
        return outcome(await self.ask(route.method, target or route.path, headers))


@asynccontextmanager
async def doorstep(database: ClonedDatabase, scheme: str = "http", **settings: Any) -> AsyncIterator[Wire]:
    """The whole application but for its handlers: who would reach one is told so, and nothing changes."""
    container = Container(settings=Settings(database_url=database.urls.app, secret_keys=(SECRET,), **settings))
    container.take_quota.override(providers.Object(_take_nothing))
    areas = (*AREAS, StubArea(middleware=[_Doorstep()]))
    app = create_app(container, areas, log=AccessLog(LogLines().write))
    async with app.lifespan():
        yield Wire(app, scheme)
    container.password_hasher().close()


def _key(secret: str) -> Key:
    return key_ring((secret,), "access-token")[0]


def _part(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps({name: each for name, each in value.items() if each is not ...}).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

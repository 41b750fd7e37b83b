"""What the log of security events tells, and what it must never tell."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from adapters.system.security_log import LOGGER, SecurityLog
from application.auth.events import AuthAct, AuthEvent, Outcome, account_of
from application.request_context import RequestContext, request_context
from domain.auth.people import Role
from entrypoints.http.app import Application
from entrypoints.http.logs import JsonFormatter
from tests.support.auth_builders import EMAIL, PASSWORD
from tests.support.auth_http import ADA, provided

LOGIN = "/student/auth/login"
EVERYTHING = {"time", "level", "logger", "message", "requestId"}


class Lines(logging.Handler):
    """What an operator finds in the log, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.written]

    def told(self) -> list[tuple[str, str]]:
        return [(event["event"], event["outcome"]) for event in self.events]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger(LOGGER)
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


async def test_one_line_tells_who_came_when_from_where_and_what_became_of_it(
    client: httpx.AsyncClient, lines: Lines
) -> None:
    registered = (await client.post("/student/auth/register", json=ADA)).json()
    answer = await client.post(LOGIN, json=ADA, headers={"x-request-id": "req-1", "user-agent": "Browser/1.0"})
    (_, event) = lines.events
    assert datetime.fromisoformat(event.pop("time")).utcoffset() == timedelta(0)
    session = event.pop("sessionId")
    assert session.startswith("ses_")
    assert event == {
        "level": "info",
        "logger": "ace.security",
        "message": "sign_in succeeded",
        "requestId": answer.headers["x-request-id"],
        "event": "sign_in",
        "outcome": "succeeded",
        "userId": registered["user"]["id"],
        "account": account_of(EMAIL),
        "portal": "student",
        "ip": "127.0.0.1",
        "userAgent": "Browser/1.0",
    }
    assert len(account_of(EMAIL)) == 16


async def test_each_outcome_is_told_once_and_no_secret_with_it(
    client: httpx.AsyncClient, app: Application, lines: Lines
) -> None:
    """No e-mail address, no password, right or wrong, and no token of any kind."""
    sentinels = [EMAIL, EMAIL.split("@", maxsplit=1)[0] + "%40", PASSWORD, "mistyped-secret", "nobody@example.org"]
    first = await client.post("/student/auth/register", json=ADA | {"delivery": "body", "name": "Ada"})
    sentinels += [first.json()[name] for name in ("accessToken", "refreshToken", "csrfToken")]
    client.cookies.clear()
    for number in range(6):
        await client.post(LOGIN, json={"email": EMAIL, "password": f"mistyped-secret {number}"})
    for number in range(25):
        await client.post(LOGIN, json={"email": f"nobody@example.org{number}.test", "password": "mistyped-secret"})
    await client.post("/admin/auth/login", json=ADA)
    await client.post("/student/auth/register", json=ADA)
    token = first.json()["accessToken"]
    await client.post("/student/auth/logout", headers={"authorization": f"Bearer {token}"})
    assert lines.told() == [
        ("register", "succeeded"),
        *[("sign_in", "wrong_credentials")] * 5,
        ("sign_in", "locked"),
        *[("sign_in", "wrong_credentials")] * 24,
        *[("sign_in", "throttled")] * 2,
        ("register", "refused"),
        ("sign_out", "succeeded"),
    ]
    text = "\n".join(lines.written)
    assert not [sentinel for sentinel in sentinels if sentinel in text]
    assert isinstance(provided(app, "auth_events"), SecurityLog)


@pytest.mark.parametrize("user_agent", ['evil\r\n{"event": "sign_in"}', "\x1b[2J\u2028\x85 \0", "x" * 5_000])
def test_no_client_writes_a_line_of_its_own(lines: Lines, user_agent: str) -> None:
    token = request_context.set(RequestContext(request_id="req-1", ip="192.0.2.7", user_agent=user_agent))
    SecurityLog().record(AuthEvent(act=AuthAct.SIGN_IN, outcome=Outcome.LOCKED, account="0" * 16, portal=Role.ADMIN))
    request_context.reset(token)
    (line,) = lines.written
    assert line.isprintable()
    assert len(line) < 1_000
    told = lines.events[0]["userAgent"]
    assert len(told) == min(len(user_agent), 400)
    assert all(told_as in (sent, "\ufffd") for told_as, sent in zip(told, user_agent, strict=False))


def test_what_is_not_known_is_left_out(lines: Lines) -> None:
    SecurityLog().record(AuthEvent(act=AuthAct.SESSIONS_REVOKED))
    assert set(lines.events[0]) == EVERYTHING - {"requestId"} | {"event", "outcome"}

"""What browsers are told: cookies and headers, in full, so that a change of any of them shows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import httpx
import pytest

from adapters.postgres.enrollment.packages import PostgresPackageReader
from domain.errors import StoreUnavailable
from tests.support.auth_http import ADA, browser, serving
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import WholeSite, whole_site_of

_OWN = {"origin": "https://ace.test"}
_FRIEND = "https://pages.school.test"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
}


@pytest.fixture(scope="module")
async def secured(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """The whole application, reached by https, with one other origin that is allowed."""
    async with whole_site_of(module_database, public_url="https://ace.test", cors_origins=(_FRIEND,)) as site:
        yield site


def without_values(answer: httpx.Response) -> list[str]:
    return [re.sub("=[^;]+", "=…", line, count=1) for line in answer.headers.get_list("set-cookie")]


async def test_asvs_3_3_1_and_3_3_2_and_3_3_4_cookies_under_https(secured: WholeSite) -> None:
    async with browser(secured.app, "https://ace.test") as secure:
        await _come_and_go(secure)


async def _come_and_go(secure: httpx.AsyncClient) -> None:
    registered = await secure.post("/student/auth/register", json=ADA, headers=_OWN)
    assert registered.status_code == 201
    granted = [
        "__Host-ace_access=…; Path=/; SameSite=Lax; Secure; HttpOnly",
        "__Host-ace_refresh=…; Path=/; SameSite=Lax; Secure; HttpOnly",
        "__Host-ace_csrf=…; Path=/; SameSite=Lax; Secure",
    ]
    assert without_values(registered) == granted
    refreshed = await secure.post("/student/auth/refresh", headers=_OWN)
    assert without_values(refreshed) == granted
    for answer in (registered, refreshed):
        assert "refreshToken" not in answer.json()
        assert answer.cookies["__Host-ace_refresh"] not in answer.text
    csrf = {"x-csrf-token": refreshed.json()["csrfToken"]}
    left = await secure.post("/student/auth/logout", headers=_OWN | csrf)
    assert left.headers.get_list("set-cookie") == [
        "__Host-ace_access=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly",
        "__Host-ace_refresh=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly",
        "__Host-ace_csrf=; Max-Age=0; Path=/; SameSite=Lax; Secure",
    ]


async def test_asvs_3_4_1_and_3_4_3_and_3_4_4_and_3_4_5_and_3_4_6_headers_of_every_answer(
    secured: WholeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of a request: done, refused at every layer, unavailable, broken."""
    answers = {
        200: await secured.ask("GET", "/student/auth/me", "student"),
        401: await secured.ask("GET", "/student/auth/me"),
        403: await secured.ask("GET", "/admin/auth/me", "student"),
        404: await secured.ask("GET", "/nowhere"),
        405: await secured.ask("GET", "/student/auth/login"),
        415: await secured.ask("POST", "/student/auth/login", content=b"a=b"),
        422: await secured.ask("POST", "/student/auth/login", json={}),
    }
    for status, error in ((503, StoreUnavailable), (500, ZeroDivisionError)):
        monkeypatch.setattr(PostgresPackageReader, "visible_packages", AsyncMock(side_effect=error))
        answers[status] = await secured.ask("GET", "/exam-packages")
    assert [answer.status_code for answer in answers.values()] == list(answers)
    for answer in answers.values():
        assert {name: answer.headers.get(name) for name in _HEADERS} == _HEADERS, answer.status_code


async def test_asvs_3_4_2_other_origins_read_only_by_name(secured: WholeSite) -> None:
    told = {
        origin: (await secured.ask("GET", "/student/auth/me", "student", headers={"origin": origin})).headers
        for origin in (_FRIEND, "https://evil.test", f"{_FRIEND}.evil.test", "null", _FRIEND.upper())
    }
    assert {origin: headers.get("access-control-allow-origin") for origin, headers in told.items()} == {
        origin: _FRIEND if origin == _FRIEND else None for origin in told
    }
    assert {headers["vary"] for headers in told.values()} == {"Origin"}


_FORGED = {
    "x-forwarded-for": "203.0.113.9",
    "forwarded": "for=203.0.113.9;proto=https",
    "x-real-ip": "203.0.113.9",
    "x-client-ip": "203.0.113.9",
    "true-client-ip": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.test",
}


async def test_asvs_4_1_3_and_15_3_4_nobody_says_where_they_come_from(cloned: ClonedDatabase) -> None:
    """Neither the session nor the counters nor the scheme follow what an untrusted peer writes."""
    async with serving(cloned, []) as app, browser(app) as client:
        registered = await client.post("/student/auth/register", json=ADA, headers=_FORGED)
        assert registered.status_code == 201
        assert "Secure" not in str(registered.headers.get_list("set-cookie"))
        assert "strict-transport-security" not in registered.headers
        await client.post("/student/auth/login", json=ADA | {"password": "not the password"}, headers=_FORGED)
    assert cloned.keeper.execute("select ip from auth_sessions").fetchall() == [("127.0.0.1",)]
    counted = cloned.keeper.execute("select key from attempt_counters").fetchall()
    assert counted
    assert not [key for (key,) in counted if "203.0.113" in key]

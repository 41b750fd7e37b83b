"""The better-auth door in production: how often one client may ask, on whichever replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NoReturn

import httpx
import pytest
from dependency_injector import providers

from application.auth.throttling import TakeQuota
from domain.errors import StoreUnavailable
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.logs import AccessLog
from entrypoints.settings import BetterAuthSettings, Environment, Settings
from tests.support.auth_builders import SECRET
from tests.support.auth_http import browser
from tests.support.postgres import ClonedDatabase

BASE = "/api/auth"
SIGN_IN = f"{BASE}/sign-in/email"


@asynccontextmanager
async def replica(
    database: ClonedDatabase, take_quota: TakeQuota | None = None, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A server whose door counts, and a client of it."""
    chosen: dict[str, Any] = {
        "better_auth": BetterAuthSettings(rate_limit=True),
        "trusted_proxies": ("127.0.0.1",),
    } | settings
    container = Container(settings=Settings(database_url=database.urls.app, secret_keys=(SECRET,), **chosen))
    if take_quota is not None:
        container.take_quota.override(providers.Object(take_quota))
    app = create_app(container, (), log=AccessLog(lambda _: None))
    async with app.lifespan(), browser(app) as client:
        yield client


@pytest.fixture
async def two(cloned: ClonedDatabase) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(replica(cloned)) for _ in range(2)]


def from_address(ip: str) -> dict[str, str]:
    return {"x-forwarded-for": ip}


async def test_the_fourth_request_is_refused_whatever_it_says_and_whoever_is_asked(
    two: list[httpx.AsyncClient],
) -> None:
    for number in range(3):
        assert (await two[number % 2].post(SIGN_IN, json={})).status_code == 400
    for client in two:
        answer = await client.post(SIGN_IN, content=b"{", headers={"cookie": "a=b"})
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
        assert answer.text == '{"message":"Too many requests. Please try again later."}'
        assert 9 <= int(answer.headers["x-retry-after"]) <= 10
        assert answer.headers["retry-after"] == answer.headers["x-retry-after"]


async def test_of_many_requests_at_once_three_are_heard(two: list[httpx.AsyncClient]) -> None:
    answers = await asyncio.gather(*(two[number % 2].post(SIGN_IN, json={}) for number in range(10)))
    assert sorted(answer.status_code for answer in answers) == [400] * 3 + [429] * 7


async def test_methods_and_slashes_at_the_end_count_alike(two: list[httpx.AsyncClient]) -> None:
    for method, path in (("GET", SIGN_IN), ("POST", f"{SIGN_IN}/"), ("DELETE", SIGN_IN)):
        assert (await two[0].request(method, path)).status_code == 404
    assert (await two[0].post(SIGN_IN, json={})).status_code == 429


async def test_other_addresses_and_other_paths_are_counted_by_themselves(two: list[httpx.AsyncClient]) -> None:
    for _ in range(3):
        await two[0].post(SIGN_IN, json={}, headers=from_address("2001:db8::1"))
    assert (await two[0].post(SIGN_IN, json={}, headers=from_address("2001:db8::2"))).status_code == 429
    assert (await two[0].post(SIGN_IN, json={}, headers=from_address("2001:db9::1"))).status_code == 400
    assert (await two[0].post(f"{BASE}/sign-up/email", json={}, headers=from_address("2001:db8::1"))).status_code == 400


async def test_mail_takes_a_minute(two: list[httpx.AsyncClient]) -> None:
    for path in ("/request-password-reset", "/send-verification-email"):
        for _ in range(3):
            assert (await two[0].post(BASE + path, json={})).status_code == 400
        answer = await two[0].post(BASE + path, json={})
        assert 59 <= int(answer.headers["x-retry-after"]) <= 60


async def test_paths_that_lead_nowhere_share_one_counter(two: list[httpx.AsyncClient], cloned: ClonedDatabase) -> None:
    for number in range(5):
        await two[0].get(f"{BASE}/nothing/{number}")
    counted = cloned.keeper.execute("select count(*), max(failures) from attempt_counters").fetchone()
    assert counted == (1, 5)


async def test_links_of_all_tokens_share_one_counter_that_names_none(
    two: list[httpx.AsyncClient], cloned: ClonedDatabase
) -> None:
    for number in range(4):
        await two[0].get(f"{BASE}/reset-password/token{number}")
    keys = [key for (key,) in cloned.keeper.execute("select key from attempt_counters").fetchall()]
    assert keys == ["door:127.0.0.1|/api/auth/reset-password/{token}"]


async def test_without_its_counters_the_door_answers_nothing(cloned: ClonedDatabase) -> None:
    async def unavailable(_: Any) -> NoReturn:
        raise StoreUnavailable

    async with replica(cloned, TakeQuota(transact=unavailable)) as client:
        answer = await client.get(f"{BASE}/ok")
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("environment", "chosen", "counts"),
    [
        (Environment.PRODUCTION, None, True),
        (Environment.DEVELOPMENT, None, False),
        (Environment.PRODUCTION, False, False),
    ],
)
async def test_requests_are_counted_in_production_unless_it_is_said_otherwise(
    cloned: ClonedDatabase, environment: Environment, chosen: bool | None, counts: bool
) -> None:
    settings: dict[str, Any] = {"better_auth": BetterAuthSettings(rate_limit=chosen), "environment": environment}
    async with replica(cloned, **settings, public_url="http://ace.test") as client:
        answers = [(await client.post(SIGN_IN, json={})).status_code for _ in range(4)]
        assert answers == [400, 400, 400, 429 if counts else 400]


async def test_in_production_errors_are_shown_by_the_start_page(cloned: ClonedDatabase) -> None:
    async with replica(cloned, environment=Environment.PRODUCTION, public_url="http://ace.test") as client:
        answer = await client.get(f"{BASE}/error", params={"error": "A", "error_description": "b c"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/?error=A&error_description=b+c")

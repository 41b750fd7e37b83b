"""Bearers at the better-auth door, through the whole application on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from entrypoints.http.app import Application
from entrypoints.settings import BetterAuthSettings
from tests.support.auth_http import browser, serving
from tests.support.door_http import BASE, CLEARED, Caller, caller_at, code, set_cookies
from tests.support.postgres import ClonedDatabase


@pytest.fixture
async def ada(app: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    """Ada's browser, signed in."""
    async with caller_at(app) as caller:
        await caller.sign_up()
        yield caller


@pytest.fixture
async def program(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client without cookies that says nothing of where it is."""
    async with browser(app) as client:
        yield client


async def signed_token(ada: Caller) -> str:
    return str((await ada.sign_in()).headers["set-auth-token"])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_alone_with_its_signature_or_encoded_opens_the_session(
    ada: Caller, program: httpx.AsyncClient, scheme: str
) -> None:
    signed = await signed_token(ada)
    for spelt in (signed, signed.partition(".")[0], quote(signed, safe="")):
        answer = await program.get(f"{BASE}/get-session", headers={"authorization": f"{scheme} {spelt}"})
        assert answer.json()["user"]["name"] == "Ada"
        assert set_cookies(answer) == []


@pytest.mark.parametrize(
    ("value", "cleared"), [("Bearer garbage", CLEARED), ("Bearer a.b", []), ("Bearer ", []), ("Basic YTpi", [])]
)
async def test_a_bearer_that_opens_nothing_clears_cookies_only_if_it_needs_no_signature(
    program: httpx.AsyncClient, value: str, cleared: list[str]
) -> None:
    answer = await program.get(f"{BASE}/get-session", headers={"authorization": value})
    assert (answer.status_code, answer.content, set_cookies(answer)) == (200, b"null", cleared)
    listed = await program.get(f"{BASE}/list-sessions", headers={"authorization": value})
    assert (listed.status_code, code(listed), set_cookies(listed)) == (401, "UNAUTHORIZED", cleared)


async def test_a_program_without_cookies_needs_no_origin(ada: Caller, program: httpx.AsyncClient) -> None:
    bearer = {"authorization": f"Bearer {await signed_token(ada)}"}
    answer = await program.post(f"{BASE}/revoke-sessions", headers=bearer)
    assert (answer.status_code, answer.json()) == (200, {"status": True})
    assert (await program.get(f"{BASE}/get-session", headers=bearer)).json() is None


async def test_a_program_signs_out_by_its_bearer(ada: Caller, program: httpx.AsyncClient) -> None:
    bearer = {"authorization": f"Bearer {await signed_token(ada)}"}
    assert (await program.post(f"{BASE}/sign-out", headers=bearer)).json() == {"success": True}
    assert await ada.session() is None


async def test_a_bearer_is_prolonged_and_told_in_a_header(
    ada: Caller, program: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    signed = await signed_token(ada)
    cloned.keeper.execute(b"update auth_sessions set idle_expires_at = idle_expires_at - interval '25 hours'")
    answer = await program.get(f"{BASE}/get-session", headers={"authorization": f"Bearer {signed}"})
    assert answer.headers["set-auth-token"] == signed
    assert answer.headers["access-control-expose-headers"] == "set-auth-token"


async def test_a_bearer_is_told_once_also_where_a_session_is_prolonged_and_handed_out_at_once(
    ada: Caller, program: httpx.AsyncClient, cloned: ClonedDatabase
) -> None:
    """Clients read a header that stands twice as one value, which would open nothing."""
    signed = await signed_token(ada)
    cloned.keeper.execute(b"update auth_sessions set idle_expires_at = idle_expires_at - interval '25 hours'")
    bearer = {"authorization": f"Bearer {signed}"}
    answer = await program.post(f"{BASE}/update-user", headers=bearer, json={"name": "Ada Lovelace"})
    assert answer.headers.get_list("set-auth-token") == [signed]
    assert answer.headers.get_list("access-control-expose-headers") == ["set-auth-token"]


async def test_where_bearers_are_off_they_open_nothing_and_are_not_told(module_database: ClonedDatabase) -> None:
    module_database.empty()
    settings = BetterAuthSettings(bearer=False)
    async with (
        serving(module_database, [], better_auth=settings) as app,
        caller_at(app) as ada,
        browser(app) as program,
    ):
        answer = await ada.sign_up()
        assert "set-auth-token" not in answer.headers
        bearer = {"authorization": f"Bearer {answer.json()['token']}"}
        unknown = await program.get(f"{BASE}/get-session", headers=bearer)
        assert (unknown.content, set_cookies(unknown)) == (b"null", [])
        assert await ada.session(headers={"authorization": "Bearer garbage"}) is not None

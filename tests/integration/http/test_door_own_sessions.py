"""Reading, listing and ending one's sessions at the better-auth door, through the whole application on PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from entrypoints.http.app import Application
from tests.support.auth_builders import PASSWORD
from tests.support.auth_http import browser
from tests.support.door_http import ADA, CLEARED, Caller, caller_at, code, set_cookies
from tests.support.postgres import ClonedDatabase

_NAME = "better-auth.session_token"
_SESSION = ["expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "id"]
_PROTECTED = [
    ("GET", "/list-sessions", None),
    ("POST", "/revoke-session", {"token": "x"}),
    ("POST", "/revoke-sessions", None),
    ("POST", "/revoke-other-sessions", None),
]


@pytest.fixture
async def caller(app: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    async with caller_at(app) as caller:
        yield caller


@pytest.fixture
async def ada(caller: Caller) -> Caller:
    """Ada's browser, signed in."""
    caller.client.headers["user-agent"] = "a phone"
    assert (await caller.sign_up()).status_code == 200
    return caller


async def ask(caller: Caller, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
    return await (caller.get(path, **options) if method == "GET" else caller.post(path, body, **options))


async def token_of(caller: Caller) -> str:
    token: str = (await caller.session())["session"]["token"]
    return token


def age(database: ClonedDatabase, days: str) -> None:
    """Every session was opened, and read for the last time, so much earlier."""
    database.keeper.execute(
        "update auth_sessions set (auth_time, created_at, last_seen_at, renewed_at, idle_expires_at,"
        " absolute_expires_at) = (auth_time - i, created_at - i, last_seen_at - i, renewed_at - i,"
        " idle_expires_at - i, absolute_expires_at - i) from (select %s::interval as i) as ago",
        (days,),
    )


async def test_a_session_is_told_with_its_person(ada: Caller) -> None:
    answer = await ada.get("/get-session")
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert list(body) == ["session", "user"]
    assert list(body["session"]) == _SESSION
    assert list(body["user"]) == ["name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"]
    assert body["session"]["userId"] == body["user"]["id"]
    assert (body["session"]["userAgent"], body["session"]["ipAddress"]) == ("a phone", "127.0.0.1")
    assert body["user"]["image"] is None
    assert re.fullmatch(r"[-\d]+T[:\d]+\.\d{3}Z", body["session"]["expiresAt"])
    assert set_cookies(answer) == []


@pytest.mark.parametrize("value", [None, "nonsense", f"{'a' * 32}.{'A' * 43}=", "a" * 32])
async def test_without_a_good_signature_there_is_no_session_and_nothing_to_clear(
    caller: Caller, value: str | None
) -> None:
    if value is not None:
        caller.client.cookies.set(_NAME, value)
    answer = await caller.get("/get-session")
    assert (answer.status_code, answer.content, set_cookies(answer)) == (200, b"null", [])
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    for method, path, body in _PROTECTED:
        refused = await ask(caller, method, path, body)
        assert (refused.status_code, code(refused), set_cookies(refused)) == (401, "UNAUTHORIZED", [])


async def test_the_un_encoded_spelling_is_read_and_an_unsigned_token_is_not(ada: Caller, app: Application) -> None:
    value = unquote(str(ada.client.cookies[_NAME]))
    async with browser(app) as client:
        for cookie, known in ((value, True), (f'"{value}"', True), (value.partition(".")[0], False)):
            answer = await client.get("/api/auth/get-session", headers={"cookie": f"{_NAME}={cookie}"})
            assert (answer.json() is not None) is known


async def test_the_cookie_of_a_dead_session_is_cleared(ada: Caller, cloned: ClonedDatabase) -> None:
    cookie = {"cookie": f"{_NAME}={ada.client.cookies[_NAME]}"}
    cloned.keeper.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'admin_revoked'")
    answer = await ada.get("/get-session", headers=cookie)
    assert (answer.status_code, answer.content, set_cookies(answer)) == (200, b"null", CLEARED)
    for method, path, body in _PROTECTED:
        refused = await ask(ada, method, path, body, headers=cookie)
        assert (refused.status_code, code(refused), set_cookies(refused)) == (401, "UNAUTHORIZED", CLEARED)


@pytest.mark.parametrize(
    "change",
    [
        "update users set status = 'disabled'",
        "update users set deleted_at = now()",
        "update users set role = 'instructor'",
        "update auth_sessions set idle_expires_at = now()",
    ],
)
async def test_asvs_7_4_2_whoever_may_not_use_it_any_more_has_no_session(
    ada: Caller, cloned: ClonedDatabase, change: str
) -> None:
    cloned.keeper.execute(change.encode())
    assert await ada.session() is None


async def test_reading_by_post_is_not_done(ada: Caller) -> None:
    answer = await ada.post("/get-session")
    assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")


async def test_a_reading_a_day_later_prolongs_the_session_and_sends_the_cookie_again(
    ada: Caller, cloned: ClonedDatabase
) -> None:
    first, cookie = await ada.session(), ada.client.cookies[_NAME]
    age(cloned, "23 hours 59 minutes")
    early = await ada.get("/get-session")
    assert set_cookies(early) == []
    age(cloned, "2 minutes")
    unchanged = await ada.get("/get-session", params={"disableRefresh": "true"})
    assert set_cookies(unchanged) == []
    answer = await ada.get("/get-session")
    assert set_cookies(answer) == [f"{_NAME}={cookie}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"]
    assert answer.headers["set-auth-token"] == unquote(cookie)
    session = answer.json()["session"]
    assert session["token"] == first["session"]["token"]
    assert session["expiresAt"] > first["session"]["expiresAt"] > unchanged.json()["session"]["expiresAt"]
    assert session["updatedAt"] > session["createdAt"]
    assert set_cookies(await ada.get("/get-session")) == []


async def test_asvs_7_3_2_nothing_prolongs_a_session_beyond_its_absolute_end(
    ada: Caller, cloned: ClonedDatabase
) -> None:
    for _ in range(4):
        age(cloned, "6 days 23 hours")
        assert await ada.session() is not None
    ends = cloned.keeper.execute("select created_at + interval '30 days' >= idle_expires_at from auth_sessions")
    assert ends.fetchone() == (True,)
    age(cloned, "2 days 4 hours")
    assert await ada.session() is None


async def test_a_session_that_is_not_to_be_remembered_lasts_a_day_and_is_not_prolonged(
    caller: Caller, cloned: ClonedDatabase
) -> None:
    await caller.sign_up(rememberMe=False)
    age(cloned, "23 hours 59 minutes")
    answer = await caller.get("/get-session")
    assert answer.json() is not None
    assert set_cookies(answer) == []
    age(cloned, "2 minutes")
    assert await caller.session() is None


async def test_asvs_7_3_1_a_session_that_nobody_reads_ends_after_a_week(ada: Caller, cloned: ClonedDatabase) -> None:
    age(cloned, "7 days")
    answer = await ada.get("/get-session")
    assert (answer.content, set_cookies(answer)) == (b"null", CLEARED)


async def test_of_many_readings_at_once_one_prolongs_and_all_are_answered(ada: Caller, cloned: ClonedDatabase) -> None:
    age(cloned, "2 days")
    answers = await asyncio.gather(*(ada.get("/get-session") for _ in range(6)))
    assert {answer.json()["session"]["expiresAt"] for answer in answers} == {answers[0].json()["session"]["expiresAt"]}
    assert [answer.status_code for answer in answers] == [200] * 6


async def test_a_list_has_the_sessions_of_every_door_the_oldest_first(ada: Caller, app: Application) -> None:
    async with browser(app) as portal, caller_at(app) as laptop:
        credentials = {"email": ADA["email"], "password": PASSWORD}
        assert (await portal.post("/student/auth/login", json=credentials)).status_code == 200
        laptop.client.headers["user-agent"] = "a laptop"
        await laptop.sign_in()
        listed = (await ada.get("/list-sessions")).json()
        own = (await ada.session())["session"]
        assert [list(each) for each in listed] == [_SESSION] * 3
        assert listed[0] == own
        assert [each["userAgent"] for each in listed][::2] == ["a phone", "a laptop"]
        assert [each["token"] for each in listed[1:]] == [each["id"] for each in listed[1:]]
        assert all(each["id"].startswith("ses_") for each in listed)
        assert await token_of(laptop) not in str(listed)


async def test_a_list_is_for_whoever_signed_in_lately(ada: Caller, cloned: ClonedDatabase) -> None:
    age(cloned, "23 hours 59 minutes")
    assert (await ada.get("/list-sessions")).status_code == 200
    age(cloned, "1 minute")
    answer = await ada.get("/list-sessions")
    assert (answer.status_code, code(answer)) == (403, "SESSION_NOT_FRESH")


@pytest.mark.parametrize("by", ["token", "id"])
async def test_another_one_of_ones_sessions_ends_by_its_token_or_by_its_id(
    ada: Caller, app: Application, cloned: ClonedDatabase, by: str
) -> None:
    async with caller_at(app) as laptop:
        await laptop.sign_in()
        handle = (await laptop.session())["session"][by]
        answer = await ada.post("/revoke-session", {"token": handle})
        assert (answer.status_code, answer.json(), set_cookies(answer)) == (200, {"status": True}, [])
        assert await laptop.session() is None
        assert await ada.session() is not None
    ended = cloned.keeper.execute("select revoke_reason from auth_sessions where revoked_at is not null")
    assert ended.fetchall() == [("revoked",)]


async def test_a_session_of_the_portal_ends_by_its_id(ada: Caller, app: Application) -> None:
    async with browser(app) as portal:
        await portal.post("/student/auth/login", json={"email": ADA["email"], "password": PASSWORD})
        handle = (await ada.get("/list-sessions")).json()[1]["token"]
        await ada.post("/revoke-session", {"token": handle})
        assert (await portal.get("/student/auth/me")).status_code == 401


@pytest.mark.parametrize("by", ["token", "id"])
async def test_ones_own_session_ends_as_by_a_sign_out(ada: Caller, cloned: ClonedDatabase, by: str) -> None:
    answer = await ada.post("/revoke-session", {"token": (await ada.session())["session"][by]})
    assert (answer.json(), set_cookies(answer)) == ({"status": True}, [])
    assert cloned.keeper.execute("select revoke_reason from auth_sessions").fetchall() == [("logout",)]
    assert await ada.session() is None


@pytest.mark.parametrize("by", ["token", "id"])
async def test_asvs_8_2_2_the_token_or_the_id_of_another_person_s_session_has_no_effect(
    ada: Caller, app: Application, by: str
) -> None:
    async with caller_at(app) as bob:
        await bob.sign_up(email="bob@example.org", name="Bob")
        answer = await ada.post("/revoke-session", {"token": (await bob.session())["session"][by]})
        unknown = await ada.post("/revoke-session", {"token": "ses_nobody"})
        assert answer.content == unknown.content == b'{"status":true}'
        assert (await bob.session())["user"]["name"] == "Bob"


async def test_a_revocation_without_a_token_is_refused(ada: Caller) -> None:
    answer = await ada.post("/revoke-session", {})
    assert (answer.status_code, code(answer)) == (400, "VALIDATION_ERROR")
    assert answer.json()["message"] == "[body.token] Invalid input: expected string, received undefined"


async def test_all_other_sessions_end_under_every_door(ada: Caller, app: Application) -> None:
    async with browser(app) as portal, caller_at(app) as laptop, caller_at(app) as bob:
        await portal.post("/student/auth/login", json={"email": ADA["email"], "password": PASSWORD})
        await laptop.sign_in()
        await bob.sign_up(email="bob@example.org")
        answer = await ada.post("/revoke-other-sessions")
        assert (answer.json(), set_cookies(answer)) == ({"status": True}, [])
        assert await laptop.session() is None
        assert (await portal.get("/student/auth/me")).status_code == 401
        assert await ada.session() is not None
        assert await bob.session() is not None


async def test_all_sessions_end_under_every_door(ada: Caller, app: Application) -> None:
    async with browser(app) as portal, caller_at(app) as bob:
        await portal.post("/student/auth/login", json={"email": ADA["email"], "password": PASSWORD})
        await bob.sign_up(email="bob@example.org")
        answer = await ada.post("/revoke-sessions")
        assert (answer.json(), set_cookies(answer)) == ({"status": True}, [])
        assert (await portal.get("/student/auth/me")).status_code == 401
        assert await ada.session() is None
        assert await bob.session() is not None


async def test_a_new_session_beyond_the_limit_ends_the_one_seen_least_lately(ada: Caller, app: Application) -> None:
    async with caller_at(app) as second, caller_at(app) as third, caller_at(app) as fourth:
        for each in (second, third, fourth):
            await each.sign_in()
        known = [await each.session() is not None for each in (ada, second, third, fourth)]
        assert known == [False, True, True, True]


async def test_where_the_limit_denies_a_further_session_is_refused(
    ada: Caller, app: Application, cloned: ClonedDatabase
) -> None:
    cloned.keeper.execute("insert into session_limits values ('role', 'student', 1, 'deny', now())")
    async with caller_at(app) as second:
        answer = await second.sign_in()
        assert (answer.status_code, code(answer), set_cookies(answer)) == (403, "SESSION_LIMIT_REACHED", [])
    assert await ada.session() is not None

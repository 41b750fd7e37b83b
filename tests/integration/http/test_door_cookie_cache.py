"""Copies of sessions in cookies at the better-auth door: what they spare, what they hide, where they do not count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from entrypoints.http.app import Application
from entrypoints.http.better_auth.cookie_cache import CookieCache
from entrypoints.settings import BetterAuthSettings
from tests.support.auth_http import provided, serving
from tests.support.door_http import CLEARED, Caller, caller_at, code, set_cookies
from tests.support.postgres import ClonedDatabase

_TOKEN, _COPY = "better-auth.session_token", "better-auth.session_data"
_DROPPED = f"{_COPY}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
_DEAD = "update auth_sessions set revoked_at = now(), revoke_reason = 'admin_revoked'"


@pytest.fixture(scope="module")
async def caching(module_database: ClonedDatabase) -> AsyncIterator[Application]:
    settings = BetterAuthSettings(cookie_cache_seconds=300)
    async with serving(module_database, [], better_auth=settings) as app:
        yield app


@pytest.fixture
async def ada(caching: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    """Ada's browser, signed in."""
    async with caller_at(caching) as caller:
        assert (await caller.sign_up()).status_code == 200
        yield caller


def with_copy_of(caller: Caller, copy: str) -> dict[str, str]:
    return {"cookie": f"{_TOKEN}={caller.client.cookies[_TOKEN]}; {_COPY}={copy}"}


async def test_a_copy_comes_with_the_session_and_is_read_in_its_place(ada: Caller, cloned: ClonedDatabase) -> None:
    stored = await ada.get("/get-session", params={"disableCookieCache": "true"})
    cloned.keeper.execute(b"update users set name = 'Countess'")
    copied = await ada.get("/get-session")
    assert copied.json() == stored.json()
    assert copied.json()["user"]["name"] == "Ada"
    assert set_cookies(copied) == []
    for part in ("session", "user"):
        assert next(iter(copied.json()[part])) == "id"
        assert list(stored.json()[part])[-1] == "id"


async def test_whoever_asks_for_the_store_gets_a_new_copy(ada: Caller, cloned: ClonedDatabase) -> None:
    cloned.keeper.execute(b"update users set name = 'Countess'")
    answer = await ada.get("/get-session", params={"disableCookieCache": "true"})
    assert answer.json()["user"]["name"] == "Countess"
    (line,) = set_cookies(answer)
    assert line.startswith(f"{_COPY}=ey")
    assert line.endswith("; Max-Age=300; Path=/; HttpOnly; SameSite=Lax")
    assert (await ada.session())["user"]["name"] == "Countess"
    kept = await ada.get("/get-session", params={"disableCookieCache": "1", "disableRefresh": "1"})
    assert set_cookies(kept) == []


async def test_what_was_revoked_stays_readable_in_its_copy_and_opens_nothing_that_matters(
    ada: Caller, cloned: ClonedDatabase
) -> None:
    cloned.keeper.execute(_DEAD.encode())
    assert await ada.session() is not None
    cookies = with_copy_of(ada, ada.client.cookies[_COPY])
    cleared = [CLEARED[0], CLEARED[1], CLEARED[1], CLEARED[2]]
    for path, body in (
        ("/revoke-session", {"token": "x"}),
        ("/revoke-sessions", None),
        ("/revoke-other-sessions", None),
    ):
        answer = await ada.post(path, body, headers=cookies)
        assert (answer.status_code, code(answer), set_cookies(answer)) == (401, "UNAUTHORIZED", cleared)
    answer = await ada.get("/get-session", params={"disableCookieCache": "true"}, headers=cookies)
    assert (answer.content, set_cookies(answer)) == (b"null", cleared)


async def test_a_list_of_sessions_is_not_shown_to_one_that_is_over(ada: Caller, cloned: ClonedDatabase) -> None:
    """The copy tells what it told; where else its person is signed in is asked of the store."""
    listed = await ada.get("/list-sessions")
    assert (listed.status_code, len(listed.json()), set_cookies(listed)) == (200, 1, [])
    cookies = with_copy_of(ada, ada.client.cookies[_COPY])
    assert (await ada.sign_in()).status_code == 200
    cloned.keeper.execute(f"{_DEAD} where id = %s", (listed.json()[0]["id"],))
    answer = await ada.get("/list-sessions", headers=cookies)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHORIZED")
    assert set(set_cookies(answer)) == set(CLEARED)


@pytest.mark.parametrize(("seconds", "known"), [(299, True), (301, False)])
async def test_a_copy_is_not_read_when_it_is_too_old(
    ada: Caller, cloned: ClonedDatabase, caching: Application, seconds: int, known: bool
) -> None:
    said = await ada.session("?disableCookieCache=true")
    cache = CookieCache(provided(caching, "door_signatures"), seconds=300)
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    copy = cache.write(said["session"], said["user"], then, remember=True)
    cloned.keeper.execute(_DEAD.encode())
    answer = await ada.get("/get-session", headers=with_copy_of(ada, copy))
    assert (answer.json() is not None) is known


async def test_a_forged_copy_is_dropped_and_replaced(ada: Caller) -> None:
    copy = ada.client.cookies[_COPY]
    answer = await ada.get("/get-session", headers=with_copy_of(ada, copy[:-8] + "A" * 8))
    dropped, line = set_cookies(answer)
    assert dropped == _DROPPED
    assert line.startswith(f"{_COPY}=ey")
    assert answer.json()["user"]["name"] == "Ada"


async def test_the_copy_of_another_session_is_dropped(ada: Caller, caching: Application) -> None:
    async with caller_at(caching) as bob:
        await bob.sign_up(email="bob@example.org", name="Bob")
        answer = await ada.get("/get-session", headers=with_copy_of(ada, bob.client.cookies[_COPY]))
        assert answer.json()["user"]["name"] == "Ada"
        assert set_cookies(answer)[0] == _DROPPED
        copy_alone = await bob.get("/get-session", headers={"cookie": f"{_COPY}={ada.client.cookies[_COPY]}"})
        assert (copy_alone.content, set_cookies(copy_alone)) == (b"null", [])


async def test_a_copy_until_the_browser_is_closed_has_no_age_and_is_good_for_a_minute(caching: Application) -> None:
    async with caller_at(caching) as caller:
        answer = await caller.sign_up(email="cleo@example.org", rememberMe=False)
        names = [line.partition("=")[0] for line in set_cookies(answer)]
        assert names == [_TOKEN, "better-auth.dont_remember", _COPY]
        assert not any("Max-Age" in line for line in set_cookies(answer))
        stored = await caller.get("/get-session", params={"disableCookieCache": "true"})
        assert set_cookies(stored) == []


async def test_a_sign_out_clears_every_piece_of_a_copy(ada: Caller) -> None:
    token = f"{_TOKEN}={ada.client.cookies[_TOKEN]}"
    answer = await ada.post("/sign-out", headers={"cookie": f"{token}; {_COPY}.0=a; {_COPY}.1=b"})
    names = [line.partition("=")[0] for line in set_cookies(answer)]
    assert names == [_TOKEN, _COPY, f"{_COPY}.0", f"{_COPY}.1", "better-auth.dont_remember"]


async def test_a_name_that_no_header_can_carry_is_not_answered(ada: Caller, cloned: ClonedDatabase) -> None:
    """Neither where a copy is written nor where it is cleared."""
    cookies = f"{_TOKEN}={ada.client.cookies[_TOKEN]}; {_COPY}.²=z".encode("latin-1")
    kept = await ada.get("/get-session", headers={b"cookie": cookies})
    assert (kept.status_code, [line.partition("=")[0] for line in set_cookies(kept)]) == (200, [_COPY])
    left = await ada.post("/sign-out", headers={b"cookie": cookies})
    assert (left.status_code, set_cookies(left)) == (200, CLEARED)


async def test_what_is_cleared_is_not_set_in_the_same_answer(ada: Caller) -> None:
    """Whoever reads the raw answer of a deletion finds no copy in it that was made while the session was looked up."""
    answer = await ada.post("/delete-user", {})
    assert answer.status_code == 200
    assert set_cookies(answer) == [CLEARED[0], CLEARED[1], CLEARED[1], CLEARED[2]]
    assert "set-auth-token" not in answer.headers


async def test_a_long_person_is_copied_in_pieces_and_read_from_them(
    caching: Application, cloned: ClonedDatabase
) -> None:
    async with caller_at(caching) as caller:
        caller.client.headers["user-agent"] = "x" * 400
        answer = await caller.sign_up(name="\U0001f600" * 200, image="https://pictures.test/" + "y" * 1_900)
        names = [line.partition("=")[0] for line in set_cookies(answer)]
        assert names == [_TOKEN, f"{_COPY}.0", f"{_COPY}.1"]
        assert all(len(line) <= 4_093 for line in set_cookies(answer))
        cloned.keeper.execute(_DEAD.encode())
        assert (await caller.session())["user"]["name"] == "\U0001f600" * 200


async def test_without_copies_one_that_comes_is_not_believed(
    ada: Caller, app: Application, cloned: ClonedDatabase
) -> None:
    """As after the setting was switched off: the signature is good, and the store decides."""
    cookies = with_copy_of(ada, ada.client.cookies[_COPY])
    async with caller_at(app) as plain:
        assert (await plain.get("/get-session", headers=cookies)).json() is not None
        cloned.keeper.execute(_DEAD.encode())
        assert (await plain.get("/get-session", headers=cookies)).json() is None


async def test_the_header_with_the_token_is_the_cookie_s_value(ada: Caller) -> None:
    answer = await ada.sign_in()
    assert answer.headers["set-auth-token"] == unquote(ada.client.cookies[_TOKEN])

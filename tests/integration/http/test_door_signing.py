"""Sign-up, sign-in and sign-out at the better-auth door, through the whole application on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from adapters.system.security_log import LOGGER
from application.auth.registering import NewUser
from domain.auth.people import Role
from entrypoints.http.app import Application
from tests.support.auth_builders import PASSWORD
from tests.support.auth_http import provided, serving
from tests.support.door_http import ADA, CLEARED, SECRET, Caller, caller_at, code, set_cookies
from tests.support.log_lines import JsonLines, logged
from tests.support.postgres import ClonedDatabase

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_WRONG = ("INVALID_EMAIL_OR_PASSWORD", 401)


@pytest.fixture
async def caller(app: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    async with caller_at(app) as caller:
        yield caller


@pytest.fixture
async def ada(caller: Caller) -> Caller:
    """Ada's browser, signed in."""
    assert (await caller.sign_up()).status_code == 200
    return caller


async def test_a_sign_up_makes_a_student_and_signs_in(caller: Caller, cloned: ClonedDatabase) -> None:
    answer = await caller.sign_up(
        email="Ada@Example.ORG", image="https://pictures.test/a.png", emailVerified=True, role="admin"
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert list(body) == ["token", "user"]
    assert list(body["user"]) == ["name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"]
    assert SECRET.fullmatch(body["token"])
    assert (body["user"]["email"], body["user"]["emailVerified"]) == ("ada@example.org", False)
    assert body["user"]["image"] == "https://pictures.test/a.png"
    assert _TIME.fullmatch(body["user"]["createdAt"])
    (line,) = set_cookies(answer)
    value, _, attributes = line.partition("; ")
    assert re.fullmatch(rf"better-auth\.session_token={body['token']}\.[A-Za-z0-9%]+%3D", value)
    assert attributes == "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    assert answer.headers["set-auth-token"].startswith(f"{body['token']}.")
    assert answer.headers["access-control-expose-headers"] == "set-auth-token"
    assert answer.headers["cache-control"] == "no-store"
    rows = cloned.keeper.execute("select role, door, remember from users join auth_sessions on user_id = users.id")
    assert rows.fetchall() == [("student", "cookie", True)]


async def test_the_store_has_the_hash_of_the_token_and_nothing_of_the_token(
    ada: Caller, cloned: ClonedDatabase
) -> None:
    token = (await ada.session())["session"]["token"]
    (row,) = cloned.keeper.execute("select token_hash = sha256(%s) from auth_refresh_tokens", (token.encode(),))
    assert row == (True,)
    tables = cloned.keeper.execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    for (table,) in tables.fetchall():
        found = cloned.keeper.execute(
            f'select count(*) from "{table}" t where t::text like %s'.encode(), (f"%{token}%",)
        )
        assert found.fetchone() == (0,), table


async def test_a_session_that_is_not_to_be_remembered_ends_with_the_browser(
    caller: Caller, cloned: ClonedDatabase
) -> None:
    answer = await caller.sign_up(rememberMe=False)
    token_line, remember_line = set_cookies(answer)
    assert re.fullmatch(r"better-auth\.session_token=[^;]+; Path=/; HttpOnly; SameSite=Lax", token_line)
    assert re.fullmatch(r"better-auth\.dont_remember=true\.[^;]+%3D; Path=/; HttpOnly; SameSite=Lax", remember_line)
    rows = cloned.keeper.execute("select absolute_expires_at - created_at = interval '1 day' from auth_sessions")
    assert rows.fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "1234567"}, "PASSWORD_TOO_SHORT"),
        ({"password": "x" * 129}, "PASSWORD_TOO_LONG"),
        ({"password": "😀" * 65}, "PASSWORD_TOO_LONG"),
        ({"password": "😀😀😀"}, "PASSWORD_TOO_SHORT"),
        ({"password": "password1"}, "PASSWORD_COMPROMISED"),
        ({"password": "ada@example.org"}, "PASSWORD_COMPROMISED"),
        ({"email": "nobody"}, "VALIDATION_ERROR"),
        ({"email": f"{'a' * 65}@example.org"}, "VALIDATION_ERROR"),
        ({"name": 7}, "VALIDATION_ERROR"),
        ({"name": "x" * 201}, "VALIDATION_ERROR"),
        ({"image": None}, "VALIDATION_ERROR"),
        ({"rememberMe": "yes"}, "VALIDATION_ERROR"),
        ({"password": ""}, "VALIDATION_ERROR"),
    ],
)
async def test_a_sign_up_that_breaks_a_rule_makes_nobody(
    caller: Caller, cloned: ClonedDatabase, change: dict[str, Any], expected: str
) -> None:
    answer = await caller.sign_up(**change)
    assert (answer.status_code, code(answer)) == (400, expected)
    assert set_cookies(answer) == []
    assert cloned.keeper.execute("select count(*) from users").fetchone() == (0,)


async def test_everything_that_is_wrong_with_a_body_is_told_in_its_order(caller: Caller) -> None:
    answer = await caller.post("/sign-up/email", {"name": 1, "email": "x", "password": ""})
    assert answer.json()["message"] == (
        "[body.name] Invalid input: expected string, received number; [body.email] Invalid email address; "
        "[body.password] Too small: expected string to have >=1 characters"
    )
    answer = await caller.post("/sign-up/email", [])
    assert answer.json()["message"] == (
        "[body] Invalid input: expected object, received array; [body] Invalid input: expected record, received array"
    )


async def test_an_address_in_use_is_told(ada: Caller) -> None:
    answer = await ada.sign_up(email="ADA@example.org")
    assert (answer.status_code, code(answer)) == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    assert answer.json()["message"] == "User already exists. Use another email."
    assert set_cookies(answer) == []


async def test_a_sign_in_tells_where_to_go(ada: Caller) -> None:
    answer = await ada.sign_in()
    body = answer.json()
    assert list(body) == ["redirect", "token", "user"]
    assert body["redirect"] is False
    assert "location" not in answer.headers
    answer = await ada.sign_in(callbackURL="/learn?day=1", email="ADA@example.org")
    assert list(answer.json()) == ["redirect", "token", "url", "user"]
    assert (answer.json()["redirect"], answer.json()["url"]) == (True, "/learn?day=1")
    assert (answer.status_code, answer.headers["location"]) == (200, "/learn?day=1")
    answer = await ada.sign_in(callbackURL="")
    assert (answer.json()["redirect"], answer.json()["url"]) == (False, "")
    assert "location" not in answer.headers


async def test_a_form_signs_in_too(ada: Caller) -> None:
    answer = await ada.post("/sign-in/email", data={"email": ADA["email"], "password": PASSWORD})
    assert answer.status_code == 200
    answer = await ada.post("/sign-in/email", data={"email": ADA["email"], "password": PASSWORD, "rememberMe": "false"})
    assert (answer.status_code, code(answer)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": "x" * 5_000},
        {"email": "nobody@example.org"},
        {"email": f"{'a' * 65}@example.org"},
    ],
)
async def test_every_failed_sign_in_gets_one_answer(ada: Caller, change: dict[str, Any]) -> None:
    answer = await ada.sign_in(**change)
    assert (code(answer), answer.status_code) == _WRONG
    assert answer.json()["message"] == "Invalid email or password"
    assert set_cookies(answer) == []


async def test_what_is_no_address_is_told_at_a_sign_in(caller: Caller) -> None:
    answer = await caller.sign_in(email="nobody")
    assert (answer.status_code, code(answer)) == (400, "INVALID_EMAIL")


async def test_staff_do_not_sign_in_here(caller: Caller, app: Application) -> None:
    await provided(app, "ensure_user")(NewUser(role=Role.INSTRUCTOR, email="ines@example.org", password=PASSWORD))
    answer = await caller.sign_in(email="ines@example.org")
    assert (answer.status_code, code(answer)) == (403, "WRONG_PORTAL")
    wrong = await caller.sign_in(email="ines@example.org", password="wrong")
    assert (code(wrong), wrong.status_code) == _WRONG


async def test_asvs_6_3_1_the_sixth_guess_is_answered_like_a_wrong_one_even_if_it_is_right(ada: Caller) -> None:
    for _ in range(5):
        answer = await ada.sign_in(password="wrong")
        assert (code(answer), answer.status_code) == _WRONG
    answer = await ada.sign_in()
    assert (code(answer), answer.status_code) == _WRONG


async def test_asvs_7_2_4_a_sign_in_ends_the_session_that_the_browser_held(ada: Caller, app: Application) -> None:
    first = (await ada.session())["session"]["token"]
    second = (await ada.sign_in()).json()["token"]
    assert second != first
    async with caller_at(app) as other:
        assert await other.session(headers={"authorization": f"Bearer {first}"}) is None
        assert (await other.session(headers={"authorization": f"Bearer {second}"}))["session"]["token"] == second


async def test_a_sign_out_ends_the_session_and_clears_the_cookies(ada: Caller, app: Application) -> None:
    token = (await ada.session())["session"]["token"]
    answer = await ada.post("/sign-out")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert set_cookies(answer) == CLEARED
    assert ada.client.cookies == {}
    async with caller_at(app) as other:
        assert await other.session(headers={"authorization": f"Bearer {token}"}) is None


@pytest.mark.parametrize("body", [None, {}, {"callbackURL": "/", "more": 1}])
async def test_a_sign_out_without_a_session_is_as_well(caller: Caller, body: Any) -> None:
    answer = await caller.post("/sign-out", body)
    assert (answer.status_code, answer.json(), set_cookies(answer)) == (200, {"success": True}, CLEARED)


async def test_a_sign_out_by_a_value_with_a_bad_signature_ends_nothing(ada: Caller, app: Application) -> None:
    token = (await ada.session())["session"]["token"]
    async with caller_at(app) as other:
        other.client.cookies.set("better-auth.session_token", f"{token}.{'A' * 43}=")
        assert set_cookies(await other.post("/sign-out")) == CLEARED
    assert (await ada.session())["session"]["token"] == token


@pytest.fixture
def security() -> Iterator[JsonLines]:
    with logged(LOGGER) as lines:
        yield lines


async def test_asvs_16_3_1_every_outcome_is_one_event_and_no_line_has_a_token(
    caller: Caller, security: JsonLines, log: list[bytes]
) -> None:
    token = (await caller.sign_up()).json()["token"]
    await caller.sign_in(password="wrong")
    second = (await caller.sign_in()).json()["token"]
    await caller.sign_up()
    await caller.session(headers={"authorization": f"Bearer {second}"})
    await caller.post("/sign-out")
    told = [(line["event"], line["outcome"]) for line in security.taken()]
    assert told == [
        ("register", "succeeded"),
        ("sign_in", "wrong_credentials"),
        ("sign_in", "succeeded"),
        ("register", "refused"),
        ("sign_out", "succeeded"),
    ]
    written = b"".join(log).decode()
    assert '"/api/auth/sign-in/email"' in written
    for secret in (token, second, PASSWORD, ADA["email"]):
        assert secret not in written


async def test_what_is_bounded_for_registrations_bounds_sign_ups(module_database: ClonedDatabase) -> None:
    async with serving(module_database, [], registrations_per_ten_minutes=2) as app, caller_at(app) as caller:
        module_database.empty()
        for number in range(2):
            assert (await caller.sign_up(email=f"a{number}@example.org")).status_code == 200
        answer = await caller.sign_up(email="a3@example.org")
        assert answer.status_code == 429
        assert answer.headers["content-type"].startswith("text/plain")
        assert set_cookies(answer) == []
        assert answer.text == '{"message":"Too many requests. Please try again later."}'
        assert int(answer.headers["x-retry-after"]) == int(answer.headers["retry-after"]) > 0


async def test_what_is_bounded_for_guesses_from_one_address_bounds_sign_ins(module_database: ClonedDatabase) -> None:
    async with serving(module_database, [], sign_in_failures_per_minute=2) as app, caller_at(app) as caller:
        module_database.empty()
        for number in range(2):
            wrong = await caller.sign_in(email=f"a{number}@example.org")
            assert (code(wrong), wrong.status_code) == _WRONG
        answer = await caller.sign_in(email="a3@example.org")
        assert answer.status_code == 429
        assert int(answer.headers["x-retry-after"]) == int(answer.headers["retry-after"]) > 0

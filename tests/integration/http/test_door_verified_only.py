"""Where the better-auth door wants a verified address first nobody is signed in before, and no address is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from entrypoints.http.app import Application
from entrypoints.settings import BetterAuthSettings
from tests.support.auth_http import provided, serving
from tests.support.door_http import Caller, caller_at, code, set_cookies
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module", params=[False, True], ids=["silent", "mailing"])
async def strict(module_database: ClonedDatabase, request: pytest.FixtureRequest) -> AsyncIterator[Application]:
    settings = BetterAuthSettings(require_email_verification=True, send_on_sign_in=request.param)
    async with serving(module_database, [], better_auth=settings) as app:
        yield app


@pytest.fixture
async def caller(strict: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    async with caller_at(strict) as caller:
        yield caller


def orders(database: ClonedDatabase) -> list[dict[str, Any]]:
    """What mail was ordered, the oldest first."""
    found = database.keeper.execute("select args from procrastinate_jobs order by id").fetchall()
    return [args for (args,) in found]


async def test_a_sign_up_signs_nobody_in(caller: Caller, cloned: ClonedDatabase) -> None:
    answer = await caller.sign_up(callbackURL="/welcome")
    assert list(answer.json()) == ["token", "user"]
    assert (answer.status_code, answer.json()["token"], set_cookies(answer)) == (200, None, [])
    assert "set-auth-token" not in answer.headers
    assert cloned.keeper.execute("select count(*) from auth_sessions").fetchone() == (0,)
    (order,) = orders(cloned)
    assert "/welcome" in str(order)


async def test_an_address_in_use_is_answered_like_a_new_one(caller: Caller, cloned: ClonedDatabase) -> None:
    new = await caller.sign_up(name=" Ada ", image="https://pictures.test/a.png")
    used = await caller.sign_up(name=" Bob ", email="ADA@example.org", image="https://pictures.test/b.png")
    assert (used.status_code, set_cookies(used)) == (200, [])
    person, shadow = new.json()["user"], used.json()["user"]
    assert list(person) == list(shadow)
    assert (shadow["name"], shadow["email"], shadow["image"]) == (
        "Bob",
        "ada@example.org",
        "https://pictures.test/b.png",
    )
    assert {name: len(str(value)) for name, value in person.items()} == {
        name: len(str(value)) for name, value in shadow.items()
    }
    assert shadow["id"] != person["id"]
    assert shadow["createdAt"] == shadow["updatedAt"]
    assert person["createdAt"] == person["updatedAt"]
    assert set(new.headers) == set(used.headers)
    assert cloned.keeper.execute("select name from users").fetchall() == [("Ada",)]
    assert len(orders(cloned)) == 1
    for body in ({"password": "short"}, {"password": "password1"}, {"name": "x" * 201}):
        first, second = await caller.sign_up(**body), await caller.sign_up(**body, email="new@example.org")
        assert (first.status_code, first.content) == (second.status_code, second.content)
        assert first.status_code == 400


async def test_only_the_right_password_tells_that_the_address_is_not_verified(
    caller: Caller, strict: Application, cloned: ClonedDatabase
) -> None:
    await caller.sign_up()
    wrong = await caller.sign_in(password="wrong")
    assert (wrong.status_code, code(wrong)) == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert len(orders(cloned)) == 1
    right = await caller.sign_in(callbackURL="/again")
    assert (right.status_code, code(right), set_cookies(right)) == (403, "EMAIL_NOT_VERIFIED", [])
    assert right.json()["message"] == "Email not verified"
    mails = orders(cloned)
    assert ("/again" in str(mails[-1])) is (len(mails) == 2) is _sends(strict)


async def test_a_verified_address_opens_the_door(caller: Caller, cloned: ClonedDatabase) -> None:
    await caller.sign_up()
    cloned.keeper.execute(b"update users set email_verified_at = now()")
    answer = await caller.sign_in()
    assert (answer.status_code, answer.json()["user"]["emailVerified"]) == (200, True)
    assert (await caller.session())["user"]["emailVerified"] is True


def _sends(app: Application) -> bool:
    sends: bool = provided(app, "settings").better_auth.send_on_sign_in
    return sends

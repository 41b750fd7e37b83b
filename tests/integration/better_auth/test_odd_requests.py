"""What no client sends and the server of better-auth 1.7.1 answered all the same, request by request: the same here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from entrypoints.http.app import Application
from tests.support.auth_builders import PASSWORD
from tests.support.auth_http import serving
from tests.support.door_http import ADA, BASE, CLEARED, Caller, caller_at, set_cookies
from tests.support.postgres import ClonedDatabase

_UNSTORABLE = ["a\x00b", "\ud800x", "\udc00"]
_UNAUTHORIZED = (401, "UNAUTHORIZED")
_INVALID = (400, "VALIDATION_ERROR")


@pytest.fixture(scope="module")
async def app(module_database: ClonedDatabase) -> AsyncIterator[Application]:
    """One application for the tests of this module; its database is emptied before each."""
    async with serving(module_database, []) as app:
        yield app


@pytest.fixture
async def ada(app: Application, cloned: ClonedDatabase) -> AsyncIterator[Caller]:
    """Ada's browser, signed in."""
    async with caller_at(app) as caller:
        assert (await caller.sign_up()).status_code == 200
        yield caller


async def post(caller: Caller, path: str, body: Any) -> httpx.Response:
    """JSON in ASCII, which can tell every text there is."""
    return await caller.post(path, content=json.dumps(body), headers={"content-type": "application/json"})


def told(answer: httpx.Response) -> tuple[int, str | None]:
    """The status and the code."""
    return answer.status_code, answer.json().get("code")


async def anybody(ada: Caller, path: str, body: Any) -> tuple[int, str | None]:
    """What somebody is told who is not signed in."""
    ada.client.cookies.clear()
    return told(await post(ada, path, body))


async def signed_bearer(ada: Caller) -> str:
    """A signed token of Ada's whose signature is spelt otherwise in the alphabet of addresses."""
    signed = ""
    while not {"+", "/"} & set(signed):
        signed = (await ada.sign_in()).headers["set-auth-token"]
    ada.client.cookies.clear()
    return signed


@pytest.mark.parametrize("odd", _UNSTORABLE)
@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/verify-password", {"password": "*"}, (400, "INVALID_PASSWORD")),
        ("/change-password", {"currentPassword": "*", "newPassword": "quite-another-one"}, (400, "INVALID_PASSWORD")),
        ("/change-password", {"currentPassword": PASSWORD, "newPassword": "*"}, (400, "PASSWORD_TOO_SHORT")),
        ("/delete-user", {"password": "*"}, (400, "INVALID_PASSWORD")),
        ("/delete-user", {"token": "*"}, (404, "INVALID_TOKEN")),
        ("/revoke-session", {"token": "*"}, (200, None)),
        ("/update-user", {"email": "*"}, (400, "EMAIL_CAN_NOT_BE_UPDATED")),
        ("/update-user", {"name": "*"}, _INVALID),
        ("/update-user", {"image": "*"}, _INVALID),
    ],
)
async def test_text_that_cannot_be_stored_is_judged_once_it_is_known_who_asks(
    ada: Caller, path: str, body: dict[str, str], expected: tuple[int, str | None], odd: str
) -> None:
    """What is only compared is as wrong as any other text, and what would be kept is refused."""
    given = {name: odd if value == "*" else value for name, value in body.items()}
    assert told(await post(ada, path, given)) == expected
    assert await anybody(ada, path, given) == _UNAUTHORIZED


@pytest.mark.parametrize("odd", _UNSTORABLE)
@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/sign-in/email", {"email": "ada@example.org*", "password": PASSWORD}, (400, "INVALID_EMAIL")),
        ("/sign-in/email", {"email": ADA["email"], "password": "*"}, (401, "INVALID_EMAIL_OR_PASSWORD")),
        ("/sign-up/email", {"name": "Bo", "email": "bo@example.org", "password": "*"}, (400, "PASSWORD_TOO_SHORT")),
        ("/sign-up/email", {"name": "Bo", "email": "bo@example.org", "password": f"{PASSWORD}*"}, _INVALID),
        ("/reset-password", {"newPassword": PASSWORD, "token": "*"}, (400, "INVALID_TOKEN")),
        ("/reset-password", {"newPassword": "*", "token": "a" * 24}, (400, "PASSWORD_TOO_SHORT")),
        ("/sign-out", {"state": "*"}, (200, None)),
    ],
)
async def test_who_is_not_signed_in_is_told_what_the_text_is_wrong_for(
    ada: Caller, path: str, body: dict[str, str], expected: tuple[int, str | None], odd: str
) -> None:
    given = {name: value.replace("*", odd) for name, value in body.items()}
    assert await anybody(ada, path, given) == expected


async def test_a_link_with_nul_in_it_is_no_link(ada: Caller) -> None:
    assert told(await ada.get("/verify-email?token=a%00b")) == (401, "INVALID_TOKEN")
    assert told(await ada.get("/delete-user/callback?token=a%00b")) == (404, "INVALID_TOKEN")


@pytest.mark.parametrize("path", ["/sign-in/email", "/sign-out", "/update-user", "/request-password-reset"])
async def test_a_body_that_says_it_is_plain_text_first_is_a_text(ada: Caller, path: str) -> None:
    headers = {"content-type": "text/plain, application/json"}
    answer = await ada.post(path, content=b'{"email":"ada@example.org"}', headers=headers)
    assert told(answer) == _INVALID
    assert answer.json()["message"].endswith("received string")


async def test_a_bearer_is_to_be_spelt_as_the_cookie_is(ada: Caller) -> None:
    """One with the alphabet of addresses, without padding or with something behind it takes the cookie's place and
    opens nothing.
    """
    signed = await signed_bearer(ada)
    assert (await ada.session(headers={"authorization": f"Bearer {signed}"}))["user"]["name"] == "Ada"
    odd = [signed.replace("+", "-").replace("/", "_"), signed.removesuffix("="), f"{signed}.x"]
    await ada.sign_in()
    for spelt in odd:
        headers = {"authorization": f"Bearer {spelt}"}
        answer = await ada.get("/get-session", headers=headers)
        assert (answer.status_code, answer.content, set_cookies(answer)) == (200, b"null", [])
        refused = await ada.post("/verify-password", {"password": PASSWORD}, headers=headers)
        assert told(refused) == _UNAUTHORIZED


async def test_of_two_bearers_the_first_counts(ada: Caller) -> None:
    signed = await signed_bearer(ada)
    good, dead = ("authorization", f"Bearer {signed}"), ("authorization", f"Bearer {'x' * 32}")
    first = await ada.client.get(f"{BASE}/get-session", headers=[good, dead])
    assert first.json()["user"]["name"] == "Ada"
    second = await ada.client.get(f"{BASE}/get-session", headers=[dead, good])
    assert (second.content, set_cookies(second)) == (b"null", CLEARED)


async def test_of_two_referrers_the_first_counts_and_two_origins_are_none(ada: Caller) -> None:
    del ada.client.headers["origin"]
    ours, evil = "http://ace.test/page", "https://evil.test/"
    for headers, expected in [
        ([("referer", ours), ("referer", evil)], (200, None)),
        ([("referer", evil), ("referer", ours)], (403, "INVALID_ORIGIN")),
        ([("origin", "http://ace.test"), ("origin", "https://evil.test")], (403, "INVALID_ORIGIN")),
    ]:
        answer = await ada.client.post(f"{BASE}/verify-password", json={"password": PASSWORD}, headers=headers)
        assert told(answer) == expected

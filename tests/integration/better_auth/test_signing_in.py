"""The real client signs up, in and out; what it sees, and the bytes that come over the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.better_auth_door import PASSWORD, PUBLIC, TRUSTED, Door, encoded, sign_up, signed

_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Lax"
_DATE = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*)"')
_CLEARED = [f"better-auth.{name}=; Max-Age=0; {_ATTRIBUTES}" for name in ("session_token", "session_data")] + [
    f"better-auth.dont_remember=; Max-Age=0; {_ATTRIBUTES}"
]


def test_a_sign_up_opens_a_session_that_the_client_reads(door: Door) -> None:
    browser = door.browser()
    created = browser.must("signUp.email", sign_up("ada", image="https://school.test/ada.png"))
    user = created["user"]
    assert list(user) == ["name", "email", "emailVerified", "image", "createdAt", "updatedAt", "id"]
    assert (user["name"], user["email"], user["emailVerified"]) == ("Ada", "ada@school.test", False)
    assert user["image"] == "https://school.test/ada.png"
    read = browser.must("getSession")
    assert read["user"] == user
    assert (read["session"]["token"], read["session"]["userId"]) == (created["token"], user["id"])
    assert timedelta(days=6.99) < read["session"]["expiresAt"] - read["session"]["createdAt"] < timedelta(days=7.01)


def test_the_session_cookie_is_the_one_of_better_auth_to_the_byte(door: Door) -> None:
    outcome = door.browser().call("signUp.email", sign_up("bytes"))
    token = outcome.data["token"]
    assert re.fullmatch("[A-Za-z0-9]{32}", token)
    value = encoded(signed(token))
    assert outcome.wire.setCookies == [f"better-auth.session_token={value}; Max-Age=604800; {_ATTRIBUTES}"]
    assert outcome.wire.headers["content-type"] == "application/json"
    assert outcome.wire.text == outcome.wire.text.strip().replace(": ", ":")


def test_a_session_that_is_not_to_be_remembered_ends_with_the_browser(door: Door) -> None:
    door.student("brief")
    browser = door.browser()
    outcome = browser.call("signIn.email", {"email": "brief@school.test", "password": PASSWORD, "rememberMe": False})
    token = encoded(signed(outcome.data["token"]))
    assert sorted(outcome.wire.setCookies) == [
        f"better-auth.dont_remember={encoded(signed('true'))}; {_ATTRIBUTES}",
        f"better-auth.session_token={token}; {_ATTRIBUTES}",
    ]
    session = browser.must("getSession")["session"]
    assert timedelta(hours=23) < session["expiresAt"] - session["createdAt"] <= timedelta(hours=24)


def test_the_client_reads_every_date_as_it_was_meant(door: Door) -> None:
    """Its parser takes the fraction for milliseconds: six digits would be minutes off."""
    browser = door.student("dates")
    read = browser.call("getSession")
    texts = _DATE.findall(read.wire.text)
    assert len(texts) == 5
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text) for text in texts)
    dates = [value for part in ("session", "user") for value in read.data[part].values() if isinstance(value, datetime)]
    assert dates == [datetime.fromisoformat(text) for text in texts]
    assert abs(datetime.now(UTC) - read.data["session"]["createdAt"]) < timedelta(seconds=30)


def test_a_second_sign_up_with_the_address_is_refused_in_any_case_of_letters(door: Door) -> None:
    door.student("twice")
    for address in ("twice@school.test", "TWICE@School.test"):
        refused = door.browser().call("signUp.email", sign_up("other", email=address))
        assert refused.refusal == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
        assert not refused.wire.setCookies


def test_an_address_is_kept_in_small_letters_and_found_in_any(door: Door) -> None:
    door.browser().must("signUp.email", sign_up("letters", email="Letters@School.Test"))
    data = door.browser().must("signIn.email", {"email": "LETTERS@school.test", "password": PASSWORD})
    assert data["user"]["email"] == "letters@school.test"


def test_a_wrong_password_an_empty_one_and_an_unknown_address_are_told_alike(door: Door) -> None:
    door.student("guessed")
    attempts = [("guessed", "not-the-password"), ("guessed", ""), ("nobody", PASSWORD)]
    told = [door.browser().call("signIn.email", {"email": f"{n}@school.test", "password": p}) for n, p in attempts]
    assert {outcome.wire.text for outcome in told} == {told[0].wire.text}
    assert {outcome.refusal for outcome in told} == {(401, "INVALID_EMAIL_OR_PASSWORD")}
    assert not any(outcome.jar for outcome in told)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "short12"}, "PASSWORD_TOO_SHORT"),
        ({"password": "x" * 129}, "PASSWORD_TOO_LONG"),
        ({"email": "nonsense"}, "VALIDATION_ERROR"),
        ({"password": "password1234"}, "PASSWORD_COMPROMISED"),
    ],
)
def test_what_is_wrong_with_a_sign_up_is_told_by_a_code(door: Door, wrong: dict[str, object], code: str) -> None:
    assert door.browser().call("signUp.email", sign_up("wrong") | wrong).refusal == (400, code)


def test_signing_in_with_a_callback_tells_the_client_where_to_go(door: Door) -> None:
    door.student("callback")
    given = {"email": "callback@school.test", "password": PASSWORD, "callbackURL": "/board?tab=1"}
    outcome = door.browser().call("signIn.email", given)
    assert (outcome.data["redirect"], outcome.data["url"]) == (True, "/board?tab=1")
    assert (outcome.wire.status, outcome.wire.headers["location"]) == (200, "/board?tab=1")
    elsewhere = door.browser().call("signIn.email", given | {"callbackURL": "https://evil.test/"})
    assert elsewhere.refusal == (403, "INVALID_CALLBACK_URL")


def test_signing_out_clears_the_cookies_and_ends_the_session_everywhere(door: Door) -> None:
    browser = door.student("leaver")
    cookies = browser.call("getSession").jar
    outcome = browser.call("signOut")
    assert outcome.data == {"success": True}
    assert sorted(set(outcome.wire.setCookies)) == sorted(_CLEARED)
    assert outcome.jar == {}
    assert browser.call("getSession").data is None
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    kept = door.browser(cookies=False, headers={"cookie": header}).call("getSession")
    assert (kept.wire.status, kept.wire.text) == (200, "null")
    assert sorted(set(kept.wire.setCookies)) == sorted(_CLEARED)


def test_a_cookie_with_another_signature_opens_nothing_and_is_left_alone(door: Door) -> None:
    token = door.student("forger").must("getSession")["session"]["token"]
    for value in (token, encoded(f"{token}.{'A' * 43}="), "garbage"):
        read = door.browser(headers={"cookie": f"better-auth.session_token={value}"}).call("getSession")
        assert (read.wire.status, read.wire.text, read.wire.setCookies) == (200, "null", [])


def test_a_bearer_token_stands_for_the_cookie(door: Door) -> None:
    """As applications hold it that have no cookies: they take the token from the header of the sign-in."""
    outcome = door.browser(cookies=False).call("signUp.email", sign_up("bearer"))
    held = outcome.wire.headers["set-auth-token"]
    assert held == signed(outcome.data["token"])
    assert outcome.wire.headers["access-control-expose-headers"] == "set-auth-token"
    for token in (held, outcome.data["token"]):
        phone = door.browser(cookies=False, origin=None, bearer=token)
        assert phone.must("getSession")["user"]["email"] == "bearer@school.test"
        assert phone.must("updateUser", {"name": "Renamed"}) == {"status": True}
    assert door.browser(cookies=False, bearer="x" * 32).must("getSession") is None


def test_the_fetch_of_node_itself_is_refused_unless_it_tells_an_origin(door: Door) -> None:
    """It says `Sec-Fetch-Mode` and no `Origin`, so the server cannot know that it is not a page."""
    door.student("node")
    given = {"email": "node@school.test", "password": PASSWORD}
    assert door.browser(origin=None).call("signIn.email", given).refusal == (403, "MISSING_OR_NULL_ORIGIN")
    assert door.browser(origin=TRUSTED).must("signIn.email", given)["redirect"] is False


@pytest.mark.parametrize("origin", ["https://evil.test", f"{TRUSTED}.evil.test", "http://localhost:3001"])
def test_another_page_neither_signs_in_nor_acts_with_a_cookie(door: Door, origin: str) -> None:
    given = {"email": "nobody@school.test", "password": PASSWORD}
    assert door.browser(origin=origin).call("signIn.email", given).refusal == (403, "INVALID_ORIGIN")
    lured = door.browser(origin=origin, headers={"cookie": "theme=dark"})
    assert lured.call("signOut").refusal == (403, "INVALID_ORIGIN")


def test_a_cookie_without_an_origin_acts_on_nothing_but_reads(door: Door) -> None:
    jar = door.student("nowhere").call("getSession").jar
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    bare = door.browser(origin=None, cookies=False, headers={"cookie": header})
    assert bare.call("updateUser", {"name": "Lured"}).refusal == (403, "MISSING_OR_NULL_ORIGIN")
    assert bare.must("getSession")["user"]["name"] == "Nowhere"


def test_the_server_s_own_pages_are_trusted(door: Door) -> None:
    given = {"email": "nobody@school.test", "password": PASSWORD}
    assert door.browser(origin=PUBLIC).call("signIn.email", given).refusal[0] == 401


@pytest.mark.parametrize("path", ["/sign-in/email/", "//sign-in/email", "/sign-in", "/nothing"])
def test_what_is_not_there_is_answered_with_nothing(door: Door, path: str) -> None:
    answer: Any = door.browser().fetch(path, method="POST", body="{}", headers={"content-type": "application/json"})
    assert (answer.status, answer.text, "content-type" in answer.headers) == (404, "", False)

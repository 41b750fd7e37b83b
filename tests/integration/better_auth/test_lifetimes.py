"""Sessions that slide and expire, and a server that lets in only who has proved their address."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.better_auth_door import PASSWORD, Door

_LASTS, _RENEWED_AFTER = 4, 1


@pytest.fixture(scope="module")
def brief(served: Callable[..., Door]) -> Door:
    """A server whose sessions last seconds."""
    return served(
        ACE_BETTER_AUTH_SESSION_SECONDS=str(_LASTS),
        ACE_BETTER_AUTH_UPDATE_AGE_SECONDS=str(_RENEWED_AFTER),
        ACE_BETTER_AUTH_FRESH_AGE_SECONDS="1",
    )


@pytest.fixture(scope="module")
def strict(served: Callable[..., Door]) -> Door:
    """A server that asks for a proved address, and signs in who proves it."""
    return served(
        ACE_BETTER_AUTH_REQUIRE_EMAIL_VERIFICATION="on",
        ACE_BETTER_AUTH_SEND_ON_SIGN_IN="on",
        ACE_BETTER_AUTH_AUTO_SIGN_IN_AFTER_VERIFICATION="on",
    )


def test_a_session_in_use_slides_and_one_that_is_not_expires(brief: Door) -> None:
    """Both begin together; the used one outlives the seconds that a session lasts."""
    used, idle = brief.student("used"), brief.student("idle")
    first = used.must("getSession")["session"]
    time.sleep(_LASTS / 2)
    slid = used.call("getSession")
    session = slid.data["session"]
    assert (session["token"], session["createdAt"]) == (first["token"], first["createdAt"])
    assert session["updatedAt"] > first["updatedAt"]
    assert session["expiresAt"] - session["updatedAt"] == timedelta(seconds=_LASTS)
    (cookie,) = slid.wire.setCookies
    assert cookie.split("; ")[1] == f"Max-Age={_LASTS}"
    time.sleep(_LASTS / 2 + 0.2)
    assert used.must("getSession") is not None
    ended = idle.call("getSession")
    assert (ended.data, ended.jar, ended.wire.text) == (None, {}, "null")


def test_reading_without_refreshing_moves_nothing(brief: Door) -> None:
    browser = brief.student("still")
    time.sleep(_RENEWED_AFTER + 0.1)
    read = browser.call("getSession", {"query": {"disableRefresh": True}})
    assert read.data["session"]["updatedAt"] == read.data["session"]["createdAt"]
    assert read.wire.setCookies == []


def test_an_old_session_must_be_renewed_for_what_matters(brief: Door) -> None:
    browser = brief.student("stale")
    time.sleep(_RENEWED_AFTER + 0.1)
    assert browser.call("listSessions").refusal == (403, "SESSION_NOT_FRESH")
    assert browser.call("deleteUser", {}).refusal == (400, "SESSION_EXPIRED")
    assert browser.must("deleteUser", {"password": PASSWORD})["success"] is True


def test_who_has_not_proved_the_address_is_not_let_in(strict: Door) -> None:
    browser = strict.browser()
    given = {"name": "New", "email": "new@school.test", "password": PASSWORD, "callbackURL": "/hello"}
    created = browser.call("signUp.email", given)
    assert (created.data["token"], created.wire.setCookies) == (None, [])
    credentials = {"email": "new@school.test", "password": PASSWORD}
    assert browser.call("signIn.email", credentials).refusal == (403, "EMAIL_NOT_VERIFIED")
    wrong = browser.call("signIn.email", credentials | {"password": "not-the-password"})
    assert wrong.refusal == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert len({strict.mailed_link("new@school.test", number=number) for number in (1, 2)}) == 2


def test_whoever_follows_the_link_is_signed_in_where_they_follow_it(strict: Door) -> None:
    strict.browser().must("signUp.email", {"name": "Eve", "email": "eve@school.test", "password": PASSWORD})
    link = strict.mailed_link("eve@school.test")
    browser = strict.browser()
    followed = browser.fetch(link)
    assert (followed.status, followed.headers["location"]) == (302, "/")
    assert browser.must("getSession")["user"]["emailVerified"] is True


def test_a_duplicate_looks_like_a_sign_up_where_addresses_are_proved(strict: Door) -> None:
    given = {"name": "Twin", "email": "twin@school.test", "password": PASSWORD, "image": "https://school.test/t.png"}
    first, second = (strict.browser().call("signUp.email", given) for _ in range(2))
    differing = {"id", "createdAt", "updatedAt"}
    assert list(first.data) == list(second.data)
    assert list(first.data["user"]) == list(second.data["user"])
    alike = [{k: v for k, v in one.data["user"].items() if k not in differing} for one in (first, second)]
    assert alike[0] == alike[1]
    assert first.data["user"]["id"] != second.data["user"]["id"]
    assert (second.wire.status, second.data["token"]) == (200, None)

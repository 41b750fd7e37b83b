"""The copy of a session in a cookie: read back as it was written, by the session that it is of, and not for long."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.signatures import HmacSignatures
from entrypoints.http.better_auth.cookie_cache import UNTIL_CLOSED_SECONDS, CookieCache, joined, pieces_of
from entrypoints.http.better_auth.records import session_body, user_body
from tests.support.door_samples import NOW, TOKEN, a_person, a_session

SECRET = "known-to-this-installation-of-the-tests"
NAME = "better-auth.session_data"
CACHE = CookieCache(HmacSignatures([SECRET.encode()]), seconds=300)


def written(name: str = "Ada", *, remember: bool = True) -> str:
    return CACHE.write(session_body(a_session(), TOKEN), user_body(a_person(name)), NOW, remember=remember)


def opened(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def closed(whole: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(whole).encode()).rstrip(b"=").decode()


def signed(kept: object, expires_at: object) -> str:
    """A text with a good signature, whatever it says."""
    inner = json.dumps({**kept, "expiresAt": expires_at}, separators=(",", ":"), ensure_ascii=False)  # type: ignore[dict-item]
    signature = base64.urlsafe_b64encode(HmacSignatures([SECRET.encode()]).sign(inner)).rstrip(b"=").decode()
    return closed({"session": kept, "expiresAt": expires_at, "signature": signature})


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_copy_says_what_the_store_said_with_the_members_in_the_order_of_copies(name: str) -> None:
    cached = CACHE.read(written(name))
    assert cached is not None
    assert dict(cached.session_body) == session_body(a_session(), TOKEN)
    assert dict(cached.user_body) == user_body(a_person(name))
    assert list(cached.session_body) == [
        "id", "createdAt", "updatedAt", "userId", "expiresAt", "token", "ipAddress", "userAgent",
    ]  # fmt: skip
    assert list(cached.user_body) == ["id", "createdAt", "updatedAt", "email", "emailVerified", "name", "image"]
    assert cached.person == a_person(name)
    assert (cached.session.id, cached.session.ends_at) == ("ses_1", a_session().ends_at)


@pytest.mark.parametrize(("remember", "seconds"), [(True, 300), (False, UNTIL_CLOSED_SECONDS)])
def test_a_copy_is_good_for_its_seconds_and_for_its_own_session(remember: bool, seconds: int) -> None:
    cached = CACHE.read(written(remember=remember))
    assert cached is not None
    assert cached.is_of(TOKEN, NOW + timedelta(seconds=seconds))
    assert not cached.is_of(TOKEN, NOW + timedelta(seconds=seconds, milliseconds=1))
    assert not cached.is_of("another", NOW)


def test_a_copy_does_not_outlive_the_session() -> None:
    session = a_session(idle_expires_at=NOW + timedelta(seconds=10))
    cached = CACHE.read(CACHE.write(session_body(session, TOKEN), user_body(a_person()), NOW, remember=True))
    assert cached is not None
    assert cached.is_of(TOKEN, NOW + timedelta(seconds=10))
    assert not cached.is_of(TOKEN, NOW + timedelta(seconds=11))


def test_a_copy_of_another_version_is_not_used() -> None:
    whole = opened(written())
    cached = CACHE.read(signed({**whole["session"], "version": "2"}, whole["expiresAt"]))
    assert cached is not None
    assert not cached.is_of(TOKEN, NOW)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("expiresAt",), 99_999_999_999_999),
        (("session", "user", "id"), "usr_2"),
        (("session", "session", "token"), "x" * 32),
        (("session", "session", "expiresAt"), "2099-01-01T00:00:00.000Z"),
        (("signature",), "A" * 43),
        (("signature",), None),
        (("session",), []),
    ],
)
def test_a_copy_that_was_changed_is_no_copy(path: tuple[str, ...], value: object) -> None:
    whole = opened(written())
    inner = whole
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    assert CACHE.read(closed(whole)) is None


def test_a_copy_under_a_former_key_is_read() -> None:
    assert CookieCache(HmacSignatures([b"b" * 32, SECRET.encode()]), seconds=300).read(written()) is not None
    assert CookieCache(HmacSignatures([b"b" * 32]), seconds=300).read(written()) is None


@pytest.mark.parametrize("part", ["id", "userId", "token", "createdAt", "expiresAt"])
def test_a_copy_in_which_something_is_missing_is_no_copy(part: str) -> None:
    whole = opened(written())
    assert CACHE.read(signed(whole["session"], whole["expiresAt"])) is not None
    del whole["session"]["session"][part]
    assert CACHE.read(signed(whole["session"], whole["expiresAt"])) is None


@pytest.mark.parametrize("expires_at", ["soon", None, 1.5])
def test_a_copy_that_does_not_say_until_when_it_is_good_is_no_copy(expires_at: object) -> None:
    assert CACHE.read(signed(opened(written())["session"], expires_at)) is None


@given(st.text(max_size=80))
def test_no_text_makes_reading_fail(text: str) -> None:
    assert CACHE.read(text) is None
    assert CACHE.read(closed(text)) is None


@given(st.integers(1, 250_000))
def test_pieces_fit_into_a_cookie_each_and_make_the_whole_again(length: int) -> None:
    value = ("abcdefghij" * (length // 10 + 1))[:length]
    pieces = pieces_of(NAME, value, secure=True, max_age=300)
    assert joined(NAME, dict(reversed(pieces.items()))) == value
    assert all(
        len(f"{name}={piece}; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax") <= 4_050
        for name, piece in pieces.items()
    )
    assert (list(pieces) == [NAME]) is (len(pieces) == 1)


def test_what_takes_more_than_a_hundred_pieces_is_not_kept() -> None:
    assert pieces_of(NAME, "x" * 500_000, secure=False, max_age=None) == {}


def test_names_that_only_look_like_pieces_are_none() -> None:
    assert joined(NAME, {f"{NAME}.x": "a", f"{NAME}x": "b", f"{NAME}.": "c", f"{NAME}.٣": "d"}) is None
    assert joined(NAME, {NAME: "whole", f"{NAME}.0": "a"}) == "whole"

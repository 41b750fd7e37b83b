"""How the better-auth door writes: JSON byte for byte, instants, and the core's refusals in its own form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.links import LinkInvalid
from domain.auth.passwords import PasswordRefused
from domain.auth.people import EmailTaken
from domain.auth.sessions import Busy, InvalidCredentials, SessionNotFresh, WrongPortal
from domain.auth.throttling import Burst, Left, TooManyAttempts
from domain.errors import DomainError, FieldProblem, InvalidInput, StoreUnavailable
from entrypoints.http.better_auth.answers import reply_of, written
from entrypoints.http.better_auth.errors import MESSAGES, Refused, refused
from entrypoints.http.better_auth.pages import error_page
from entrypoints.http.better_auth.records import time_text


def test_json_is_written_without_blanks_and_as_it_is() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 6_999, UTC)
    value = {"b": None, "a": ["ä€😀/\u2028\x7f", True, 1], "at": at, "c": '"\\\n\x01'}
    assert written(value).decode() == (
        '{"b":null,"a":["ä€😀/\u2028\x7f",true,1],"at":"2026-01-02T03:04:05.006Z","c":"\\"\\\\\\n\\u0001"}'
    )


def test_half_a_character_is_written_as_its_number() -> None:
    assert written("a\ud800b") == b'"a\\ud800b"'


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_is_written_is_read_again(value: object) -> None:
    assert json.loads(written(value)) == value


def test_what_has_no_form_is_not_written() -> None:
    with pytest.raises(TypeError):
        written({"a": object()})


@given(st.integers(0, 30_000_000_000_000_000))
def test_an_instant_has_three_digits_of_milliseconds(microseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    text = time_text(at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert len(text) == len("2026-01-02T03:04:05.006Z")
    assert datetime.fromisoformat(text) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def _problem(pointer: str, code: str) -> tuple[FieldProblem, ...]:
    return (FieldProblem(pointer, code, "why"),)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (EmailTaken(), 422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
        (InvalidCredentials(), 401, "INVALID_EMAIL_OR_PASSWORD"),
        (WrongPortal(), 403, "WRONG_PORTAL"),
        (SessionNotFresh(), 403, "SESSION_NOT_FRESH"),
        (LinkInvalid(), 400, "INVALID_TOKEN"),
        (PasswordRefused("x", problems=_problem("/password", "too_short")), 400, "PASSWORD_TOO_SHORT"),
        (PasswordRefused("x", problems=_problem("/newPassword", "too_long")), 400, "PASSWORD_TOO_LONG"),
        (PasswordRefused("x", problems=_problem("/newPassword", "too_common")), 400, "PASSWORD_COMPROMISED"),
        (PasswordRefused("x", problems=_problem("/newPassword", "unchanged")), 400, "PASSWORD_UNCHANGED"),
        (PasswordRefused("x", problems=_problem("/currentPassword", "too_long")), 400, "INVALID_PASSWORD"),
        (Busy(), 503, "AUTH_BUSY"),
        (StoreUnavailable(), 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_a_refusal_of_the_core_is_told_as_the_door_tells_it(error: DomainError, status: int, code: str) -> None:
    reply = reply_of(error)
    assert reply.status == status
    assert isinstance(reply.body, dict)
    assert list(reply.body) == ["message", "code"]
    assert reply.body["code"] == code
    assert ("retry-after" in dict(reply.headers)) is (status == 503)


def test_what_is_wrong_with_a_field_names_it() -> None:
    reply = reply_of(InvalidInput("x", problems=_problem("/name", "too_long")))
    assert (reply.status, reply.body) == (400, {"message": "[body.name] why", "code": "VALIDATION_ERROR"})


def test_an_unforeseen_error_tells_nothing() -> None:
    reply = reply_of(RuntimeError("the password of the database is swordfish"))
    assert reply.status == 500
    assert "swordfish" not in str(reply.body)


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    burst = Burst(name="door", limit=3, window=timedelta(seconds=10))
    reply = reply_of(TooManyAttempts(Left(quota=burst, acts=0, seconds=7)))
    assert reply.body == b'{"message":"Too many requests. Please try again later."}'
    assert (reply.status, reply.media_type) == (429, "text/plain;charset=UTF-8")
    assert dict(reply.headers) == {"x-retry-after": "7", "retry-after": "7"}


def test_a_refusal_has_as_much_of_a_body_as_it_has_to_say() -> None:
    assert reply_of(refused(400, "INVALID_EMAIL")).body == {
        "message": MESSAGES["INVALID_EMAIL"],
        "code": "INVALID_EMAIL",
    }
    assert reply_of(Refused(400, "Email is the same")).body == {"message": "Email is the same"}
    bare = reply_of(Refused(404))
    assert (bare.body, bare.media_type) == (b"", "application/json")


def test_the_page_of_errors_holds_text_only() -> None:
    page = error_page("CODE", "<script>alert('x')</script>&\"")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;&quot;" in page

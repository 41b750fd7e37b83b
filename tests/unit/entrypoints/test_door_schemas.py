"""Shapes of the better-auth door: which faults are told, in which words and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.better_auth.errors import Refused
from entrypoints.http.better_auth.schemas import (
    UNDEFINED,
    Shape,
    anything,
    email,
    filled,
    flag,
    is_email,
    optional,
    record,
    shape,
    shown,
    switch,
    text,
)

SIGN_UP = Shape(
    (text("name"), email("email"), filled("password"), optional(text("image")), optional(switch("rememberMe"))),
    kinds=("object", "record"),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def told(found: Shape, value: object, place: str = "body") -> str:
    with pytest.raises(Refused) as refusal:
        found.read(place, value)
    assert (refusal.value.status, refusal.value.code) == (400, "VALIDATION_ERROR")
    return str(refusal.value.message)


@pytest.mark.parametrize(
    ("value", "received"),
    [(UNDEFINED, "undefined"), (None, "null"), (1, "number"), (1.5, "number"), ("x", "string"), ([], "array"),
     (True, "boolean")],
)  # fmt: skip
def test_a_body_that_is_no_object_is_told_what_it_is(value: object, received: str) -> None:
    assert told(shape(text("a")), value) == f"[body] Invalid input: expected object, received {received}"
    assert told(record(text("a")), value) == f"[body] Invalid input: expected record, received {received}"
    assert told(SIGN_UP, value) == (
        f"[body] Invalid input: expected object, received {received};"
        f" [body] Invalid input: expected record, received {received}"
    )


def test_every_fault_is_told_in_the_order_of_the_fields() -> None:
    body: dict[str, Any] = {"rememberMe": "x", "image": None, "password": 3, "email": 2, "name": {}}
    assert told(SIGN_UP, body) == (
        "[body.name] Invalid input: expected string, received object;"
        " [body.email] Invalid input: expected string, received number;"
        " [body.password] Invalid input: expected string, received number;"
        " [body.image] Invalid input: expected string, received null;"
        " [body.rememberMe] Invalid input: expected boolean, received string"
    )
    assert told(SIGN_UP, {"name": "", "email": "a", "password": ""}) == (
        "[body.email] Invalid email address; [body.password] Too small: expected string to have >=1 characters"
    )


def test_a_parameter_that_came_twice_is_an_array() -> None:
    expected = "[query.token] Invalid input: expected string, received array"
    assert told(shape(text("token")), {"token": ["a", "b"]}, "query") == expected


def test_what_is_there_is_read_and_what_is_unknown_is_passed_over() -> None:
    body = {"name": "Ada", "email": "Ada@Example.org", "password": " ", "emailVerified": True}
    assert SIGN_UP.read("body", body) == {"name": "Ada", "email": "Ada@Example.org", "password": " "}
    assert Shape((text("a"),), optional=True).read("body", UNDEFINED) == {}
    assert record(anything("image")).read("body", {"image": None}) == {"image": None}


@pytest.mark.parametrize(("value", "expected"), [("false", True), ("1", True), ("", False), (["", ""], True)])
def test_a_flag_is_true_for_anything_that_was_said(value: object, expected: bool) -> None:
    assert shape(flag("disableRefresh")).read("query", {"disableRefresh": value}) == {"disableRefresh": expected}
    assert shape(flag("disableRefresh")).read("query", {}) == {}


@pytest.mark.parametrize("value", ["a\x00", "b\ud800"])
def test_text_that_cannot_be_stored_is_a_fault(value: str) -> None:
    assert "not allowed" in told(shape(text("name")), {"name": value})
    assert record(anything("name"), shown("token")).read("body", {"name": value, "token": value})["token"] == value


@pytest.mark.parametrize("address", ["a@b.co", "A+b_c'd-e@x-y.example.ORG", "a.b@c.de", "1@2.abc"])
def test_an_address_is_taken(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "a@b.c", "@b.co", ".a@b.co", "a.@b.co", "a..b@c.de", " a@b.co", "a@b.co\n", "a@-b.co",
                "ä@b.co", "a@b_c.de", "a@b.co.", "a@b..co", "a'@b.co", "a" * 1_000 + "@b.co"]
)  # fmt: skip
def test_no_address_is_refused(address: str) -> None:
    assert told(shape(email("email")), {"email": address}) == "[body.email] Invalid email address"


@given(ANY_JSON)
def test_any_value_is_read_or_refused(value: Any) -> None:
    """And what is read has the types that the shape says."""
    try:
        found = SIGN_UP.read("body", value)
    except Refused:
        assert told(SIGN_UP, value).startswith("[body")
    else:
        assert isinstance(found["name"], str)
        assert is_email(found["email"])
        assert found["password"]

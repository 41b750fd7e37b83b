"""Whatever is sent to the better-auth door, it answers in its own form, and never with an error of the server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrypoints.http.app import Application
from entrypoints.http.better_auth.registry import endpoints_of
from tests.support.auth_http import browser
from tests.support.whole_site import WholeSite

BASE = "/api/auth"
ALLOWED = {200, 302, 400, 401, 403, 404, 405, 415, 422, 429}
_TEXTS = st.text(max_size=12) | st.sampled_from(
    ["a@b.co", "a\x00", "\ud800", "/", "//evil.test", "https://evil.test", "true", "", "ses_1", "a" * 200, "<b>", "é😀"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_NAMES = [
    "name", "email", "password", "image", "callbackURL", "rememberMe", "token", "newPassword", "currentPassword",
    "revokeOtherSessions", "newEmail", "redirectTo", "errorCallbackURL", "newUserCallbackURL", "disableCookieCache",
    "disableRefresh",
]  # fmt: skip
# What every endpoint finds fit, so that one odd value gets as far as it can.
_FIT = dict.fromkeys(_NAMES[:7], "a text of some length") | {
    "email": "nobody@example.org",
    "newEmail": "new@example.org",
    "newPassword": "nine clouds over the hill",
    "currentPassword": "eight clouds over the hill",
    "callbackURL": "/page",
    "rememberMe": True,
}
_BODIES = st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=2).map(lambda odd: _FIT | odd)
_RAW = st.binary(max_size=20) | st.sampled_from([b"[" * 5_000, b'{"a":' * 5_000, b"\xff\xfe", b"1e999", b"-0", b'"'])
_PATHS = st.lists(
    st.sampled_from(["/", "//", "ok", "ok/", "reset-password", "a", "%2f", "%00", "%e9", "%c3%a9", ":token", "?", "%"]),
    max_size=6,
).map("".join)


@st.composite
def headers(draw: st.DrawFn) -> dict[str, str]:
    """Headers as a browser, a program and nobody at all sends them."""
    printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
    token = st.sampled_from(["a.b", "x" * 32, f"{'x' * 32}.{'y' * 43}=", "%", "%ff.%ff"])
    known = {
        "content-type": st.sampled_from(
            ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=x"]
        ),
        "origin": st.sampled_from(["http://ace.test", "null", "https://evil.test", "http://[", "http://ace.test:x"]),
        "cookie": st.builds("better-auth.session_token={}".format, token) | printable,
        "authorization": st.builds("Bearer {}".format, token) | printable,
        "host": st.sampled_from(["ace.test", "evil test", "[::1", "é", "a:99999"]),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(known)), max_size=2))
    return {"content-type": "application/json", "origin": "http://ace.test"} | {
        name: draw(known[name]) for name in chosen
    }


@pytest.fixture(scope="module")
async def fuzzed(whole_site: WholeSite) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps no cookies and asks the whole application."""
    async with browser(whole_site.app) as client:
        yield client


def paths_of(app: Application) -> list[tuple[str, str]]:
    """Every method and path that the door has."""
    return [(method, found.path) for found in endpoints_of(app._container) for method in found.methods]


def check(answer: httpx.Response) -> None:
    """The status is one of the protocol, the body one that its clients can read."""
    assert answer.status_code in ALLOWED, answer.text
    if answer.content and answer.headers["content-type"] == "application/json":
        told: Any = json.loads(answer.content)
        if answer.status_code >= 400:
            assert set(told) <= {"message", "code"}
    elif answer.status_code == 404:
        assert answer.content == b""


_queried = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_token = st.sampled_from(["a", "a" * 24, "%00", "%ff", "%2e", "a;b", "~", "A1" * 12])
_contents = st.builds(lambda value: json.dumps(value).encode(), _BODIES | _VALUES) | _RAW


@settings(max_examples=15)
@given(
    content=_contents,
    params=st.lists(st.tuples(st.sampled_from(_NAMES), _queried), max_size=3),
    sent=headers(),
    token=_token,
)
async def test_every_endpoint_answers_whatever_is_sent(
    whole_site: WholeSite,
    fuzzed: httpx.AsyncClient,
    content: bytes,
    params: list[tuple[str, str]],
    sent: dict[str, str],
    token: str,
) -> None:
    for method, path in paths_of(whole_site.app):
        whole_site.database.keeper.execute("delete from attempt_counters")
        address = f"{BASE}{path.replace(':token', token)}"
        check(await fuzzed.request(method, address, content=content, params=urlencode(params), headers=_sent(sent)))


@settings(max_examples=100)
@given(method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"]), path=_PATHS)
async def test_every_address_below_the_base_is_answered(fuzzed: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await fuzzed.request(method, f"{BASE}/{path}", headers={"origin": "http://ace.test"})
    check(answer)


def _sent(chosen: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in chosen.items()]

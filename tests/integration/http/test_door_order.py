"""The better-auth door: what it looks at first, and what it says to requests that it cannot take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from entrypoints.http.app import Application
from entrypoints.settings import BetterAuthSettings
from tests.support.auth_builders import PASSWORD
from tests.support.auth_http import browser, code, serving
from tests.support.postgres import ClonedDatabase

BASE = "/api/auth"
SIGN_IN = f"{BASE}/sign-in/email"
JSON = {"content-type": "application/json"}
EVIL = {"cookie": "a=b", "origin": "https://evil.test"}
FORM = "application/x-www-form-urlencoded"
MISSING = "[body.email] Invalid input: expected string, received undefined"
NO_OBJECT = "[body] Invalid input: expected object, received"


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    """The status and the code, of an answer whose members stand as clients know them."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["message", "code"][: len(body)]
    assert answer.text == json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return answer.status_code, body.get("code")


async def test_the_door_is_there(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{BASE}/ok")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, '{"ok":true}', "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("POST", "/ok"),
        ("HEAD", "/ok"),
        ("OPTIONS", "/ok"),
        ("GET", "/ok/"),
        ("GET", "//ok"),
        ("GET", "/%6fk"),
        ("GET", "/sign-in/email"),
        ("PUT", "/sign-in/email"),
        ("GET", "/reset-password/"),
        ("GET", "/reset-password/a/b"),
        ("GET", "/reset-password%2Fa"),
        ("GET", "/sign-in"),
    ],
)
async def test_where_nothing_is_the_answer_is_empty(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, BASE + path, headers=EVIL)
    assert (answer.status_code, answer.content) == (404, b"")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("path", ["/api/authx/ok", "/api", "/api/v9/auth/ok"])
async def test_what_is_not_below_its_base_is_none_of_its_business(client: httpx.AsyncClient, path: str) -> None:
    assert code(await client.get(path)) == "request.not_found"


@pytest.mark.parametrize(
    ("media_type", "content", "told"),
    [
        (None, None, f"{NO_OBJECT} undefined"),
        ("application/json", b"", f"{NO_OBJECT} undefined"),
        (None, b'{"email": "a@b.co"}', f"{NO_OBJECT} undefined"),
        ("application/json", b"[]", f"{NO_OBJECT} array"),
        ("application/json", b"null", f"{NO_OBJECT} null"),
        ("application/json; charset=latin1", b'{"password": ""}', MISSING),
        ("APPLICATION/JSON", b'\xef\xbb\xbf{"password": ""}', MISSING),
        ("application/json-seq", b'{"password": ""}', MISSING),
        (FORM, b"password=a&b", MISSING),
    ],
)
async def test_a_body_without_what_is_needed_is_told_so(
    client: httpx.AsyncClient, media_type: str | None, content: bytes | None, told: str
) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = await client.post(SIGN_IN, content=content, headers=headers)
    assert refusal(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["message"] == told


@pytest.mark.parametrize(
    "content",
    [b"{", b"{}x", b"NaN", b'{"a": Infinity}', b"\xff", b"'a'", b'"\n"', b"[" * 200_000, b"-", b'{"a":1,}'],
)
async def test_what_is_no_json_is_told_so_before_anything_is_asked_about_the_sender(
    client: httpx.AsyncClient, content: bytes
) -> None:
    answer = await client.post(SIGN_IN, content=content, headers=JSON | EVIL)
    assert refusal(answer) == (400, "BAD_REQUEST")
    assert answer.json()["message"] == "Invalid JSON in request body"


async def test_a_long_number_is_a_number(client: httpx.AsyncClient) -> None:
    answer = await client.post(SIGN_IN, content=b'{"password":"a","email":%s}' % (b"9" * 10_000), headers=JSON)
    assert answer.json()["message"] == "[body.email] Invalid input: expected string, received number"


@pytest.mark.parametrize(
    ("path", "media_type", "allowed"),
    [
        ("/sign-in/email", "text/plain", f"{FORM}, application/json"),
        ("/sign-in/email", "application/vnd.api+json", f"{FORM}, application/json"),
        ("/change-password", FORM, "application/json"),
        ("/sign-out", "multipart/form-data; boundary=x", "application/json"),
    ],
)
async def test_other_media_types_are_refused_before_anything_is_asked_about_the_sender(
    client: httpx.AsyncClient, path: str, media_type: str, allowed: str
) -> None:
    answer = await client.post(BASE + path, content=b"{", headers={"content-type": media_type} | EVIL)
    assert refusal(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.json()["message"] == f'Content-Type "{media_type}" is not allowed. Allowed types: {allowed}'


async def test_a_form_signs_in_as_json_does(client: httpx.AsyncClient) -> None:
    answer = await client.post(SIGN_IN, data={"email": "nobody@example.org", "password": "x y+z"})
    assert refusal(answer) == (401, "INVALID_EMAIL_OR_PASSWORD")


async def test_a_body_has_a_bounded_size(client: httpx.AsyncClient) -> None:
    async def drips() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    for content in (b" " * (1024 * 1024 + 1), drips()):
        answer = await client.post(SIGN_IN, content=content, headers=JSON)
        assert refusal(answer) == (413, "REQUEST_TOO_LARGE")
        assert answer.headers["connection"] == "close"
    assert refusal(await client.post(SIGN_IN, content=b" " * (1024 * 1024), headers=JSON)) == (400, "BAD_REQUEST")


async def test_a_body_has_a_bounded_time(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(1)
        yield b"}"

    monkeypatch.setattr("entrypoints.http.requests.in_time.__defaults__", (0.05,))
    answer = await client.post(SIGN_IN, content=stalls(), headers=JSON)
    assert refusal(answer) == (408, "REQUEST_TIMEOUT")
    assert answer.headers["connection"] == "close"


async def test_a_form_has_a_bounded_number_of_fields(client: httpx.AsyncClient) -> None:
    answer = await client.post(SIGN_IN, content=b"a=&" * 2_000, headers={"content-type": FORM})
    assert refusal(answer) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cookie": "a=b"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "null"}, "MISSING_OR_NULL_ORIGIN"),
        ({"cookie": "a=b", "origin": "https://evil.test"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "referer": "https://evil.test/x"}, "INVALID_ORIGIN"),
        ({"cookie": "a=b", "origin": "https://evil.test", "referer": "http://ace.test/x"}, "INVALID_ORIGIN"),
    ],
)
async def test_with_a_cookie_a_trusted_page_has_to_ask(
    client: httpx.AsyncClient, headers: dict[str, str], expected: str
) -> None:
    """Even before the body is compared with its shape, whatever the endpoint."""
    for path in ("/sign-in/email", "/sign-out", "/revoke-sessions", "/change-password"):
        assert refusal(await client.post(BASE + path, headers=headers | JSON, content=b"[]")) == (403, expected)
    assert (await client.get(f"{BASE}/ok", headers=headers)).status_code == 200


@pytest.mark.parametrize("sender", [{"origin": "http://ace.test"}, {"referer": "http://ace.test/page?x=1"}])
async def test_our_own_page_may_ask(client: httpx.AsyncClient, sender: dict[str, str]) -> None:
    answer = await client.post(SIGN_IN, json={}, headers={"cookie": "a=b"} | sender)
    assert refusal(answer) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, "INVALID_EMAIL_OR_PASSWORD")),
        ({"sec-fetch-mode": "cors"}, (403, "MISSING_OR_NULL_ORIGIN")),
        ({"sec-fetch-mode": "cors", "origin": "http://ace.test"}, (401, "INVALID_EMAIL_OR_PASSWORD")),
        ({"sec-fetch-mode": "cors", "origin": "null"}, (403, "MISSING_OR_NULL_ORIGIN")),
        ({"origin": "https://evil.test"}, (403, "INVALID_ORIGIN")),
        ({"referer": "https://evil.test/"}, (403, "INVALID_ORIGIN")),
        (
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "origin": "http://ace.test"},
            (403, "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
        ),
    ],
)
async def test_without_a_cookie_nobody_is_signed_in_by_a_foreign_page(
    client: httpx.AsyncClient, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    body = {"email": "nobody@example.org", "password": "whatever it may be"}
    assert refusal(await client.post(SIGN_IN, json=body, headers=headers)) == expected
    assert refusal(await client.post(SIGN_IN, json={}, headers=headers)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("callbackURL", "INVALID_CALLBACK_URL"),
        ("redirectTo", "INVALID_REDIRECT_URL"),
        ("errorCallbackURL", "INVALID_ERROR_CALLBACK_URL"),
        ("newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL"),
    ],
)
async def test_a_page_to_go_to_has_to_be_trusted(client: httpx.AsyncClient, name: str, expected: str) -> None:
    for page in ("https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)"):
        assert refusal(await client.post(SIGN_IN, json={name: page})) == (403, expected)
    told: Any
    for odd in (1, True, ["a"], {"a": 1}):
        told = (await client.post(SIGN_IN, json={name: odd})).json()
        assert told == {"message": f"Invalid {'redirectURL' if name == 'redirectTo' else name}: expected a string"}
    for fine in ("/page?x=1", "http://ace.test/page", "", None, False, 0):
        assert (await client.post(SIGN_IN, json={name: fine})).json()["code"] == "VALIDATION_ERROR"


async def test_a_page_in_the_query_has_to_be_trusted(client: httpx.AsyncClient) -> None:
    there = {"callbackURL": "https://evil.test"}
    assert refusal(await client.post(SIGN_IN, params=there, json={})) == (403, "INVALID_CALLBACK_URL")
    twice = await client.post(SIGN_IN, params={"callbackURL": ["/a", "/b"]}, json={})
    assert refusal(twice) == (400, None)
    link = f"{BASE}/reset-password/abc"
    assert refusal(await client.get(link, params=there)) == (403, "INVALID_CALLBACK_URL")
    assert refusal(await client.get(link)) == (400, "VALIDATION_ERROR")


async def test_a_session_is_asked_for_after_the_shape(client: httpx.AsyncClient) -> None:
    path = f"{BASE}/change-password"
    assert refusal(await client.post(path, json={})) == (400, "VALIDATION_ERROR")
    body = {"currentPassword": "a", "newPassword": "b"}
    assert refusal(await client.post(path, json=body)) == (401, "UNAUTHORIZED")
    assert refusal(await client.get(f"{BASE}/list-sessions")) == (401, "UNAUTHORIZED")


async def test_who_must_change_the_password_first_may_do_nothing_else(
    client: httpx.AsyncClient, module_database: ClonedDatabase
) -> None:
    client.headers["origin"] = "http://ace.test"
    body = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}
    assert (await client.post(f"{BASE}/sign-up/email", json=body)).status_code == 200
    assert (await client.get(f"{BASE}/list-sessions")).status_code == 200
    module_database.keeper.execute("update users set must_change_password = true")
    refused = (403, "AUTH_PASSWORD_CHANGE_REQUIRED")
    assert refusal(await client.get(f"{BASE}/list-sessions")) == refused
    assert refusal(await client.post(f"{BASE}/update-user", json={"name": "Eve"})) == refused
    change = {"currentPassword": PASSWORD, "newPassword": "seven rivers under the bridge"}
    assert (await client.post(f"{BASE}/change-password", json=change)).status_code == 200
    assert (await client.get(f"{BASE}/list-sessions")).status_code == 200


async def test_the_page_of_errors_tells_the_code_and_nothing_that_could_be_run(client: httpx.AsyncClient) -> None:
    shown = await client.get(f"{BASE}/error", params={"error": "TOKEN_EXPIRED", "error_description": "<b>x"})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html")
    assert "TOKEN_EXPIRED" in shown.text
    assert "&lt;b&gt;x" in shown.text
    assert "UNKNOWN" in (await client.get(f"{BASE}/error", params={"error": "<script>"})).text


async def test_the_log_names_routes_and_never_what_a_link_has_in_it(
    client: httpx.AsyncClient, app: Application, log: list[bytes]
) -> None:
    log.clear()
    await client.get(f"{BASE}/reset-password/SECRET-TOKEN", params={"callbackURL": "/x", "token": "SECRET-TOKEN"})
    await client.get(f"{BASE}/nothing/SECRET-TOKEN")
    app.log.flush()
    lines, figures = b"".join(log), (await client.get("/metrics")).content
    for told in (lines, figures):
        assert b"/api/auth/reset-password/{token}" in told
        assert b"(unmatched)" in told
        assert b"SECRET-TOKEN" not in told


async def test_a_door_that_is_switched_off_is_not_there(module_database: ClonedDatabase) -> None:
    async with (
        serving(module_database, [], better_auth=BetterAuthSettings(served=False)) as app,
        browser(app) as client,
    ):
        assert code(await client.get(f"{BASE}/ok")) == "request.not_found"
        assert code(await client.post(SIGN_IN, json={})) == "request.not_found"
        assert code(await client.post("/student/auth/login", json={})) == "request.invalid"

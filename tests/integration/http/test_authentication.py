"""Who gets through to a handler: tokens, CSRF tokens, origins, and what changes about a person meanwhile."""

from __future__ import annotations

import httpx
import pytest

from entrypoints.http.app import Application
from tests.support.auth_builders import EMAIL
from tests.support.auth_http import ADA, EVIL, bearer, browser, code, serving
from tests.support.postgres import ClonedDatabase

UNSAFE = ["/student/auth/logout", "/student/auth/logout-all"]


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("shown", [None, "", "nonsense", "of another session"])
async def test_under_cookies_a_change_needs_the_csrf_token_of_this_session(
    ada: httpx.AsyncClient, app: Application, path: str, shown: str | None
) -> None:
    """Even one that equals the cookie is refused when it belongs to another session."""
    if shown == "of another session":
        async with browser(app) as other:
            shown = (await other.post("/student/auth/login", json=ADA)).json()["csrfToken"]
        ada.cookies.delete("ace_csrf")
        ada.cookies.set("ace_csrf", shown, domain="ace.test")
    del ada.headers["x-csrf-token"]
    answer = await ada.post(path, headers={} if shown is None else {"x-csrf-token": shown})
    assert (answer.status_code, code(answer)) == (403, "auth.csrf")
    assert (await ada.get("/student/auth/me")).status_code == 200


@pytest.mark.parametrize("path", UNSAFE)
async def test_the_csrf_token_must_equal_the_cookie(ada: httpx.AsyncClient, path: str) -> None:
    ada.cookies.delete("ace_csrf")
    answer = await ada.post(path)
    assert (answer.status_code, code(answer)) == (403, "auth.csrf")


@pytest.mark.parametrize("path", UNSAFE)
async def test_a_bearer_needs_no_csrf_token_and_no_origin(ada: httpx.AsyncClient, app: Application, path: str) -> None:
    async with browser(app) as other:
        answer = await other.post(path, headers=bearer(ada.cookies["ace_access"]) | EVIL)
    assert answer.status_code in (200, 204)
    assert code(await ada.get("/student/auth/me")) == "auth.session_ended"


@pytest.mark.parametrize("route", ["register", "login", "refresh", "logout", "logout-all"])
@pytest.mark.parametrize("portal", ["/student", "/instructor", "/admin", ""])
async def test_no_foreign_page_changes_anything(ada: httpx.AsyncClient, portal: str, route: str) -> None:
    for headers in (EVIL, {"origin": "null"}, {"sec-fetch-site": "same-site"}):
        answer = await ada.post(f"{portal}/auth/{route}", json=ADA, headers=headers)
        assert (answer.status_code, code(answer)) == (403, "auth.origin_refused")
        assert "set-cookie" not in answer.headers
    assert (await ada.get("/student/auth/me")).status_code == 200


@pytest.mark.parametrize("route", ["register", "login", "refresh"])
async def test_bodies_are_json_or_refused(client: httpx.AsyncClient, route: str) -> None:
    """A form is what a foreign page can send without asking."""
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await client.post(
            f"/student/auth/{route}", content=b'{"email": "a"}', headers={"content-type": media_type}
        )
        assert (answer.status_code, code(answer)) == (415, "request.unsupported_media_type")


@pytest.mark.parametrize("route", ["register", "login", "refresh", "logout", "logout-all"])
async def test_nothing_changes_by_get(ada: httpx.AsyncClient, route: str) -> None:
    answer = await ada.get(f"/student/auth/{route}")
    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, "auth.token_missing"),
        ({"authorization": "Basic YWRhOmFkYQ=="}, "auth.token_missing"),
        (bearer(""), "auth.token_invalid"),
        (bearer("nonsense"), "auth.token_invalid"),
        ({"cookie": "ace_access=nonsense"}, "auth.token_invalid"),
        ({"cookie": "ace_access=\u00ff"}, "auth.token_invalid"),
    ],
)
async def test_without_a_token_of_ours_one_is_asked_to_sign_in(
    client: httpx.AsyncClient, headers: dict[str, str], problem: str
) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await client.get("/student/auth/me", headers=encoded)
    assert (answer.status_code, code(answer)) == (401, problem)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_in_the_address_is_not_looked_at(ada: httpx.AsyncClient, app: Application) -> None:
    token = ada.cookies["ace_access"]
    async with browser(app) as other:
        for name in ("access_token", "token", "ace_access"):
            assert (await other.get("/student/auth/me", params={name: token})).status_code == 401


@pytest.mark.parametrize(
    "change",
    ["status = 'disabled'", "deleted_at = now()", "role = 'instructor'"],
)
async def test_what_happens_to_the_person_acts_on_the_next_request(
    ada: httpx.AsyncClient, cloned: ClonedDatabase, change: str
) -> None:
    with cloned.administration() as connection:
        connection.execute(f"update users set {change} where email = %s", (EMAIL,))
    for answer in (await ada.get("/student/auth/me"), await ada.post("/student/auth/refresh")):
        assert (answer.status_code, code(answer)) == (401, "auth.session_ended")


async def test_under_https_cookies_carry_the_host_prefix(cloned: ClonedDatabase) -> None:
    async with serving(cloned, [], public_url="https://ace.test") as app, browser(app, "https://ace.test") as client:
        answer = await client.post("/student/auth/register", json=ADA, headers={"origin": "https://ace.test"})
        lines = answer.headers.get_list("set-cookie")
        assert [line.split("=")[0] for line in lines] == ["__Host-ace_access", "__Host-ace_refresh", "__Host-ace_csrf"]
        assert all("; Secure" in line and "; Path=/" in line and "Domain" not in line for line in lines)
        assert (await client.get("/student/auth/me")).status_code == 200
        plain = await client.post("/student/auth/login", json=ADA, headers={"origin": "http://ace.test"})
        assert code(plain) == "auth.origin_refused"

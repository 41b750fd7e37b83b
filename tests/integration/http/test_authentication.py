"""Who is let in by what they show, and what changes about a person meanwhile. The matrices ask at every route."""

from __future__ import annotations

import httpx
import pytest

from tests.support.auth_builders import EMAIL
from tests.support.auth_http import ADA, bearer, browser, code, serving
from tests.support.postgres import ClonedDatabase


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

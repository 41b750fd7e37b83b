"""What the routes of one's own account refuse over HTTP, whoever asks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.auth.links import LinkPurpose
from entrypoints.http.app import Application
from tests.support.account_http import OWN, PUBLIC, id_of, link, one
from tests.support.auth_http import EVIL, bearer, code
from tests.support.postgres import ClonedDatabase


@pytest.mark.parametrize("session_id", ["%00", "%0d%0aset-cookie:%20a=b", "%22%3E", "é" * 60, "x" * 300])
@pytest.mark.parametrize("portal", ["/student/auth", "/auth"])
async def test_an_id_that_cannot_exist_breaks_nothing(ada: httpx.AsyncClient, portal: str, session_id: str) -> None:
    """Not even the header that names what replaces the old path."""
    answer = await ada.delete(f"{portal}/sessions/{session_id}")
    assert answer.status_code == 404, answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("route", [*PUBLIC, *OWN])
async def test_what_cannot_be_is_refused_at_its_field(
    ada: httpx.AsyncClient, cloned: ClonedDatabase, route: str
) -> None:
    """Unknown, missing, of the wrong type, too long, or with what no text has; nothing is hashed or ordered for it."""
    body: dict[str, Any] = (PUBLIC | OWN)[route]
    before = one(cloned, b"select count(*) from procrastinate_jobs")
    spoilt = [("/role", {**body, "role": "admin"})]
    for field in body:
        spoilt += [(f"/{field}", {**body, field: value}) for value in (7, None, ["x"], "x" * 5_000, "nul\0in\0it")]
        spoilt.append((f"/{field}", {name: value for name, value in body.items() if name != field}))
    for pointer, sent in spoilt:
        answer = await ada.post(f"/student/auth/{route}", json=sent)
        assert answer.status_code == 422, (sent, answer.text)
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}, (sent, answer.text)
    assert one(cloned, b"select count(*) from procrastinate_jobs") == before


@pytest.mark.parametrize("route", [*PUBLIC, *OWN])
async def test_asvs_7_6_2_reading_changes_nothing(ada: httpx.AsyncClient, app: Application, route: str) -> None:
    """Whoever opens or previews a link only reads; what it is good for takes a POST of our page."""
    token = await link(app, LinkPurpose.VERIFY_EMAIL, await id_of(ada, "/student/auth"))
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = await ada.request(method, f"/student/auth/{route}", params={"token": token})
        assert answer.status_code == 405
        assert "set-cookie" not in answer.headers
    assert (await ada.post("/student/auth/verify-email", json={"token": token})).status_code == 204


@pytest.mark.parametrize("route", PUBLIC)
async def test_foreign_pages_ask_for_nothing(ada: httpx.AsyncClient, route: str) -> None:
    evil = await ada.post(f"/student/auth/{route}", json=PUBLIC[route], headers=EVIL)
    assert (evil.status_code, code(evil)) == (403, "auth.origin_refused")
    text = await ada.post(f"/student/auth/{route}", content=b"{}", headers={"content-type": "text/plain"})
    assert text.status_code == 415


@pytest.mark.parametrize("route", OWN)
async def test_under_cookies_a_change_needs_the_token_of_the_page(ada: httpx.AsyncClient, route: str) -> None:
    token = ada.cookies["ace_access"]
    ada.headers.pop("x-csrf-token")
    assert code(await ada.post(f"/student/auth/{route}", json=OWN[route])) == "auth.csrf"
    assert code(await ada.delete("/student/auth/sessions/ses_none")) == "auth.csrf"
    ada.cookies.clear()
    assert (await ada.post(f"/student/auth/{route}", json=OWN[route], headers=bearer(token))).is_success

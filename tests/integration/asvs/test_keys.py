"""A key changes under people's feet, and nobody notices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from entrypoints.container import Container
from entrypoints.http import auth
from entrypoints.http.app import create_app
from entrypoints.http.logs import AccessLog
from entrypoints.settings import Settings
from tests.support.auth_http import ADA, bearer, browser, code
from tests.support.http import LogLines
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import SECRET

_NEWER = "a secret that takes the place of another one"


@asynccontextmanager
async def replica(database: ClonedDatabase, *secrets: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a replica with these secrets."""
    container = Container(settings=Settings(database_url=database.urls.app, secret_keys=secrets))
    app = create_app(container, (auth,), log=AccessLog(LogLines().write))
    async with app.lifespan(), browser(app) as client:
        yield client
    container.password_hasher().close()


async def test_asvs_11_2_2_a_key_changes_while_people_are_signed_in(cloned: ClonedDatabase) -> None:
    """Replicas with the old secret, with both, and with the new one alone, on one database."""
    async with (
        replica(cloned, SECRET) as old,
        replica(cloned, _NEWER, SECRET) as both,
        replica(cloned, _NEWER) as new,
    ):
        registered = (await old.post("/student/auth/register", json=ADA)).json()
        both.cookies.update(old.cookies)
        signed_before = bearer(registered["accessToken"])
        assert (await both.get("/student/auth/me")).status_code == 200
        assert code(await new.get("/student/auth/me", headers=signed_before)) == "auth.token_invalid"

        csrf = {"x-csrf-token": registered["csrfToken"]}
        unsafe = await both.post("/student/auth/change-password", json={}, headers=csrf)
        assert code(unsafe) == "request.invalid", "its page's token is as good as before"

        refreshed = await both.post("/student/auth/refresh")
        signed_since = bearer(refreshed.json()["accessToken"])
        assert (await new.get("/student/auth/me", headers=signed_since)).status_code == 200
        assert code(await old.get("/student/auth/me", headers=signed_since)) == "auth.token_invalid"
        again = await new.post("/student/auth/refresh", json={"refreshToken": both.cookies["ace_refresh"]})
        assert again.status_code == 200, "nobody is signed out"

"""The application with the auth area, and browsers that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from dependency_injector import providers

from adapters.security.passwords import ArgonPasswordHasher
from entrypoints.container import Container
from entrypoints.http import auth
from entrypoints.http.app import Application, create_app
from entrypoints.http.logs import AccessLog
from entrypoints.settings import Settings
from tests.support.auth_builders import EMAIL, PASSWORD, SECRET
from tests.support.postgres import ClonedDatabase

PORTALS = ("student", "instructor", "admin")
ADA = {"email": EMAIL, "password": PASSWORD}
# The real thing, at a fraction of its cost: what a hash costs is tested where it is made.
CHEAP_HASHES = {"memory_kib": 64, "passes": 1}
EVIL = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}


@asynccontextmanager
async def serving(database: ClonedDatabase, log: list[bytes], **settings: Any) -> AsyncIterator[Application]:
    """The application with the auth area only, as these settings make it."""
    container = Container(settings=Settings(database_url=database.urls.app, secret_keys=(SECRET,), **settings))
    container.password_hasher.override(providers.Singleton(ArgonPasswordHasher, **CHEAP_HASHES))
    app = create_app(container, (auth,), log=AccessLog(log.append))
    async with app.lifespan():
        yield app
    container.password_hasher().close()


def provided(app: Application, name: str) -> Any:
    """What the application's container provides under this name."""
    return app._container.providers[name]()


def browser(app: Application, base_url: str = "http://ace.test") -> httpx.AsyncClient:
    """A client that keeps cookies, as a browser does."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)  # type: ignore[arg-type]


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}

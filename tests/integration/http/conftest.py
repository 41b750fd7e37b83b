"""What tests over HTTP share: the whole application with people in it, and browsers at the doors of the auth area."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from entrypoints.http.app import Application
from tests.support.auth_http import ADA, browser, serving
from tests.support.one_day import stay_within_one_day
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import WholeSite, whole_site_of


@pytest.fixture(scope="module")
async def whole_site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """The whole application, filled once for the tests of a module."""
    async with whole_site_of(module_database) as site:
        yield site


@pytest.fixture
def site(whole_site: WholeSite) -> Iterator[WholeSite]:
    """The site, in which a test must leave every table with as many rows as before. Nobody has asked too often yet."""
    whole_site.database.keeper.execute("delete from attempt_counters")
    before = whole_site.rows()
    yield whole_site
    assert whole_site.rows() == before


@pytest.fixture
def within_one_day() -> None:
    """No day of study ends in the middle of a test."""
    stay_within_one_day()


@pytest.fixture(scope="module")
def log() -> list[bytes]:
    """Everything that the access log of `app` wrote."""
    return []


@pytest.fixture(scope="module")
async def app(module_database: ClonedDatabase, log: list[bytes]) -> AsyncIterator[Application]:
    """The auth area, one application for the tests of a module; its database is emptied before each."""
    async with serving(module_database, log) as app:
        yield app


@pytest.fixture
async def client(app: Application, cloned: ClonedDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with."""
    async with browser(app) as client:
        yield client


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's browser, signed in, sending the CSRF token as our pages do."""
    answer = await client.post("/student/auth/register", json=ADA | {"name": "Ada", "username": "ada"})
    assert answer.status_code == 201
    client.headers["x-csrf-token"] = answer.json()["csrfToken"]
    return client

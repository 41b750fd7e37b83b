"""Whoever registers begins in the packages that the operator named, and registers whatever becomes of that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from dependency_injector import providers

from adapters.security.passwords import ArgonPasswordHasher
from adapters.system.clock import SystemClock, TimeOrderedIds
from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.support.auth_http import CHEAP_HASHES
from tests.support.enrollment_builders import MONTHLY, STANDARD, a_package
from tests.support.enrollment_stores import OnPostgres
from tests.support.http import ORIGIN
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD, SECRET


@asynccontextmanager
async def serving(cloned: ClonedDatabase, *packages: str) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application with one package, `network`."""
    settings = Settings(database_url=cloned.urls.app, secret_keys=(SECRET,), auto_enroll_packages=packages)
    container = Container(settings=settings)
    container.password_hasher.override(providers.Singleton(ArgonPasswordHasher, **CHEAP_HASHES))
    store = OnPostgres(database=container.database(), clock=SystemClock(), ids=TimeOrderedIds())
    app = create_app(container)
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        await store.add_package(a_package(tiers=(STANDARD, MONTHLY)))
        yield client


async def register(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What a new student is enrolled in."""
    person = {"email": "ada@example.org", "password": PASSWORD, "delivery": "body"}
    answer = await client.post("/student/auth/register", json=person)
    assert answer.status_code == 201, answer.text
    token = answer.json()["accessToken"]
    mine = await client.get("/student/enrollments", headers={"authorization": f"Bearer {token}"})
    items: list[dict[str, Any]] = mine.json()["items"]
    return items


async def test_a_new_student_is_enrolled_where_that_is_possible(cloned: ClonedDatabase) -> None:
    async with serving(cloned, "nowhere", "network") as client:
        (item,) = await register(client)
        assert (item["packageSlug"], item["tierId"], item["status"]) == ("network", STANDARD.id, "active")


async def test_a_database_that_refuses_enrolments_keeps_nobody_from_registering(cloned: ClonedDatabase) -> None:
    async with serving(cloned, "network") as client:
        cloned.keeper.execute("alter table enrollments add constraint none_today check (false) not valid")
        try:
            assert await register(client) == []
        finally:
            cloned.keeper.execute("alter table enrollments drop constraint none_today")


async def test_where_nothing_is_named_nobody_is_enrolled(cloned: ClonedDatabase) -> None:
    async with serving(cloned) as client:
        assert await register(client) == []

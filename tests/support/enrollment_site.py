"""Packages and enrolments as they are served, down to the database. Headers tell who calls, in place of signing in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx
from litestar import Request
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from adapters.system.clock import SystemClock, TimeOrderedIds
from domain.auth.people import Actor, Role
from entrypoints.container import Container
from entrypoints.http import enrollment
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.support.enrollment_builders import ALL_TIERS, a_package
from tests.support.enrollment_stores import OnPostgres
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import SECRET

ENROLLMENTS: Final = "/student/enrollments"
PACKAGE: Final = a_package(tiers=ALL_TIERS)


class CallersByHeader:
    """The area that offers the actor."""

    handlers: Sequence[ControllerRouterHandler] = ()

    def __init__(self) -> None:
        self.dependencies = {"actor": Provide(_actor, sync_to_thread=False)}


def _actor(request: Request[Any, Any, Any]) -> Actor:
    role = Role(request.headers.get("x-role", "student"))
    return Actor(user_id=request.headers["x-caller"], role=role, session_id="ses_1")


@dataclass
class EnrollmentSite:
    """The served application, and the store behind it. Ada and Grace study, Root administers."""

    client: httpx.AsyncClient
    store: OnPostgres

    async def enroll(self, *, caller: str = "usr_ada", key: str | None = None, **body: str | None) -> httpx.Response:
        headers = {"x-caller": caller} | ({"idempotency-key": key} if key else {})
        return await self.client.post(ENROLLMENTS, json={"examPackageId": PACKAGE.id} | body, headers=headers)

    async def upgrade(self, tier_id: Any, *, package_id: str = PACKAGE.id, caller: str = "usr_ada") -> httpx.Response:
        path = f"{ENROLLMENTS}/{package_id}"
        return await self.client.patch(path, json={"tierId": tier_id}, headers={"x-caller": caller})

    async def cancel(self, package_id: str = PACKAGE.id) -> httpx.Response:
        return await self.client.delete(f"{ENROLLMENTS}/{package_id}", headers={"x-caller": "usr_ada"})

    async def mine(self, caller: str = "usr_ada", **query: str | int) -> dict[str, Any]:
        answer = await self.client.get(ENROLLMENTS, params=query, headers={"x-caller": caller})
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body

    async def administer(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"x-caller": "usr_root", "x-role": "admin"} | options.pop("headers", {})
        return await self.client.request(method, f"/admin{path}", headers=headers, **options)

    async def let_lapse(self, user_id: str = "usr_ada") -> None:
        """A student's active enrolments turn out to have ended an hour ago, and nobody has written that down."""
        await self.store.database.fetch_all(
            "update enrollments set started_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"
            " where user_id = %(id)s and status = 'active' returning id",
            {"id": user_id},
        )


@asynccontextmanager
async def enrollment_site(cloned: ClonedDatabase) -> AsyncIterator[EnrollmentSite]:
    container = Container(settings=Settings(database_url=cloned.urls.app, secret_keys=(SECRET,)))
    store = OnPostgres(database=container.database(), clock=SystemClock(), ids=TimeOrderedIds())
    app = create_app(container, (enrollment, CallersByHeader()))
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://ace.test") as client:
        await store.add_package(PACKAGE)
        for user_id in ("usr_ada", "usr_grace"):
            await store.add_student(user_id)
        await store.add_student("usr_root", role=Role.ADMIN)
        yield EnrollmentSite(client, store)

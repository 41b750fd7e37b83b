"""Exam packages and enrolments over HTTP, down to the database. A header tells who calls, in place of signing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from litestar import Request
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from adapters.postgres.database import Database
from adapters.postgres.enrollment import PostgresEnrollmentReader, PostgresPackageReader
from adapters.system.clock import SystemClock, TimeOrderedIds
from application.enrollment.defining import PackageOutline
from domain.auth.people import Actor, Role
from entrypoints.http import enrollment
from entrypoints.http.app import create_app
from tests.support.enrollment_builders import OPEN, RETIRED, SPONSORED, STANDARD, a_package, hidden
from tests.support.enrollment_stores import OnPostgres
from tests.support.postgres import ClonedDatabase

ENROLLMENTS = "/student/enrollments"
PACKAGE = a_package()
_SETTINGS = SimpleNamespace(
    cors_origins=(), allowed_hosts=(), trusted_proxies=(), public_url=None, docs=False, metrics=False
)


class CallersByHeader:
    """The area that offers the actor."""

    handlers: Sequence[ControllerRouterHandler] = ()

    def __init__(self) -> None:
        self.dependencies = {"actor": Provide(_actor, sync_to_thread=False)}


def _actor(request: Request[Any, Any, Any]) -> Actor:
    return Actor(user_id=request.headers["x-caller"], role=Role.STUDENT, session_id="ses_1")


@dataclass
class Site:
    """The served application, and the store behind it."""

    client: httpx.AsyncClient
    store: OnPostgres

    async def enroll(self, *, caller: str = "usr_ada", key: str | None = None, **body: str | None) -> httpx.Response:
        headers = {"x-caller": caller} | ({"idempotency-key": key} if key else {})
        return await self.client.post(ENROLLMENTS, json={"examPackageId": PACKAGE.id} | body, headers=headers)

    async def cancel(self, package_id: str = PACKAGE.id) -> httpx.Response:
        return await self.client.delete(f"{ENROLLMENTS}/{package_id}", headers={"x-caller": "usr_ada"})

    async def mine(self, caller: str = "usr_ada", **query: str | int) -> dict[str, Any]:
        answer = await self.client.get(ENROLLMENTS, params=query, headers={"x-caller": caller})
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
async def site(cloned: ClonedDatabase) -> AsyncIterator[Site]:
    database = Database(cloned.urls.app, pool_min=1, pool_max=4)
    store = OnPostgres(database=database, clock=SystemClock(), ids=TimeOrderedIds())
    served: dict[str, Any] = {
        "settings": _SETTINGS,
        "database": database,
        "enroll": store.enroll,
        "cancel_enrollment": store.cancel,
        "package_reader": PostgresPackageReader(database),
        "enrollment_reader": PostgresEnrollmentReader(database),
    }
    container = SimpleNamespace(providers={name: (lambda value=value: value) for name, value in served.items()})
    app = create_app(container, (enrollment, CallersByHeader()))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.lifespan())
        transport = httpx.ASGITransport(app=cast("Any", app))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://ace.test"))
        await store.add_package(PACKAGE)
        for user_id in ("usr_ada", "usr_grace"):
            await store.add_student(user_id)
        yield Site(client, store)


async def test_packages_are_listed_for_anybody(site: Site) -> None:
    answer = await site.client.get("/exam-packages")
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "id": PACKAGE.id,
                "slug": "network",
                "title": PACKAGE.title,
                "description": PACKAGE.description,
                "questionCount": 0,
                "durationSeconds": 5400,
                "passMark": "72.50",
                "version": 1,
                "tiers": [
                    {"id": STANDARD.id, "name": "Standard", "isDefault": True},
                    {"id": OPEN.id, "name": "Open", "isDefault": False},
                ],
            }
        ],
        "nextCursor": None,
    }


async def test_an_unchanged_list_of_packages_is_not_sent_again(site: Site) -> None:
    tag = (await site.client.get("/exam-packages")).headers["etag"]
    again = await site.client.get("/exam-packages", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    await site.store.define(None, PackageOutline(slug="routing", title="Routing"))
    changed = await site.client.get("/exam-packages", headers={"if-none-match": tag})
    assert (changed.status_code, len(changed.json()["items"])) == (200, 2)


async def test_packages_are_found_by_text_and_read_page_by_page(site: Site) -> None:
    for number in range(3):
        await site.store.define(None, PackageOutline(slug=f"routing-{number}", title="Routing"))
    first = await site.client.get("/exam-packages", params={"q": "ROUTING", "limit": 2})
    assert [item["slug"] for item in first.json()["items"]] == ["routing-0", "routing-1"]
    assert first.links["next"]["url"].startswith("/exam-packages?q=ROUTING&limit=2&cursor=")
    rest = await site.client.get(first.links["next"]["url"])
    assert [item["slug"] for item in rest.json()["items"]] == ["routing-2"]
    assert rest.json()["nextCursor"] is None


@pytest.mark.parametrize("query", [{"q": "\0"}, {"q": "x" * 201}, {"limit": "0"}, {"cursor": "tampered"}])
async def test_a_query_that_cannot_be_is_refused_and_not_a_fault(site: Site, query: dict[str, str]) -> None:
    answer = await site.client.get("/exam-packages", params=query)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_enrolling_is_201_and_again_200_with_the_same_row(site: Site) -> None:
    first = await site.enroll()
    assert first.status_code == 201
    body = first.json()
    started_at = body.pop("startedAt")
    assert started_at.endswith("Z")
    assert body.pop("id").startswith("enr_")
    assert body == {
        "examPackageId": PACKAGE.id,
        "tierId": STANDARD.id,
        "status": "active",
        "endedAt": None,
        "endReason": None,
    }
    again = await site.enroll(tierId=STANDARD.id)
    assert (again.status_code, again.json()) == (200, first.json())


async def test_twenty_requests_at_once_make_one_row(site: Site) -> None:
    answers = await asyncio.gather(*(site.enroll() for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await site.mine())["items"]) == 1


async def test_a_key_repeats_the_first_answer_even_after_the_enrolment_ended(site: Site) -> None:
    first = await site.enroll(key="once")
    await site.cancel()
    again = await site.enroll(key="once")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert [item["status"] for item in (await site.mine())["items"]] == ["ended"]


async def test_a_key_belongs_to_one_request(site: Site) -> None:
    await site.enroll(key="once")
    reused = await site.enroll(key="once", tierId=OPEN.id)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency.key_reused")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"examPackageId": "pkg_unknown"}, 404, "package.not_found"),
        ({"tierId": "tier_unknown"}, 422, "enrollment.tier_unknown"),
        ({"tierId": RETIRED.id}, 422, "enrollment.tier_unknown"),
        ({"tierId": SPONSORED.id}, 403, "enrollment.tier_not_self_service"),
    ],
)
async def test_what_a_student_may_not_have_is_refused_by_its_code(
    site: Site, body: dict[str, str], status: int, code: str
) -> None:
    answer = await site.enroll(**body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await site.mine())["items"] == []


async def test_a_hidden_package_is_not_found(site: Site) -> None:
    await site.store.add_package(hidden(a_package("pkg_hidden", slug="hidden", tiers=())))
    answer = await site.enroll(examPackageId="pkg_hidden")
    assert (answer.status_code, answer.json()["code"]) == (404, "package.not_found")


async def test_another_tier_of_the_same_package_is_a_conflict(site: Site) -> None:
    await site.enroll()
    answer = await site.enroll(tierId=OPEN.id)
    assert (answer.status_code, answer.json()["code"]) == (409, "enrollment.exists")


async def test_an_unknown_field_is_refused(site: Site) -> None:
    answer = await site.enroll(userId="usr_grace")
    assert answer.status_code == 422
    assert "userId" in answer.text


async def test_cancelling_ends_the_enrolment_and_enrolling_anew_starts_another(site: Site) -> None:
    first = (await site.enroll()).json()
    assert (await site.cancel()).status_code == 204
    assert (await site.enroll()).status_code == 201
    newest, oldest = (await site.mine())["items"]
    assert (newest["status"], oldest["id"], oldest["endReason"]) == ("active", first["id"], "cancelled")
    assert oldest["endedAt"] <= newest["startedAt"]


@pytest.mark.parametrize("package_id", [PACKAGE.id, "pkg_unknown"])
async def test_cancelling_what_is_not_active_is_not_found(site: Site, package_id: str) -> None:
    answer = await site.cancel(package_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "enrollment.not_found")


async def test_students_see_and_end_only_their_own_enrolments(site: Site) -> None:
    await site.enroll(caller="usr_grace")
    assert (await site.mine("usr_ada"))["items"] == []
    assert (await site.cancel()).status_code == 404
    (item,) = (await site.mine("usr_grace"))["items"]
    assert (item["packageTitle"], item["tierName"], item["status"]) == (PACKAGE.title, "Standard", "active")


async def test_enrolments_are_read_page_by_page(site: Site) -> None:
    for _ in range(3):
        await site.enroll()
        await site.cancel()
    first = await site.mine(limit=2)
    rest = await site.mine(limit=2, cursor=first["nextCursor"])
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["nextCursor"]) == (3, None)


def test_only_the_list_of_packages_is_public() -> None:
    assert "callers" not in enrollment.list_exam_packages.opt
    for handler in (enrollment.list_enrollments, enrollment.enroll_in_package, enrollment.leave_package):
        assert handler.opt["callers"] == (Role.STUDENT,)

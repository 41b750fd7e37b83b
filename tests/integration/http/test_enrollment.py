"""Exam packages and enrolments over HTTP, down to the database. A header tells who calls, in place of signing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from application.enrollment.defining import PackageOutline
from domain.auth.people import Role
from domain.enrollment.packages import Tier
from entrypoints.http.enrollment import enrolling
from tests.support.enrollment_builders import GOLD, MONTHLY, OPEN, RETIRED, SPONSORED, STANDARD, a_package, hidden
from tests.support.enrollment_site import PACKAGE, EnrollmentSite, enrollment_site
from tests.support.postgres import ClonedDatabase


@pytest.fixture
async def site(cloned: ClonedDatabase) -> AsyncIterator[EnrollmentSite]:
    async with enrollment_site(cloned) as site:
        yield site


def shown(tier: Tier) -> dict[str, Any]:
    """As a chooser sees it."""
    return {
        "id": tier.id,
        "name": tier.name,
        "isDefault": tier.is_default,
        "weeklyPracticeSessions": None,
        "weeklyExamSessions": None,
        "accessDays": tier.access_days,
        "rank": tier.rank,
    }


async def test_packages_are_listed_for_anybody(site: EnrollmentSite) -> None:
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
                "passMark": "72.5",
                "examQuestionCount": None,
                "attemptsAllowed": None,
                "opensAt": None,
                "closesAt": None,
                "version": 1,
                "tiers": [shown(tier) for tier in (STANDARD, GOLD, MONTHLY, OPEN)],
            }
        ],
        "nextCursor": None,
    }


async def test_an_unchanged_list_of_packages_is_not_sent_again(site: EnrollmentSite) -> None:
    tag = (await site.client.get("/exam-packages")).headers["etag"]
    again = await site.client.get("/exam-packages", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    await site.store.define(None, PackageOutline(slug="routing", title="Routing"))
    changed = await site.client.get("/exam-packages", headers={"if-none-match": tag})
    assert (changed.status_code, len(changed.json()["items"])) == (200, 2)


async def test_packages_are_found_by_text_and_read_page_by_page(site: EnrollmentSite) -> None:
    for number in range(3):
        await site.store.define(None, PackageOutline(slug=f"routing-{number}", title="Routing"))
    first = await site.client.get("/exam-packages", params={"q": "ROUTING", "limit": 2})
    assert [item["slug"] for item in first.json()["items"]] == ["routing-0", "routing-1"]
    assert first.links["next"]["url"].startswith("/exam-packages?q=ROUTING&limit=2&cursor=")
    rest = await site.client.get(first.links["next"]["url"])
    assert [item["slug"] for item in rest.json()["items"]] == ["routing-2"]
    assert rest.json()["nextCursor"] is None


@pytest.mark.parametrize("query", [{"q": "\0"}, {"q": "x" * 201}, {"limit": "0"}, {"cursor": "tampered"}])
async def test_a_query_that_cannot_be_is_refused_and_not_a_fault(site: EnrollmentSite, query: dict[str, str]) -> None:
    answer = await site.client.get("/exam-packages", params=query)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_enrolling_is_201_and_again_200_with_the_same_row(site: EnrollmentSite) -> None:
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
        "expiresAt": None,
        "endedAt": None,
        "endReason": None,
    }
    again = await site.enroll(tierId=STANDARD.id)
    assert (again.status_code, again.json()) == (200, first.json())


async def test_twenty_requests_at_once_make_one_row(site: EnrollmentSite) -> None:
    answers = await asyncio.gather(*(site.enroll() for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await site.mine())["items"]) == 1


async def test_a_key_repeats_the_first_answer_even_after_the_enrolment_ended(site: EnrollmentSite) -> None:
    first = await site.enroll(key="once")
    await site.cancel()
    again = await site.enroll(key="once")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert [item["status"] for item in (await site.mine())["items"]] == ["ended"]


async def test_a_key_belongs_to_one_request(site: EnrollmentSite) -> None:
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
    site: EnrollmentSite, body: dict[str, str], status: int, code: str
) -> None:
    answer = await site.enroll(**body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await site.mine())["items"] == []


async def test_a_hidden_package_is_not_found(site: EnrollmentSite) -> None:
    await site.store.add_package(hidden(a_package("pkg_hidden", slug="hidden", tiers=())))
    answer = await site.enroll(examPackageId="pkg_hidden")
    assert (answer.status_code, answer.json()["code"]) == (404, "package.not_found")


async def test_another_tier_of_the_same_package_is_a_conflict(site: EnrollmentSite) -> None:
    await site.enroll()
    answer = await site.enroll(tierId=OPEN.id)
    assert (answer.status_code, answer.json()["code"]) == (409, "enrollment.exists")


async def test_an_unknown_field_is_refused(site: EnrollmentSite) -> None:
    answer = await site.enroll(userId="usr_grace")
    assert answer.status_code == 422
    assert "userId" in answer.text


async def test_cancelling_ends_the_enrolment_and_enrolling_anew_starts_another(site: EnrollmentSite) -> None:
    first = (await site.enroll()).json()
    assert (await site.cancel()).status_code == 204
    assert (await site.enroll()).status_code == 201
    newest, oldest = (await site.mine())["items"]
    assert (newest["status"], oldest["id"], oldest["endReason"]) == ("active", first["id"], "cancelled")
    assert oldest["endedAt"] <= newest["startedAt"]


@pytest.mark.parametrize("package_id", [PACKAGE.id, "pkg_unknown"])
async def test_cancelling_what_is_not_active_is_not_found(site: EnrollmentSite, package_id: str) -> None:
    answer = await site.cancel(package_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "enrollment.not_found")


async def test_students_see_and_end_only_their_own_enrolments(site: EnrollmentSite) -> None:
    await site.enroll(caller="usr_grace")
    assert (await site.mine("usr_ada"))["items"] == []
    assert (await site.cancel()).status_code == 404
    (item,) = (await site.mine("usr_grace"))["items"]
    assert (item["packageTitle"], item["tierName"], item["status"]) == (PACKAGE.title, "Standard", "active")


async def test_enrolments_are_read_page_by_page(site: EnrollmentSite) -> None:
    for _ in range(3):
        await site.enroll()
        await site.cancel()
    first = await site.mine(limit=2)
    rest = await site.mine(limit=2, cursor=first["nextCursor"])
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["nextCursor"]) == (3, None)


def test_students_do_for_themselves_what_is_here() -> None:
    for handler in enrolling.handlers:
        assert cast("Any", handler).opt["callers"] == (Role.STUDENT,)

"""Students read their own enrolment, narrow the list of them, and come back to a tier, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.enrollment_builders import GOLD, MONTHLY, OPEN, STANDARD, a_package
from tests.support.enrollment_site import ENROLLMENTS, PACKAGE, EnrollmentSite, enrollment_site
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

NO_DEFAULT = a_package("pkg_no_default", slug="no-default", tiers=())


@pytest.fixture
async def site(cloned: ClonedDatabase) -> AsyncIterator[EnrollmentSite]:
    async with enrollment_site(cloned) as site:
        yield site


async def read(site: EnrollmentSite, package_id: str = PACKAGE.id, caller: str = "usr_ada") -> httpx.Response:
    return await site.client.get(f"{ENROLLMENTS}/{package_id}", headers={"x-caller": caller})


async def age(site: EnrollmentSite, interval: str) -> None:
    """All enrolments turn out to have begun, and to end, so much earlier."""
    await site.store.database.fetch_all(
        "update enrollments"
        " set started_at = started_at - %(ago)s::interval, expires_at = expires_at - %(ago)s::interval returning id",
        {"ago": interval},
    )


async def hide(site: EnrollmentSite) -> None:
    await site.store.database.fetch_all("update exam_packages set visibility = 'hidden' returning id")


async def test_a_student_reads_all_about_the_own_enrolment_also_when_the_package_is_hidden(
    site: EnrollmentSite,
) -> None:
    enrolled = (await site.enroll(tierId=MONTHLY.id)).json()
    listed = (await site.client.get(f"/exam-packages/{PACKAGE.id}")).json()
    await hide(site)
    assert_problem(await site.client.get(f"/exam-packages/{PACKAGE.id}"), 404, "package.not_found")
    answer = await read(site)
    assert answer.status_code == 200
    offered = {tier["id"]: tier for tier in listed["tiers"]}
    assert answer.json() == {
        **enrolled,
        "tier": offered[MONTHLY.id],
        "examPackage": listed,
        "upgrades": [offered[GOLD.id]],
        "practice": {"weeklyLimit": None, "used": 0, "remaining": None, "nextFreeAt": None},
    }
    assert listed["passMark"] == "72.5"


async def test_one_that_has_ended_is_read_as_such(site: EnrollmentSite) -> None:
    await site.enroll()
    await site.let_lapse()
    body = (await read(site)).json()
    assert (body["status"], body["endReason"], body["endedAt"]) == ("ended", "expired", body["expiresAt"])
    assert (body["upgrades"], body["practice"]) == ([], None)


async def test_nobody_reads_the_enrolment_of_another(site: EnrollmentSite) -> None:
    await site.enroll(caller="usr_grace")
    for package_id in (PACKAGE.id, "pkg_unknown", PACKAGE.slug):
        assert_problem(await read(site, package_id), 404, "enrollment.not_found")


async def test_the_list_of_enrolments_is_narrowed(site: EnrollmentSite) -> None:
    await site.enroll()
    await site.cancel()
    newest = (await site.enroll(tierId=OPEN.id)).json()["id"]

    async def listed(**query: Any) -> list[str]:
        return [item["id"] for item in (await site.mine(**query))["items"]]

    both = await listed()
    assert (len(both), both[0]) == (2, newest)
    assert await listed(status="active") == [newest]
    assert await listed(status="ended") == both[1:]
    assert await listed(examPackageId=PACKAGE.id) == both
    assert await listed(examPackageId="pkg_other") == await listed(examPackageId=PACKAGE.slug) == []
    path = "/users/usr_ada/enrollments"
    told = await site.administer("GET", path, params={"status": "ended", "examPackageId": PACKAGE.id})
    assert [item["id"] for item in told.json()["items"]] == both[1:]
    wrong = await site.client.get(ENROLLMENTS, params={"status": "paused"}, headers={"x-caller": "usr_ada"})
    assert wrong.status_code == 422


async def test_days_that_are_used_up_are_refused_however_a_student_comes_back(site: EnrollmentSite) -> None:
    await site.enroll(tierId=MONTHLY.id)
    await age(site, "10 days")
    before = (await read(site)).json()
    await site.cancel()
    again = (await site.enroll(tierId=MONTHLY.id)).json()
    assert again["id"] != before["id"]
    assert again["expiresAt"] == before["expiresAt"]
    await age(site, "20 days")
    assert_problem(await site.enroll(tierId=MONTHLY.id), 403, "enrollment.access_used_up")
    assert (await site.enroll()).status_code == 201
    assert_problem(await site.upgrade(MONTHLY.id), 403, "enrollment.access_used_up")
    assert [item["tierId"] for item in (await site.mine(status="active"))["items"]] == [STANDARD.id]
    given = await site.administer(
        "PATCH", f"/users/usr_ada/enrollments/{PACKAGE.id}", json={"tierId": MONTHLY.id, "reason": "Paid again"}
    )
    assert given.json()["expiresAt"] > again["expiresAt"]


async def test_who_names_no_tier_where_there_is_no_default_is_told_so(site: EnrollmentSite) -> None:
    await site.store.add_package(NO_DEFAULT)
    refused = await site.enroll(examPackageId=NO_DEFAULT.id)
    assert_problem(refused, 422, "enrollment.tier_unknown")
    problem = refused.json()
    assert "names no tier, and the package has no default one" in problem["detail"]
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [("/tierId", "required")]
    unknown = (await site.enroll(tierId="tier_unknown")).json()
    assert [(each["pointer"], each["code"]) for each in unknown["errors"]] == [("/tierId", "unknown")]
    admin = await site.administer("POST", "/users/usr_ada/enrollments", json={"examPackageId": NO_DEFAULT.id})
    assert admin.json()["errors"] == problem["errors"]

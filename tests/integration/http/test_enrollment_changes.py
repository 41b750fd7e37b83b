"""Better tiers and enrolments that end by themselves, as students meet them over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.enrollment_builders import CORPORATE, GOLD, MONTHLY, OPEN, RETIRED, STANDARD
from tests.support.enrollment_site import PACKAGE, EnrollmentSite, enrollment_site
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase


@pytest.fixture
async def site(cloned: ClonedDatabase) -> AsyncIterator[EnrollmentSite]:
    async with enrollment_site(cloned) as site:
        yield site


async def test_a_student_changes_to_a_better_tier_and_the_history_keeps_the_one_before(site: EnrollmentSite) -> None:
    first = (await site.enroll()).json()
    answer = await site.upgrade(MONTHLY.id)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["tierId"], body["status"], body["endedAt"]) == (MONTHLY.id, "active", None)
    stay = datetime.fromisoformat(body["expiresAt"]) - datetime.fromisoformat(body["startedAt"])
    assert stay == timedelta(days=30)
    newest, oldest = (await site.mine())["items"]
    assert (newest["id"], newest["tierName"], newest["expiresAt"]) == (body["id"], "Monthly", body["expiresAt"])
    assert (oldest["id"], oldest["endReason"], oldest["endedAt"]) == (first["id"], "tier_change", body["startedAt"])


async def test_asking_for_a_better_tier_again_changes_nothing(site: EnrollmentSite) -> None:
    await site.enroll()
    first = await site.upgrade(GOLD.id)
    again = await site.upgrade(GOLD.id)
    assert (again.status_code, again.json()) == (200, first.json())
    assert len((await site.mine())["items"]) == 2


@pytest.mark.parametrize(
    ("held", "wanted", "status", "code"),
    [
        (GOLD, MONTHLY, 403, "enrollment.not_an_upgrade"),
        (STANDARD, OPEN, 403, "enrollment.not_an_upgrade"),
        (STANDARD, CORPORATE, 403, "enrollment.tier_not_self_service"),
        (STANDARD, RETIRED, 422, "enrollment.tier_unknown"),
        (STANDARD, None, 422, "request.invalid"),
        (None, GOLD, 404, "enrollment.not_found"),
    ],
)
async def test_any_other_change_is_refused_by_its_code(
    site: EnrollmentSite, held: Any, wanted: Any, status: int, code: str
) -> None:
    if held is not None:
        await site.enroll(tierId=held.id)
    before = await site.mine()
    answer = await site.upgrade(wanted.id if wanted else None)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await site.mine() == before


@pytest.mark.parametrize("package_id", ["pkg_unknown", "x" * 200, "%00"])
async def test_a_package_that_is_not_there_or_cannot_be_is_not_found(site: EnrollmentSite, package_id: str) -> None:
    assert (await site.upgrade(GOLD.id, package_id=package_id)).status_code == 404


async def test_the_enrolments_of_another_are_not_changed(site: EnrollmentSite) -> None:
    await site.enroll(caller="usr_grace")
    before = await site.mine("usr_grace")
    assert_problem(await site.upgrade(GOLD.id), 404, "enrollment.not_found")
    assert await site.mine("usr_grace") == before


async def test_of_many_better_tiers_asked_for_at_once_the_best_stays(site: EnrollmentSite) -> None:
    """Whoever is late either climbs on or is told that it would be no upgrade."""
    await site.enroll()
    answers = await asyncio.gather(*(site.upgrade(tier.id) for tier in [MONTHLY, GOLD] * 5))
    assert {answer.status_code for answer in answers} <= {200, 403}
    items = (await site.mine())["items"]
    assert [item["status"] for item in items] == ["active"] + ["ended"] * (len(items) - 1)
    assert items[0]["tierId"] == GOLD.id


async def test_an_enrolment_whose_time_is_over_shows_as_ended_before_anybody_wrote_it_down(
    site: EnrollmentSite,
) -> None:
    await site.enroll(tierId=MONTHLY.id)
    await site.let_lapse()
    (item,) = (await site.mine())["items"]
    assert (item["status"], item["endReason"], item["endedAt"]) == ("ended", "expired", item["expiresAt"])
    (row,) = await site.store.history()
    assert row.ended_at is None


async def test_whose_time_is_over_may_enrol_anew_and_has_nothing_to_change_or_leave(site: EnrollmentSite) -> None:
    await site.enroll(tierId=MONTHLY.id)
    await site.let_lapse()
    assert_problem(await site.upgrade(GOLD.id), 404, "enrollment.not_found")
    assert_problem(await site.cancel(), 404, "enrollment.not_found")
    anew = await site.enroll(tierId=OPEN.id)
    assert (anew.status_code, anew.json()["tierId"]) == (201, OPEN.id)
    newest, oldest = (await site.mine())["items"]
    assert (newest["status"], oldest["status"], oldest["endReason"]) == ("active", "ended", "expired")
    assert oldest["endedAt"] == oldest["expiresAt"] < newest["startedAt"]


async def test_a_hidden_package_does_not_keep_its_students_from_a_better_tier(site: EnrollmentSite) -> None:
    await site.enroll()
    await site.store.database.fetch_all("update exam_packages set visibility = 'hidden' returning id")
    assert (await site.upgrade(GOLD.id)).status_code == 200
    assert PACKAGE.id in {item["examPackageId"] for item in (await site.mine())["items"]}

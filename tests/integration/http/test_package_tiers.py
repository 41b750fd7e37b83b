"""The tiers of exam packages over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.package_http import MANAGED, added, audited, change, made, pointers
from tests.support.whole_site import WholeSite


async def test_tiers_are_added_changed_and_deleted(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    tier = await added(
        whole_site, package, name="Trial", isDefault=True, weeklyExamSessions=0, accessDays=7, expectedVersion=1
    )
    assert tier == {
        "id": tier["id"],
        "name": "Trial",
        "isDefault": True,
        "selfService": True,
        "active": True,
        "weeklyPracticeSessions": None,
        "weeklyExamSessions": 0,
        "accessDays": 7,
        "rank": 0,
        "examPackageId": package["id"],
        "packageVersion": 2,
    }
    at = f"{MANAGED}/{package['id']}/tiers/{tier['id']}"
    changed = await whole_site.ask("PATCH", at, "admin", json={"weeklyExamSessions": None, "name": "Free"})
    assert changed.json() == tier | {"weeklyExamSessions": None, "name": "Free", "packageVersion": 3}
    read = (await whole_site.ask("GET", f"{MANAGED}/{package['id']}", "admin")).json()
    assert [(each["name"], each["isDefault"]) for each in read["tiers"]] == [("Free", True), ("Standard", False)]
    taken = await whole_site.ask("PATCH", at, "admin", json={"name": "standard"})
    assert_problem(taken, 409, "tier.name_taken")
    assert_problem(await whole_site.ask("PATCH", at, "admin", json={}), 422, "request.invalid")
    assert (await whole_site.ask("DELETE", at, "admin", headers={"if-match": '"3"'})).status_code == 204
    assert_problem(await whole_site.ask("DELETE", at, "admin"), 404, "tier.not_found")
    assert_problem(await whole_site.ask("PATCH", at, "admin", json={"rank": 1}), 404, "tier.not_found")
    actions = [action for action, *_ in audited(whole_site, tier["id"])]
    assert actions == ["tier.created", "tier.changed", "tier.deleted"]


async def test_a_tier_is_answered_with_the_version_of_its_package(whole_site: WholeSite) -> None:
    """So that one may go on changing without reading the package again."""
    package = await made(whole_site)
    path = f"{MANAGED}/{package['id']}/tiers"
    trial = await whole_site.ask("POST", path, "admin", json={"name": "Trial"}, headers={"if-match": '"1"'})
    assert trial.headers["etag"] == '"2"'
    at, tag = f"{path}/{trial.json()['id']}", {"if-match": trial.headers["etag"]}
    changed = await whole_site.ask("PATCH", at, "admin", json={"rank": 2}, headers=tag)
    assert changed.headers["etag"] == '"3"'
    deleted = await whole_site.ask("DELETE", at, "admin", headers={"if-match": changed.headers["etag"]})
    assert (deleted.status_code, deleted.content, deleted.headers["etag"]) == (204, b"", '"4"')
    assert (await change(whole_site, package, title="New", headers={"if-match": '"4"'})).status_code == 200


async def test_an_inactive_tier_is_not_made_the_default(whole_site: WholeSite) -> None:
    """It is the field that was sent which is wrong."""
    package = await made(whole_site)
    tier = await added(whole_site, package, name="Old", active=False)
    at = f"{MANAGED}/{package['id']}/tiers/{tier['id']}"
    refused = await whole_site.ask("PATCH", at, "admin", json={"isDefault": True})
    assert_problem(refused, 422, "request.invalid")
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/isDefault", "default.inactive")
    assert fault["message"] == "The tier is not on offer: activate it to make it the default"
    standard = f"{MANAGED}/{package['id']}/tiers/{package['tiers'][0]['id']}"
    (fault,) = (await whole_site.ask("PATCH", standard, "admin", json={"active": False})).json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/active", "default.inactive")
    both = await whole_site.ask("PATCH", at, "admin", json={"isDefault": True, "active": True})
    assert both.status_code == 200, both.text


async def test_a_package_with_a_history_is_hidden_and_not_deleted(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    await whole_site.ask("POST", "/student/enrollments", "student", json={"examPackageId": package["id"]})
    await whole_site.ask("DELETE", f"/student/enrollments/{package['id']}", "student")
    at, tier = f"{MANAGED}/{package['id']}", package["tiers"][0]["id"]
    before = whole_site.rows()
    assert_problem(await whole_site.ask("DELETE", at, "admin"), 409, "package.in_use")
    assert_problem(await whole_site.ask("DELETE", f"{at}/tiers/{tier}", "admin"), 409, "tier.last")
    assert whole_site.rows() == before
    await added(whole_site, package, name="Other", isDefault=True)
    assert_problem(await whole_site.ask("DELETE", f"{at}/tiers/{tier}", "admin"), 409, "tier.in_use")
    deactivated = await whole_site.ask("PATCH", f"{at}/tiers/{tier}", "admin", json={"active": False})
    assert (deactivated.json()["active"], deactivated.json()["packageVersion"]) == (False, 3)
    assert (await change(whole_site, package, visibility="hidden")).status_code == 200


async def test_the_same_tier_ordered_again_is_one_tier(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    order: dict[str, Any] = {"json": {"name": "Trial"}, "headers": {"idempotency-key": "tier-once"}}
    path = f"{MANAGED}/{package['id']}/tiers"
    first, second = [await whole_site.ask("POST", path, "admin", **order) for _ in range(2)]
    assert (first.status_code, first.content) == (201, second.content)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "Trial", "weeklyPracticeSessions": 10_001}, "/weeklyPracticeSessions"),
        ({"name": "Trial", "accessDays": 0}, "/accessDays"),
        ({"name": "Trial", "rank": 1001}, "/rank"),
        ({"name": "Trial", "isDefault": True, "active": False}, "/active"),
        ({"weeklyPracticeSessions": 1}, "/name"),
    ],
)
async def test_a_bad_tier_is_refused_by_its_place(whole_site: WholeSite, fields: dict[str, Any], pointer: str) -> None:
    package = await made(whole_site)
    refused = await whole_site.ask("POST", f"{MANAGED}/{package['id']}/tiers", "admin", json=fields)
    assert refused.status_code == 422, refused.text
    assert pointers(refused) == [pointer]

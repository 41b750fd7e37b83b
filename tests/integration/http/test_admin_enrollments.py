"""Enrolments as administrators make, change, end and read them over HTTP, with what the audit log tells of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.auth.people import Role
from tests.support.enrollment_builders import CORPORATE, MONTHLY, RETIRED, SPONSORED, STANDARD, a_package, hidden
from tests.support.enrollment_site import PACKAGE, EnrollmentSite, enrollment_site
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

OF_ADA = "/users/usr_ada/enrollments"
ADAS = f"{OF_ADA}/{PACKAGE.id}"
IN_PACKAGE = f"/exam-packages/{PACKAGE.id}/enrollments"
IN_TIME = "2099-01-01T00:00:00Z"


@pytest.fixture
async def site(cloned: ClonedDatabase) -> AsyncIterator[EnrollmentSite]:
    async with enrollment_site(cloned) as site:
        yield site


async def enrol(site: EnrollmentSite, path: str = OF_ADA, **body: Any) -> httpx.Response:
    key = body.pop("key", None)
    headers = {"idempotency-key": key} if key else {}
    return await site.administer("POST", path, json={"examPackageId": PACKAGE.id} | body, headers=headers)


async def change(site: EnrollmentSite, **body: Any) -> httpx.Response:
    return await site.administer("PATCH", ADAS, json=body)


async def listed(site: EnrollmentSite, path: str, **query: str | int) -> list[dict[str, Any]]:
    answer = await site.administer("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_admin_enrols_a_student_in_a_tier_that_nobody_can_choose_until_a_named_time(
    site: EnrollmentSite,
) -> None:
    answer = await enrol(site, tierId=SPONSORED.id, expiresAt=IN_TIME, reason=" A scholarship ")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["tierId"], body["expiresAt"], body["status"]) == (SPONSORED.id, IN_TIME, "active")
    (entry,) = await site.store.audit_log()
    assert (entry.actor_id, entry.action, entry.subject) == ("usr_root", "enrollment.created", "usr_ada")
    assert (entry.before, entry.reason) == (None, "A scholarship")
    assert entry.after == {
        "enrollment_id": body["id"],
        "exam_package_id": PACKAGE.id,
        "tier_id": SPONSORED.id,
        "expires_at": "2099-01-01T00:00:00+00:00",
    }
    (mine,) = (await site.mine())["items"]
    assert (mine["tierName"], mine["expiresAt"]) == ("Sponsored", IN_TIME)


async def test_hidden_packages_and_withdrawn_tiers_are_no_obstacle(site: EnrollmentSite) -> None:
    await site.store.database.fetch_all("update exam_packages set visibility = 'hidden' returning id")
    assert (await enrol(site, tierId=RETIRED.id)).status_code == 201


async def test_the_tier_says_how_long_unless_the_admin_says_for_good(site: EnrollmentSite) -> None:
    assert (await enrol(site, tierId=CORPORATE.id)).json()["expiresAt"] is not None
    forever = await enrol(site, "/users/usr_grace/enrollments", tierId=CORPORATE.id, expiresAt=None)
    assert forever.json()["expiresAt"] is None


async def test_the_same_terms_again_are_200_and_no_second_act_and_others_a_conflict(site: EnrollmentSite) -> None:
    first = await enrol(site, expiresAt=IN_TIME)
    for terms in ({"expiresAt": IN_TIME}, {}, {"tierId": STANDARD.id}):
        again = await enrol(site, **terms)
        assert (again.status_code, again.json()) == (200, first.json())
    for others in ({"tierId": MONTHLY.id}, {"expiresAt": "2098-01-01T00:00:00Z"}, {"expiresAt": None}):
        assert_problem(await enrol(site, **others), 409, "enrollment.exists")
    assert list(await site.store.audited()) == ["enrollment.created"]


async def test_a_key_makes_it_one_act(site: EnrollmentSite) -> None:
    first, second = await enrol(site, key="once"), await enrol(site, key="once")
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert list(await site.store.audited()) == ["enrollment.created"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/users/usr_unknown/enrollments", {}, 404, "user.not_found"),
        ("/users/usr_deleted/enrollments", {}, 404, "user.not_found"),
        ("/users/usr_root/enrollments", {}, 409, "enrollment.students_only"),
        ("/users/usr_teacher/enrollments", {}, 409, "enrollment.students_only"),
        (OF_ADA, {"examPackageId": "pkg_unknown"}, 404, "package.not_found"),
        (OF_ADA, {"tierId": "tier_unknown"}, 422, "enrollment.tier_unknown"),
        (OF_ADA, {"examPackageId": "pkg_bare"}, 422, "enrollment.tier_unknown"),
        (OF_ADA, {"expiresAt": "2020-01-01T00:00:00Z"}, 422, "request.invalid"),
        (OF_ADA, {"expiresAt": "2099-01-01T00:00:00"}, 422, "request.invalid"),
        (OF_ADA, {"expiresAt": "2101-01-01T00:00:00Z"}, 422, "request.invalid"),
        (OF_ADA, {"expiresAt": 1}, 422, "request.invalid"),
        (OF_ADA, {"userId": "usr_grace"}, 422, "request.invalid"),
        (OF_ADA, {"reason": "x" * 501}, 422, "request.invalid"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(
    site: EnrollmentSite, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    await site.store.add_student("usr_deleted", deleted=True)
    await site.store.add_student("usr_teacher", role=Role.INSTRUCTOR)
    await site.store.add_package(hidden(a_package("pkg_bare", slug="bare", tiers=())))
    assert_problem(await enrol(site, path, **body), status, code)
    assert not await site.store.history()
    assert not await site.store.audited()


async def test_an_admin_changes_tier_up_and_down_each_time_as_one_act(site: EnrollmentSite) -> None:
    first = (await enrol(site, tierId=CORPORATE.id)).json()
    answer = await change(site, tierId=STANDARD.id, reason="The invoice was not paid")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["tierId"], body["expiresAt"]) == (STANDARD.id, None)
    newest, oldest = await listed(site, OF_ADA)
    assert (newest["id"], oldest["id"]) == (body["id"], first["id"])
    assert (oldest["endReason"], oldest["endedAt"]) == ("tier_change", newest["startedAt"])
    _, entry = await site.store.audit_log()
    assert (entry.action, entry.subject, entry.reason) == ("enrollment.changed", "usr_ada", "The invoice was not paid")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["enrollment_id"], entry.after["enrollment_id"]) == (first["id"], body["id"])


async def test_an_admin_names_another_end_or_none(site: EnrollmentSite) -> None:
    await enrol(site)
    for wanted in (IN_TIME, None):
        answer = await change(site, expiresAt=wanted)
        assert (answer.status_code, answer.json()["expiresAt"], answer.json()["tierId"]) == (200, wanted, STANDARD.id)
    ended = [item["endReason"] for item in await listed(site, OF_ADA)]
    assert ended == [None, "admin", "admin"]


async def test_what_is_so_already_is_no_act(site: EnrollmentSite) -> None:
    first = (await enrol(site, expiresAt=IN_TIME)).json()
    for terms in ({"tierId": STANDARD.id}, {"expiresAt": IN_TIME}, {"tierId": STANDARD.id, "expiresAt": IN_TIME}):
        answer = await change(site, **terms)
        assert (answer.status_code, answer.json()) == (200, first)
    assert list(await site.store.audited()) == ["enrollment.created"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "request.invalid"),
        ({"reason": "why"}, 422, "request.invalid"),
        ({"tierId": None}, 422, "request.invalid"),
        ({"tierId": "tier_unknown"}, 422, "enrollment.tier_unknown"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, 422, "request.invalid"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_nothing_is_written(
    site: EnrollmentSite, body: dict[str, Any], status: int, code: str
) -> None:
    await enrol(site)
    before = await site.store.history()
    assert_problem(await change(site, **body), status, code)
    assert await site.store.history() == before
    assert list(await site.store.audited()) == ["enrollment.created"]


async def test_where_nobody_is_enrolled_nothing_is_changed_or_ended(site: EnrollmentSite) -> None:
    for path, code in (
        (ADAS, "enrollment.not_found"),
        (f"{OF_ADA}/pkg_unknown", "enrollment.not_found"),
        (f"/users/usr_unknown/enrollments/{PACKAGE.id}", "user.not_found"),
    ):
        assert_problem(await site.administer("PATCH", path, json={"tierId": STANDARD.id}), 404, code)
        assert_problem(await site.administer("DELETE", path), 404, code)
    await enrol(site, tierId=MONTHLY.id)
    await site.let_lapse()
    assert_problem(await change(site, expiresAt=None), 404, "enrollment.not_found")
    assert_problem(await site.administer("DELETE", ADAS), 404, "enrollment.not_found")
    assert list(await site.store.audited()) == ["enrollment.created"]


async def test_an_admin_ends_an_enrolment_once_and_says_why(site: EnrollmentSite) -> None:
    enrolled = (await enrol(site)).json()
    answer = await site.administer("DELETE", ADAS, params={"reason": "Asked for by mail"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(await site.administer("DELETE", ADAS), 404, "enrollment.not_found")
    (item,) = await listed(site, OF_ADA)
    assert (item["status"], item["endReason"]) == ("ended", "admin")
    _, entry = await site.store.audit_log()
    assert (entry.action, entry.subject, entry.reason) == ("enrollment.ended", "usr_ada", "Asked for by mail")
    assert entry.before is not None
    assert (entry.before["enrollment_id"], entry.after) == (enrolled["id"], None)


async def test_whoever_became_an_instructor_keeps_nothing_that_an_admin_wants_to_end(site: EnrollmentSite) -> None:
    await enrol(site)
    await site.store.database.fetch_all("update users set role = 'instructor' where id = 'usr_ada' returning id")
    assert_problem(await change(site, expiresAt=IN_TIME), 409, "enrollment.students_only")
    assert (await site.administer("DELETE", ADAS)).status_code == 204


async def test_the_history_of_anybody_is_read_page_by_page(site: EnrollmentSite) -> None:
    for _ in range(3):
        await enrol(site)
        await site.administer("DELETE", ADAS)
    first = (await site.administer("GET", OF_ADA, params={"limit": 2})).json()
    rest = (await site.administer("GET", OF_ADA, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert (ids, len(ids), rest["nextCursor"]) == (sorted(ids, reverse=True), 3, None)
    assert await listed(site, "/users/usr_grace/enrollments") == []
    assert_problem(await site.administer("GET", "/users/usr_unknown/enrollments"), 404, "user.not_found")


async def test_who_is_enrolled_is_listed_by_status_with_names(site: EnrollmentSite) -> None:
    await enrol(site)
    await site.administer("DELETE", ADAS)
    await enrol(site, tierId=MONTHLY.id, expiresAt=IN_TIME)
    await enrol(site, "/users/usr_grace/enrollments", tierId=MONTHLY.id)
    await site.let_lapse("usr_grace")
    everyone = await listed(site, IN_PACKAGE)
    assert [(item["userId"], item["status"], item["endReason"]) for item in everyone] == [
        ("usr_grace", "ended", "expired"),
        ("usr_ada", "active", None),
        ("usr_ada", "ended", "admin"),
    ]
    assert await listed(site, IN_PACKAGE, status="active") == [everyone[1]]
    assert await listed(site, IN_PACKAGE, status="ended") == [everyone[0], everyone[2]]
    assert (everyone[1]["email"], everyone[1]["name"]) == ("usr_ada@example.org", "")
    assert (everyone[1]["tierName"], everyone[1]["expiresAt"]) == ("Monthly", IN_TIME)


@pytest.mark.parametrize("status", [None, "active", "ended"])
async def test_pages_of_who_is_enrolled_neither_repeat_nor_skip(site: EnrollmentSite, status: str | None) -> None:
    for number in range(6):
        await site.store.add_student(f"usr_{number}")
        await enrol(site, f"/users/usr_{number}/enrollments", tierId=MONTHLY.id)
        if number in (1, 4):
            await site.administer("DELETE", f"/users/usr_{number}/enrollments/{PACKAGE.id}")
    await site.let_lapse("usr_2")
    query: dict[str, str | int] = {"limit": 2} | ({"status": status} if status else {})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await site.administer("GET", IN_PACKAGE, params=query | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["userId"] for item in page["items"]]
        cursor = page["nextCursor"]
    ended = ["usr_4", "usr_2", "usr_1"]
    everyone = [f"usr_{number}" for number in range(5, -1, -1)]
    wanted = {None: everyone, "ended": ended, "active": [each for each in everyone if each not in ended]}
    assert seen == wanted[status]


async def test_a_list_of_a_package_that_is_not_there_is_not_found(site: EnrollmentSite) -> None:
    assert await listed(site, IN_PACKAGE) == []
    assert_problem(await site.administer("GET", "/exam-packages/pkg_unknown/enrollments"), 404, "package.not_found")
    assert_problem(await site.administer("GET", IN_PACKAGE, params={"status": "asleep"}), 422, "request.invalid")


@pytest.mark.parametrize("role", ["student", "instructor"])
async def test_nobody_else_enrols_changes_or_ends(site: EnrollmentSite, role: str) -> None:
    """Also where the edge would let them through."""
    await enrol(site)
    as_other = {"x-role": role, "x-caller": "usr_grace"}
    body = {"examPackageId": PACKAGE.id}
    for method, path, options in (
        ("POST", "/users/usr_grace/enrollments", {"json": body}),
        ("PATCH", ADAS, {"json": {"expiresAt": IN_TIME}}),
        ("DELETE", ADAS, {}),
    ):
        assert_problem(await site.administer(method, path, headers=as_other, **options), 403, "auth.forbidden")
    assert list(await site.store.audited()) == ["enrollment.created"]

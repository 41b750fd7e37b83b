"""Exam packages over HTTP: who chooses, manages and revises them, conditions, refusals, and what the log keeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.package_http import (
    MANAGED,
    OFFERED,
    REVISED,
    added,
    audited,
    bank_with_topic,
    change,
    made,
    pointers,
)
from tests.support.whole_site import WholeSite


async def test_a_package_is_made_read_changed_and_deleted(whole_site: WholeSite) -> None:
    bank_id, topic_id = await bank_with_topic(whole_site)
    order = {
        "slug": "security",
        "title": "Security",
        "description": "Everything.",
        "visibility": "hidden",
        "passMark": "72.5",
        "durationSeconds": 5400,
        "questionBankIds": [bank_id],
        "settings": {"scoring": {"penalty": "0.25"}, "attemptsAllowed": 3, "opensAt": "2026-03-02T10:00:00+02:00"},
        "blueprint": {"sections": [{"count": 4, "topicId": topic_id, "difficultyId": "dif_easy", "marks": "1.50"}]},
    }
    created = await whole_site.ask("POST", MANAGED, "admin", json=order)
    assert created.status_code == 201, created.text
    body = created.json()
    at = f"{MANAGED}/{body['id']}"
    assert (created.headers["location"], created.headers["etag"]) == (at, '"1"')
    assert {name: body[name] for name in ("slug", "title", "description", "visibility", "passMark")} == {
        name: order[name] for name in ("slug", "title", "description", "visibility", "passMark")
    }
    assert (body["durationSeconds"], body["questionBankIds"], body["version"]) == (5400, [bank_id], 1)
    assert body["blueprint"] == {
        "sections": [{"count": 4, "topicId": topic_id, "difficultyId": "dif_easy", "marks": "1.5"}]
    }
    assert body["examQuestionCount"] == 4
    assert body["settings"]["scoring"] == {
        "penalty": "0.25",
        "guessNeutral": False,
        "multiple": "all_or_nothing",
        "noneAllowed": False,
        "ordering": "exact",
    }
    settings = {name: value for name, value in body["settings"].items() if name != "scoring"}
    assert settings == {
        "allowNegativeTotal": False,
        "certainty": False,
        "cbmOfficial": False,
        "questionCount": None,
        "shuffleQuestions": True,
        "shuffleOptions": True,
        "navigation": "free",
        "opensAt": "2026-03-02T08:00:00Z",
        "closesAt": None,
        "windowExtends": False,
        "attemptsAllowed": 3,
        "cooldownSeconds": 0,
        "laterCooldownSeconds": 0,
        "overduePolicy": "auto_submit",
        "latencySeconds": 60,
        "graceSeconds": 86400,
        "authorisedStart": False,
        "pauseAllowed": False,
        "reviewRule": "never",
        "officialResult": "highest",
    }
    (tier,) = body["tiers"]
    assert (tier["name"], tier["isDefault"], tier["selfService"], tier["active"]) == ("Standard", True, True, True)

    read = await whole_site.ask("GET", at, "admin")
    assert read.headers["etag"] == '"1"'
    assert read.json() == body
    assert body["questionCount"] == 0
    assert body["createdAt"] == body["updatedAt"]
    assert (await whole_site.ask("GET", f"{MANAGED}/security", "admin")).json() == read.json()

    changed = await change(whole_site, body, title="Safety", settings={"attemptsAllowed": None, "certainty": True})
    assert changed.status_code == 200, changed.text
    assert changed.json()["settings"] == body["settings"] | {"attemptsAllowed": None, "certainty": True}
    assert (changed.json()["title"], changed.json()["version"], changed.headers["etag"]) == ("Safety", 2, '"2"')
    assert changed.json()["updatedAt"] > changed.json()["createdAt"] == body["createdAt"]
    assert changed.json() == (await whole_site.ask("GET", at, "admin")).json()
    assert changed.json()["blueprint"] == body["blueprint"]

    assert (await whole_site.ask("DELETE", at, "admin")).status_code == 204
    assert_problem(await whole_site.ask("GET", at, "admin"), 404, "package.not_found")
    assert_problem(await whole_site.ask("DELETE", at, "admin"), 404, "package.not_found")

    first, second, third = audited(whole_site, body["id"])
    assert (first[:3], third[0], third[3]) == (("package.created", True, None), "package.deleted", None)
    assert first[3]["settings"]["attempts_allowed"] == 3
    assert second[:2] == ("package.changed", True)
    assert second[2] == {"title": "Security", "settings": {"attempts_allowed": 3, "certainty": False}}
    assert second[3] == {"title": "Safety", "settings": {"attempts_allowed": None, "certainty": True}}


async def test_the_same_order_again_makes_one_package(whole_site: WholeSite) -> None:
    order: dict[str, Any] = {"json": {"slug": "once", "title": "Once"}, "headers": {"idempotency-key": "package-once"}}
    first, second = [await whole_site.ask("POST", MANAGED, "admin", **order) for _ in range(2)]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.headers["idempotency-replayed"] == "true"
    again = await whole_site.ask("POST", MANAGED, "admin", json={"slug": "once", "title": "Twice"})
    assert_problem(again, 409, "package.slug_taken")


async def test_a_stale_change_is_refused_by_header_and_by_body(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    assert (await change(whole_site, package, title="First", headers={"if-match": '"1"'})).status_code == 200
    assert (await change(whole_site, package, title="Second", expectedVersion=2)).status_code == 200
    late = [
        await change(whole_site, package, title="Late", headers={"if-match": '"1"'}),
        await change(whole_site, package, title="Late", expectedVersion=2),
        await change(whole_site, package, title="Late", expectedVersion=3, headers={"if-match": '"2"'}),
        await change(whole_site, package, "instructor", title="Late", expectedVersion=2),
        await whole_site.ask("DELETE", f"{MANAGED}/{package['id']}", "admin", headers={"if-match": '"2"'}),
        await whole_site.ask(
            "POST", f"{MANAGED}/{package['id']}/tiers", "admin", json={"name": "Late", "expectedVersion": 2}
        ),
    ]
    for answer in late:
        assert_problem(answer, 412, "package.precondition_failed")
        assert answer.headers["etag"] == '"3"'
    read = (await whole_site.ask("GET", f"{MANAGED}/{package['id']}", "admin")).json()
    assert (read["title"], read["version"], len(read["tiers"])) == ("Second", 3, 1)


async def test_a_change_that_changes_nothing_is_no_change(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    same = await change(whole_site, package, title=package["title"], settings={}, passMark=70)
    assert same.json() == package
    assert len(audited(whole_site, package["id"])) == 1
    assert_problem(await change(whole_site, package), 422, "request.invalid")


async def test_of_the_scoring_too_only_what_is_named_changes(whole_site: WholeSite) -> None:
    package = await made(whole_site, settings={"scoring": {"penalty": "0.25"}})
    changed = await change(whole_site, package, settings={"scoring": {"multiple": "halves"}})
    assert changed.json()["settings"]["scoring"] == package["settings"]["scoring"] | {"multiple": "halves"}


async def test_instructors_revise_what_a_package_says(whole_site: WholeSite) -> None:
    package = await made(whole_site, visibility="hidden")
    revised = await change(
        whole_site,
        package,
        "instructor",
        title="Revised",
        description="Better",
        durationSeconds=None,
        passMark="80",
        settings={"questionCount": 30},
        blueprint=None,
    )
    assert revised.status_code == 200, revised.text
    body = revised.json()
    assert (body["title"], body["description"], body["durationSeconds"]) == ("Revised", "Better", None)
    assert (body["passMark"], body["examQuestionCount"]) == ("80", 30)
    assert [action for action, *_ in audited(whole_site, package["id"])] == ["package.created", "package.changed"]


@pytest.mark.parametrize(
    "fields", [{"slug": "taken-over"}, {"visibility": "visible"}, {"questionBankIds": []}, {"tiers": []}]
)
async def test_instructors_cannot_even_name_what_is_for_admins(whole_site: WholeSite, fields: dict[str, Any]) -> None:
    package = await made(whole_site)
    refused = await change(whole_site, package, "instructor", **fields)
    assert_problem(refused, 422, "request.invalid")
    assert pointers(refused) == [f"/{next(iter(fields))}"]
    assert refused.json()["errors"][0]["code"] == "unknown_field"


async def test_students_and_strangers_manage_nothing(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    tier = package["tiers"][0]["id"]
    asked = [
        ("GET", MANAGED, None),
        ("POST", MANAGED, {"slug": "mine", "title": "Mine"}),
        ("GET", f"{MANAGED}/{package['id']}", None),
        ("PATCH", f"{MANAGED}/{package['id']}", {"title": "Mine"}),
        ("DELETE", f"{MANAGED}/{package['id']}", None),
        ("POST", f"{MANAGED}/{package['id']}/tiers", {"name": "Mine"}),
        ("PATCH", f"{MANAGED}/{package['id']}/tiers/{tier}", {"name": "Mine"}),
        ("DELETE", f"{MANAGED}/{package['id']}/tiers/{tier}", None),
    ]
    for method, path, body in asked:
        for person in ("student", "instructor"):
            assert_problem(await whole_site.ask(method, path, person, json=body), 403, "auth.forbidden")
        assert (await whole_site.ask(method, path, json=body)).status_code == 401
    for method, path, body in (
        ("GET", REVISED, None),
        ("GET", f"{REVISED}/{package['id']}", None),
        ("PATCH", f"{REVISED}/{package['id']}", {"title": "Mine"}),
    ):
        assert_problem(await whole_site.ask(method, path, "student", json=body), 403, "auth.forbidden")
        assert (await whole_site.ask(method, path, "admin", json=body)).status_code == 200


async def test_lists_show_staff_what_choosers_do_not_see(whole_site: WholeSite) -> None:
    shown = await made(whole_site, title="Findable cabling")
    hidden = await made(whole_site, title="Hidden CABLING", visibility="hidden")

    async def ids(path: str, person: str | None, **query: str) -> list[str]:
        answer = await whole_site.ask("GET", path, person, params={"q": "cabling", **query})
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    both = sorted([shown["id"], hidden["id"]])
    assert await ids(MANAGED, "admin") == await ids(REVISED, "instructor") == both
    assert await ids(MANAGED, "admin", visibility="hidden") == [hidden["id"]]
    assert await ids(REVISED, "instructor", visibility="visible") == [shown["id"]]
    assert await ids(OFFERED, None) == [shown["id"]]
    first = await whole_site.ask("GET", MANAGED, "admin", params={"q": "cabling", "limit": "1"})
    rest = await whole_site.ask("GET", first.links["next"]["url"], "admin")
    assert [first.json()["items"][0]["id"], rest.json()["items"][0]["id"]] == both
    assert rest.json()["nextCursor"] is None
    wrong = await whole_site.ask("GET", MANAGED, "admin", params={"visibility": "secret"})
    assert wrong.status_code in (400, 422)


async def test_anybody_reads_a_visible_package_by_id_or_slug(whole_site: WholeSite) -> None:
    settings = {"questionCount": 60, "attemptsAllowed": 2, "closesAt": "2026-04-02T08:00:00Z"}
    package = await made(whole_site, durationSeconds=3600, passMark="66.60", settings=settings)
    await added(whole_site, package, name="Trial", weeklyPracticeSessions=3, accessDays=14, rank=1)
    await added(whole_site, package, name="Sponsored", selfService=False)
    await added(whole_site, package, name="Old", active=False)
    answer = await whole_site.ask("GET", f"{OFFERED}/{package['slug']}")
    assert answer.status_code == 200
    body = answer.json()
    assert body == (await whole_site.ask("GET", f"{OFFERED}/{package['id']}")).json()
    assert [(tier["name"], tier["weeklyPracticeSessions"], tier["accessDays"]) for tier in body["tiers"]] == [
        ("Standard", None, None),
        ("Trial", 3, 14),
    ]
    assert {name: body[name] for name in body if name not in ("id", "tiers")} == {
        "slug": package["slug"],
        "title": package["title"],
        "description": "",
        "questionCount": 0,
        "durationSeconds": 3600,
        "passMark": "66.6",
        "examQuestionCount": 60,
        "attemptsAllowed": 2,
        "opensAt": None,
        "closesAt": "2026-04-02T08:00:00Z",
        "version": 4,
    }
    again = await whole_site.ask("GET", f"{OFFERED}/{package['id']}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_a_hidden_package_is_not_there_not_even_for_those_enrolled(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    enrolled = await whole_site.ask("POST", "/student/enrollments", "student", json={"examPackageId": package["id"]})
    assert enrolled.status_code == 201
    await change(whole_site, package, visibility="hidden")
    for name in (package["id"], package["slug"], "pkg_unknown"):
        assert_problem(await whole_site.ask("GET", f"{OFFERED}/{name}", "student"), 404, "package.not_found")
    mine = (await whole_site.ask("GET", "/student/enrollments", "student")).json()["items"]
    assert (mine[0]["examPackageId"], mine[0]["status"]) == (package["id"], "active")


async def test_every_broken_setting_is_named_at_once(whole_site: WholeSite) -> None:
    package = await made(whole_site)
    wrong = await change(
        whole_site,
        package,
        durationSeconds=0,
        settings={
            "questionCount": 0,
            "attemptsAllowed": 1001,
            "cooldownSeconds": 999_999_999,
            "laterCooldownSeconds": 999_999_999,
            "latencySeconds": 3601,
            "graceSeconds": 2_592_001,
            "opensAt": "2026-03-02T08:00:00Z",
            "closesAt": "2026-03-02T09:00:00+01:00",
            "cbmOfficial": True,
        },
    )
    assert_problem(wrong, 422, "request.invalid")
    assert pointers(wrong) == [
        "/durationSeconds",
        "/settings/questionCount",
        "/settings/attemptsAllowed",
        "/settings/cooldownSeconds",
        "/settings/laterCooldownSeconds",
        "/settings/latencySeconds",
        "/settings/graceSeconds",
        "/settings/closesAt",
        "/settings/cbmOfficial",
    ]
    assert (await whole_site.ask("GET", f"{MANAGED}/{package['id']}", "admin")).json()["version"] == 1


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"settings": {"overduePolicy": "never"}}, "/settings/overduePolicy"),
        ({"settings": {"reviewRule": "after_window"}}, "/settings/reviewRule"),
        ({"settings": {"scoring": {"penalty": "1.5"}}}, "/settings/scoring/penalty"),
        ({"settings": {"scoring": {"penalty": 0.5}}}, "/settings/scoring/penalty"),
        ({"settings": {"opensAt": "2026-03-02T08:00:00"}}, "/settings/opensAt"),
        ({"settings": {"opensAt": "1926-03-02T08:00:00Z"}}, "/settings/opensAt"),
        ({"settings": {"unheardOf": 1}}, "/settings/unheardOf"),
        ({"settings": None}, "/settings"),
        ({"passMark": "100.5"}, "/passMark"),
        ({"passMark": "66.667"}, "/passMark"),
        ({"passMark": 101}, "/passMark"),
        ({"durationSeconds": 604_801}, "/durationSeconds"),
        ({"slug": "No Slug"}, "/slug"),
        ({"slug": "a" * 65}, "/slug"),
        ({"title": "  "}, "/title"),
        ({"questionBankIds": ["qbk_unknown"]}, "/questionBankIds/0"),
        ({"blueprint": {"sections": []}}, "/blueprint/sections"),
        ({"blueprint": {"sections": [{"count": 501}]}}, "/blueprint/sections/0/count"),
        ({"blueprint": {"sections": [{"count": 300}, {"count": 300}]}}, "/blueprint/sections"),
        ({"blueprint": {"sections": [{"count": 1, "topicId": "top_unknown"}]}}, "/blueprint/sections/0/topicId"),
        ({"blueprint": {"sections": [{"count": 1}]}, "settings": {"questionCount": 3}}, "/settings/questionCount"),
        ({"expectedVersion": 0, "title": "New"}, "/expectedVersion"),
    ],
)
async def test_bad_input_is_refused_by_its_place(whole_site: WholeSite, fields: dict[str, Any], pointer: str) -> None:
    package = await made(whole_site)
    refused = await change(whole_site, package, **fields)
    assert refused.status_code == 422, refused.text
    assert pointers(refused) == [pointer]
    assert (await whole_site.ask("GET", f"{MANAGED}/{package['id']}", "admin")).json()["version"] == 1


async def test_a_topic_of_another_packages_bank_is_refused(whole_site: WholeSite) -> None:
    (bank_id, own), (_, strange) = await bank_with_topic(whole_site), await bank_with_topic(whole_site)
    package = await made(whole_site, questionBankIds=[bank_id])
    refused = await change(
        whole_site,
        package,
        "instructor",
        blueprint={"sections": [{"count": 1, "topicId": own}, {"count": 1, "topicId": strange}]},
    )
    assert_problem(refused, 422, "request.invalid")
    assert pointers(refused) == ["/blueprint/sections/1/topicId"]


async def test_deleting_and_enrolling_at_once_end_in_one_of_two_stories(whole_site: WholeSite) -> None:
    for _ in range(4):
        package = await made(whole_site)
        body = {"examPackageId": package["id"]}
        deleted, *enrolled = await asyncio.gather(
            whole_site.ask("DELETE", f"{MANAGED}/{package['id']}", "admin"),
            *(whole_site.ask("POST", "/student/enrollments", who, json=body) for who in ("student", "stranger")),
        )
        codes = sorted(answer.status_code for answer in enrolled)
        assert (deleted.status_code, codes) in [(204, [404, 404]), (409, [201, 201])]

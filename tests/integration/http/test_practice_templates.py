"""Templates of practice over HTTP: bodies, refusals, conditions, and who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import question_site_of
from tests.support.template_site import FULL, OFFERED, TEMPLATES, USUAL, answered_wrongly, made, step
from tests.support.whole_site import WholeSite


async def listed(site: WholeSite, path: str, person: str, **query: str) -> list[str]:
    answer = await site.ask("GET", path, person, params={"limit": "100", **query})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def topics(site: WholeSite) -> list[str]:
    return await listed(site, "/instructor/question-topics", "admin")


@pytest.fixture(scope="module")
async def whole_site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """With `colleague`, a second instructor."""
    async with question_site_of(module_database) as site:
        yield site.whole


async def test_a_template_is_written_published_changed_hidden_and_deleted(whole_site: WholeSite) -> None:
    """Whoever reads along has an ETag for each state, and students see what was published."""
    body = {"examPackageId": whole_site.package, "title": " Ten questions "}
    created = await whole_site.ask("POST", TEMPLATES, "instructor", json=body)
    assert created.status_code == 201
    template, at = created.json(), created.headers["location"]
    assert at == f"{TEMPLATES}/{template['id']}"
    assert template["title"] == "Ten questions"
    assert {name: template[name] for name in USUAL} == USUAL
    assert [template[name] for name in ("revision", "latestVersion", "publishedVersion")] == [1, 0, None]
    read = await whole_site.ask("GET", at, "admin")
    assert (read.headers["etag"], read.json()) == ('"1"', template)
    assert (await whole_site.ask("GET", at, "admin", headers={"if-none-match": '"1"'})).status_code == 304
    assert_problem(await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student"), 404, "template.not_found")

    published = await whole_site.ask("POST", f"{at}/publish", "instructor", headers={"if-match": '"1"'})
    assert published.headers["etag"] == '"2"'
    assert (published.json()["publishedVersion"], published.json()["hasUnpublishedChanges"]) == (1, False)
    seen = (await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student")).json()
    assert (seen["version"], seen["count"], seen["publishedAt"]) == (1, 10, published.json()["publishedAt"])
    assert not seen.keys() & {"authorId", "revision", "createdAt"}

    changed = await whole_site.ask("PATCH", at, "instructor", json={"count": 3, "expectedRevision": 2})
    assert changed.headers["etag"] == '"3"'
    assert (changed.json()["count"], changed.json()["hasUnpublishedChanges"]) == (3, True)
    assert (await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student")).json() == seen
    assert (await step(whole_site, template, "publish"))["publishedVersion"] == 2
    seen = (await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student")).json()
    assert (seen["version"], seen["count"]) == (2, 3)

    hidden = await step(whole_site, template, "unpublish")
    assert (hidden["publishedVersion"], hidden["publishedAt"], hidden["latestVersion"]) == (None, None, 2)
    assert_problem(await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student"), 404, "template.not_found")
    assert (await whole_site.ask("DELETE", at, "instructor", headers={"if-match": '"5"'})).status_code == 204
    assert_problem(await whole_site.ask("GET", at, "instructor"), 404, "template.not_found")


async def test_every_setting_is_told_as_it_was_sent(whole_site: WholeSite) -> None:
    sent: dict[str, Any] = FULL | {"topicIds": await topics(whole_site)}
    template = await made(whole_site, **sent)
    assert {name: template[name] for name in sent} == sent
    await step(whole_site, template, "publish")
    seen = (await whole_site.ask("GET", f"{OFFERED}/{template['id']}", "student")).json()
    assert {name: seen[name] for name in sent} == sent
    back: dict[str, Any] = {"topicIds": [], "timeLimitSeconds": None, "scoring": None, "description": ""}
    changed = await whole_site.ask("PATCH", f"{TEMPLATES}/{template['id']}", "instructor", json=back)
    assert {name: changed.json()[name] for name in sent} == sent | back


async def test_the_scoring_that_is_not_told_is_the_usual_one(whole_site: WholeSite) -> None:
    template = await made(whole_site, scoring={"penalty": "0.50", "multiple": "weighted"})
    usual = {"guessNeutral": False, "noneAllowed": False, "ordering": "exact"}
    assert template["scoring"] == usual | {"penalty": "0.5", "multiple": "weighted"}


async def test_null_is_as_good_as_absent_when_a_template_is_written(whole_site: WholeSite) -> None:
    nothing: dict[str, None] = dict.fromkeys(USUAL.keys() - {"description"})
    template = await made(whole_site, **nothing)
    assert {name: template[name] for name in USUAL} == USUAL


async def test_the_same_order_again_makes_one_template(whole_site: WholeSite) -> None:
    body = {"examPackageId": whole_site.package, "title": "Once"}
    order: dict[str, Any] = {"json": body, "headers": {"idempotency-key": "template-once"}}
    first, second = [await whole_site.ask("POST", TEMPLATES, "instructor", **order) for _ in range(2)]
    assert (first.json(), second.headers["idempotency-replayed"]) == (second.json(), "true")
    assert first.headers["location"] == second.headers["location"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "two\nlines"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"description": "x" * 10_001}, "/description"),
        ({"count": 0}, "/count"),
        ({"count": 201}, "/count"),
        ({"count": "ten"}, "/count"),
        ({"source": "hard"}, "/source"),
        ({"feedback": "never"}, "/feedback"),
        ({"timeLimitSeconds": 86_401}, "/timeLimitSeconds"),
        ({"topicIds": ["top_none"]}, "/topicIds/0"),
        ({"topicIds": ["a/b"]}, "/topicIds/0"),
        ({"topicIds": ["top_none"] * 51}, "/topicIds"),
        ({"difficultyIds": ["dif_easy", "dif_none"]}, "/difficultyIds/1"),
        ({"scoring": {"penalty": "1.5"}}, "/scoring/penalty"),
        ({"scoring": {"penalty": -1}}, "/scoring/penalty"),
        ({"scoring": {"penalty": "NaN"}}, "/scoring/penalty"),
        ({"scoring": {"multiple": "lucky"}}, "/scoring/multiple"),
        ({"authorId": "usr_1"}, "/authorId"),
        ({"publishedVersion": 1}, "/publishedVersion"),
    ],
)
async def test_a_template_that_cannot_be_is_refused_by_field(
    whole_site: WholeSite, fields: dict[str, Any], pointer: str
) -> None:
    whole = await made(whole_site)
    before = whole_site.rows()
    body = {"examPackageId": whole_site.package, "title": "x"} | fields
    for answer in (
        await whole_site.ask("POST", TEMPLATES, "instructor", json=body),
        await whole_site.ask("PATCH", f"{TEMPLATES}/{whole['id']}", "instructor", json=fields),
    ):
        assert_problem(answer, 422, "request.invalid")
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert whole_site.rows() == before


@pytest.mark.parametrize("body", [{}, {"expectedRevision": 1}, {"expectedRevision": None}])
async def test_a_change_names_something(whole_site: WholeSite, body: dict[str, Any]) -> None:
    template = await made(whole_site)
    answer = await whole_site.ask("PATCH", f"{TEMPLATES}/{template['id']}", "instructor", json=body)
    assert_problem(answer, 422, "request.invalid")


@pytest.mark.parametrize("body", [{"title": None}, {"count": None}, {"topicIds": None}, {"examPackageId": "pkg_1"}])
async def test_what_cannot_be_taken_away_is_not(whole_site: WholeSite, body: dict[str, Any]) -> None:
    """A template stays with its package, too."""
    template = await made(whole_site)
    answer = await whole_site.ask("PATCH", f"{TEMPLATES}/{template['id']}", "instructor", json=body)
    assert_problem(answer, 422, "request.invalid")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{next(iter(body))}"]


async def test_a_template_is_of_a_package_that_there_is(site: WholeSite) -> None:
    body = {"examPackageId": "pkg_none", "title": "x"}
    assert_problem(await site.ask("POST", TEMPLATES, "instructor", json=body), 404, "package.not_found")


async def ways_to_change(
    site: WholeSite, template: dict[str, Any], person: str, revision: int | None = None, tag: str | None = None
) -> list[httpx.Response]:
    """A change, a publication and a hiding, in this order; with a tag also a deletion."""
    at, headers = f"{TEMPLATES}/{template['id']}", {} if tag is None else {"if-match": tag}
    told = {} if revision is None else {"expectedRevision": revision}
    return [
        await site.ask("PATCH", at, person, json={"title": "y"} | told, headers=headers),
        await site.ask("POST", f"{at}/publish", person, json=told, headers=headers),
        await site.ask("POST", f"{at}/unpublish", person, json=told, headers=headers),
        *([] if tag is None else [await site.ask("DELETE", at, person, headers=headers)]),
    ]


async def test_what_others_have_changed_meanwhile_is_read_again_first(whole_site: WholeSite) -> None:
    template = await made(whole_site)
    await whole_site.ask("PATCH", f"{TEMPLATES}/{template['id']}", "admin", json={"title": "Meanwhile"})
    for answer in await ways_to_change(whole_site, template, "instructor", revision=1):
        assert_problem(answer, 409, "template.stale")
    for answer in await ways_to_change(whole_site, template, "instructor", tag='"1"'):
        assert_problem(answer, 412, "template.precondition_failed")
        assert answer.headers["etag"] == '"2"'
    # A tag that no state ever has.
    for answer in await ways_to_change(whole_site, template, "instructor", tag='W/"2"'):
        assert answer.status_code == 412
    current = (await whole_site.ask("GET", f"{TEMPLATES}/{template['id']}", "instructor")).json()
    assert (current["title"], current["revision"]) == ("Meanwhile", 2)


async def test_other_instructors_read_and_admins_change(whole_site: WholeSite) -> None:
    site = whole_site
    template = await made(site)
    at = f"{TEMPLATES}/{template['id']}"
    assert (await site.ask("GET", at, "colleague")).json() == template
    assert template["id"] in await listed(site, TEMPLATES, "colleague")
    for answer in await ways_to_change(site, template, "colleague", tag='"1"'):
        assert_problem(answer, 403, "template.not_the_author")
    assert (await site.ask("GET", at, "colleague")).json() == template
    for answer in await ways_to_change(site, template, "admin"):
        assert answer.status_code == 200
    assert (await site.ask("DELETE", at, "admin")).status_code == 204


async def test_nobody_else_gets_in(whole_site: WholeSite) -> None:
    template = await made(whole_site)
    for person, path in (("student", TEMPLATES), ("instructor", OFFERED), ("admin", OFFERED)):
        for address in (path, f"{path}/{template['id']}"):
            assert_problem(await whole_site.ask("GET", address, person), 403, "auth.forbidden")
    for answer in await ways_to_change(whole_site, template, "student", tag='"1"'):
        assert_problem(answer, 403, "auth.forbidden")


async def test_lists_are_filtered_and_come_page_by_page(whole_site: WholeSite) -> None:
    site = whole_site
    shown, draft = await made(site, title="Needle shown"), await made(site, title="Needle in draft")
    await step(site, shown, "publish")
    for query, expected in (
        ({}, [shown, draft]),
        ({"published": "true"}, [shown]),
        ({"published": "false"}, [draft]),
        ({"examPackageId": site.package}, [shown, draft]),
        ({"examPackageId": "pkg_none"}, []),
    ):
        assert await listed(site, TEMPLATES, "admin", q="needle", **query) == [each["id"] for each in expected]
    first = (await site.ask("GET", f"{TEMPLATES}?q=needle&limit=1", "instructor")).json()
    assert [item["id"] for item in first["items"]] == [shown["id"]]
    rest = await listed(site, TEMPLATES, "instructor", q="needle", cursor=first["nextCursor"])
    assert rest == [draft["id"]]
    another = await made(site, title="Shown too")
    await step(site, another, "publish")
    *before, last = await listed(site, OFFERED, "student", examPackageId=site.package)
    assert (shown["id"] in before, draft["id"] in before, last) == (True, False, another["id"])
    page = (await site.ask("GET", f"{OFFERED}?limit={len(before)}", "student")).json()
    assert [item["id"] for item in page["items"]] == before
    assert await listed(site, OFFERED, "student", cursor=page["nextCursor"]) == [last]
    assert await listed(site, OFFERED, "student", examPackageId="pkg_none") == []
    assert_problem(await site.ask("GET", f"{TEMPLATES}?published=perhaps", "admin"), 422, "request.invalid")


async def test_who_leaves_the_package_sees_its_templates_no_more(whole_site: WholeSite) -> None:
    site = whole_site
    template = await made(site)
    await step(site, template, "publish")
    assert template["id"] in await listed(site, OFFERED, "stranger")
    assert (await site.ask("DELETE", f"/student/enrollments/{site.package}", "stranger")).status_code == 204
    assert await listed(site, OFFERED, "stranger") == []
    answer = await site.ask("GET", f"{OFFERED}/{template['id']}", "stranger")
    assert_problem(answer, 404, "template.not_found")


async def test_what_was_done_is_on_record(whole_site: WholeSite) -> None:
    template = await made(whole_site, title="On record")
    for answer in await ways_to_change(whole_site, template, "admin"):
        assert answer.status_code == 200
    await whole_site.ask("DELETE", f"{TEMPLATES}/{template['id']}", "instructor")
    log = (await whole_site.ask("GET", f"/admin/audit-log?subject={template['id']}", "admin")).json()["items"]
    told = ["deleted", "unpublished", "published", "changed", "created"]
    assert [entry["action"] for entry in log] == [f"template.{each}" for each in told]
    assert (log[3]["before"], log[3]["after"]) == ({"title": "On record"}, {"title": "y"})


async def test_a_session_keeps_what_its_template_said_whatever_becomes_of_it(whole_site: WholeSite) -> None:
    site = whole_site
    template = await made(site, title="Three", count=3, timeLimitSeconds=600, scoring={"penalty": "0.25"})
    at, order = f"{TEMPLATES}/{template['id']}", {"templateId": template["id"]}
    assert_problem(await site.ask("POST", "/practice-sessions", "student", json=order), 404, "template.not_found")
    await step(site, template, "publish")
    begun = await site.ask("POST", "/practice-sessions", "student", json=order)
    assert begun.status_code == 201, begun.text
    session = begun.json()
    assert (session["templateId"], session["templateVersion"], session["requested"]) == (template["id"], 1, 3)
    assert (await answered_wrongly(site, session, 1))["mark"] == "-0.25"
    path = f"/practice-sessions/{session['id']}"
    before = (await site.ask("GET", path, "student")).json()

    changed = {"count": 2, "timeLimitSeconds": None, "scoring": None, "certainty": True, "feedback": "deferred"}
    assert (await site.ask("PATCH", at, "instructor", json=changed)).status_code == 200
    await step(site, template, "publish")
    after = (await site.ask("GET", path, "student")).json()
    assert after | {"remainingSeconds": 0} == before | {"remainingSeconds": 0}
    assert (await answered_wrongly(site, session, 2))["mark"] == "-0.25"
    newer = (await site.ask("POST", "/practice-sessions", "student", json=order)).json()
    assert (newer["templateVersion"], newer["requested"], newer["deadline"]) == (2, 2, None)
    assert (newer["feedback"], newer["certainty"]) == ("deferred", True)

    await step(site, template, "unpublish")
    assert_problem(await site.ask("POST", "/practice-sessions", "student", json=order), 404, "template.not_found")
    assert (await answered_wrongly(site, session, 3))["mark"] == "-0.25"
    assert_problem(await site.ask("DELETE", at, "instructor"), 409, "template.in_use")

"""Banks, topics and difficulties over HTTP: bodies, refusals, conditions, and who sees what."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import WholeSite

_NUMBERS = count(1)
BANKS, TOPICS, LEVELS = "/instructor/question-banks", "/instructor/question-topics", "/instructor/question-difficulties"


async def made(site: WholeSite, path: str, body: dict[str, Any], person: str = "instructor") -> dict[str, Any]:
    answer = await site.ask("POST", path, person, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def bank(site: WholeSite, person: str = "instructor", **fields: Any) -> dict[str, Any]:
    return await made(site, BANKS, {"title": f"Bank {next(_NUMBERS)}", **fields}, person)


async def listed(site: WholeSite, path: str, person: str, **query: str) -> list[dict[str, Any]]:
    answer = await site.ask("GET", path, person, params={"limit": "100", **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_bank_is_made_read_changed_and_deleted(whole_site: WholeSite) -> None:
    created = await whole_site.ask("POST", BANKS, "instructor", json={"title": "Security basics"})
    assert created.status_code == 201
    body = created.json()
    assert created.headers["location"] == f"{BANKS}/{body['id']}"
    assert (body["slug"], body["visibility"], body["language"]) == ("security-basics", "visible", "english")
    at = created.headers["location"]
    read = await whole_site.ask("GET", at, "admin")
    assert read.headers["etag"] == '"1"'
    assert read.json() == body | {"publishedCount": 0}
    changed = await whole_site.ask("PATCH", at, "instructor", json={"title": "Safety"}, headers={"if-match": '"1"'})
    assert (changed.json()["title"], changed.json()["version"]) == ("Safety", 2)
    late = await whole_site.ask("PATCH", at, "instructor", json={"title": "Late"}, headers={"if-match": '"1"'})
    assert_problem(late, 412, "question_bank.precondition_failed")
    assert late.headers["etag"] == '"2"'
    assert (await whole_site.ask("DELETE", at, "instructor")).status_code == 204
    assert_problem(await whole_site.ask("GET", at, "instructor"), 404, "question_bank.not_found")


async def test_the_same_order_again_makes_one_bank(whole_site: WholeSite) -> None:
    order: dict[str, Any] = {"json": {"title": "Once"}, "headers": {"idempotency-key": "bank-once"}}
    first, second = [await whole_site.ask("POST", BANKS, "instructor", **order) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "x", "ownerId": "usr_1"}, "/ownerId"),
        ({"title": "x", "version": 7}, "/version"),
        ({"title": "x", "visibility": "secret"}, "/visibility"),
        ({"title": "x", "language": "klingon"}, "/language"),
        ({"title": "x", "editorIds": ["usr_none"]}, "/editorIds"),
        ({"title": "x", "editorIds": ["a/b"]}, "/editorIds/0"),
    ],
)
async def test_a_bank_that_cannot_be_is_refused_by_field(site: WholeSite, body: dict[str, Any], pointer: str) -> None:
    answer = await site.ask("POST", BANKS, "instructor", json=body)
    assert_problem(answer, 422, "request.invalid")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_slug_names_one_bank(whole_site: WholeSite) -> None:
    taken = await bank(whole_site)
    answer = await whole_site.ask("POST", BANKS, "admin", json={"title": "x", "slug": taken["slug"]})
    assert_problem(answer, 409, "question_bank.slug_taken")


async def test_a_hidden_bank_of_an_admin_is_not_there_for_an_instructor(whole_site: WholeSite) -> None:
    hidden = await bank(whole_site, "admin", visibility="hidden")
    about = await made(whole_site, TOPICS, {"questionBankId": hidden["id"], "name": "Secret"}, "admin")
    at, topic_at = f"{BANKS}/{hidden['id']}", f"{TOPICS}/{about['id']}"
    for method, path, body in (("GET", at, None), ("PATCH", at, {"title": "x"}), ("DELETE", at, None)):
        answer = await whole_site.ask(method, path, "instructor", **({"json": body} if body else {}))
        assert_problem(answer, 404, "question_bank.not_found")
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await whole_site.ask(method, topic_at, "instructor", **({"json": body} if body else {}))
        assert_problem(answer, 404, "question_topic.not_found")
    assert hidden["id"] not in {each["id"] for each in await listed(whole_site, BANKS, "instructor")}
    assert hidden["id"] in {each["id"] for each in await listed(whole_site, BANKS, "admin")}
    assert not await listed(whole_site, TOPICS, "instructor", questionBankId=hidden["id"])


async def test_a_visible_bank_of_an_admin_is_not_the_instructors_to_change(whole_site: WholeSite) -> None:
    foreign = await bank(whole_site, "admin")
    answer = await whole_site.ask("PATCH", f"{BANKS}/{foreign['id']}", "instructor", json={"title": "Mine"})
    assert_problem(answer, 403, "question_bank.not_the_owner")
    about = await made(whole_site, TOPICS, {"questionBankId": foreign["id"], "name": "Anybody's"})
    answer = await whole_site.ask("DELETE", f"{TOPICS}/{about['id']}", "instructor")
    assert_problem(answer, 403, "question_bank.not_the_owner")


async def test_the_bank_of_a_package_stays(whole_site: WholeSite) -> None:
    (sums,) = await listed(whole_site, BANKS, "admin", q="sums")
    assert sums["publishedCount"] == 6
    answer = await whole_site.ask("DELETE", f"{BANKS}/{sums['id']}", "admin")
    assert_problem(answer, 409, "question_bank.in_use")


async def test_a_topic_is_made_renamed_and_deleted(whole_site: WholeSite) -> None:
    home = await bank(whole_site)
    about = await made(whole_site, TOPICS, {"questionBankId": home["id"], "name": "Routing"})
    taken = await whole_site.ask("POST", TOPICS, "instructor", json={"questionBankId": home["id"], "name": "Routing"})
    assert_problem(taken, 409, "question_topic.name_taken")
    renamed = await whole_site.ask("PATCH", f"{TOPICS}/{about['id']}", "instructor", json={"name": "Switching"})
    assert (renamed.json()["name"], renamed.json()["version"]) == ("Switching", 2)
    (found,) = await listed(whole_site, TOPICS, "instructor", questionBankId=home["id"])
    assert found == renamed.json()
    assert (await whole_site.ask("DELETE", f"{TOPICS}/{about['id']}", "instructor")).status_code == 204
    nowhere = await whole_site.ask("POST", TOPICS, "instructor", json={"questionBankId": "qbk_none", "name": "x"})
    assert_problem(nowhere, 404, "question_bank.not_found")


async def test_a_topic_with_questions_stays(whole_site: WholeSite) -> None:
    (used, *_) = await listed(whole_site, TOPICS, "admin", q="Topic")
    answer = await whole_site.ask("DELETE", f"{TOPICS}/{used['id']}", "admin")
    assert_problem(answer, 409, "question_topic.in_use")


async def test_an_export_is_no_change_after_a_topic_was_renamed(whole_site: WholeSite) -> None:
    """Content hashes hold the topic's name: a job makes them anew, or all its questions would count as changed."""
    (used,) = await listed(whole_site, TOPICS, "admin", q="Topic 1")
    renamed = await whole_site.ask("PATCH", f"{TOPICS}/{used['id']}", "admin", json={"name": "Odd"})
    assert renamed.status_code == 200
    before = _hashes(whole_site)
    await whole_site.container.rehash_questions()({"topic_id": used["id"]})
    after = _hashes(whole_site)
    assert sorted(name for name in before if before[name] != after[name]) == ["q1", "q3", "q5"]
    await whole_site.ask("PATCH", f"{TOPICS}/{used['id']}", "admin", json={"name": "Topic 1"})
    await whole_site.container.rehash_questions()({"topic_id": used["id"]})
    assert _hashes(whole_site) == before


def _hashes(site: WholeSite) -> dict[str, bytes]:
    found = site.database.keeper.execute(
        "select q.external_id, v.content_hash from questions q"
        " join question_versions v on v.question_id = q.id and v.version = q.latest_version"
    ).fetchall()
    return dict(found)


async def test_difficulties_are_listed_by_rank_and_renamed(whole_site: WholeSite) -> None:
    for path, person in ((LEVELS, "instructor"), ("/question-difficulties", "student")):
        assert [each["code"] for each in await listed(whole_site, path, person)] == ["easy", "medium", "hard"]
    renamed = await whole_site.ask("PATCH", f"{LEVELS}/dif_hard", "instructor", json={"name": "Tough"})
    assert (renamed.json()["code"], renamed.json()["name"]) == ("hard", "Tough")
    unknown = await whole_site.ask("PATCH", f"{LEVELS}/dif_none", "instructor", json={"name": "x"})
    assert_problem(unknown, 404, "question_difficulty.not_found")
    taken = await whole_site.ask("PATCH", f"{LEVELS}/dif_hard", "instructor", json={"name": "easy"})
    assert_problem(taken, 409, "question_difficulty.name_taken")
    await whole_site.ask("PATCH", f"{LEVELS}/dif_hard", "instructor", json={"name": "Hard"})


async def test_a_student_sees_the_banks_and_topics_of_their_packages(whole_site: WholeSite) -> None:
    await bank(whole_site)
    (own,) = await listed(whole_site, "/question-banks", "student")
    assert (own["slug"], own["publishedCount"]) == ("sums", 6)
    assert not own.keys() & {"ownerId", "editorIds", "visibility"}
    topics = await listed(whole_site, "/question-topics", "student", questionBankId=own["id"])
    assert {each["name"] for each in topics} == {"Topic 0", "Topic 1"}
    of_package = {"examPackageId": whole_site.package}
    assert await listed(whole_site, "/question-topics", "student", **of_package) == topics
    for elsewhere in ({"examPackageId": "pkg_none"}, {**of_package, "questionBankId": "qbk_none"}):
        assert await listed(whole_site, "/question-topics", "student", **elsewhere) == []
    order = {"slug": "not-mine", "title": "Not mine", "questionBankIds": [own["id"]]}
    strange = await made(whole_site, "/admin/exam-packages", order, "admin")
    assert await listed(whole_site, "/question-topics", "student", examPackageId=strange["id"]) == []


async def test_of_a_bank_it_is_never_said_that_nothing_changed_when_its_count_did(whole_site: WholeSite) -> None:
    """Publishing changes how many questions it has, and not its version, which the tag tells."""
    (own,) = await listed(whole_site, "/question-banks", "student")
    at = f"{BANKS}/{own['id']}"
    first = await whole_site.ask("GET", at, "admin")
    again = await whole_site.ask("GET", at, "admin", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.json(), again.headers["cache-control"]) == (200, first.json(), "no-store")
    changed = {"title": first.json()["title"]}
    kept = await whole_site.ask("PATCH", at, "admin", json=changed, headers={"if-match": again.headers["etag"]})
    assert kept.status_code == 200, kept.text


async def test_pages_of_banks_follow_each_other(whole_site: WholeSite) -> None:
    for _ in range(3):
        await bank(whole_site)
    whole = [each["id"] for each in await listed(whole_site, BANKS, "admin")]
    pages: list[str] = []
    answer: httpx.Response | None = None
    while answer is None or answer.json()["nextCursor"]:
        query = {"limit": "2"} if answer is None else {"limit": "2", "cursor": answer.json()["nextCursor"]}
        answer = await whole_site.ask("GET", BANKS, "admin", params=query)
        pages += [each["id"] for each in answer.json()["items"]]
    assert pages == whole == sorted(whole)


PREVIEW = {"sections": [{"count": 2}, {"count": 1, "marks": "2.50"}], "seed": "rehearsal"}


async def test_a_blueprint_is_tried_on_a_package(site: WholeSite) -> None:
    at = f"/instructor/exam-packages/{site.package}/paper-preview"
    first, second = [await site.ask("POST", at, "instructor", json=PREVIEW) for _ in range(2)]
    assert first.status_code == 200, first.text
    paper = first.json()
    assert paper == second.json()
    assert (paper["feasible"], paper["seed"], paper["shortfalls"]) == (True, "rehearsal", [])
    assert [(each["slot"], each["section"], each["maxMark"]) for each in paper["questions"]] == [
        (1, 0, "1"),
        (2, 0, "1"),
        (3, 1, "2.5"),
    ]
    assert len({each["questionId"] for each in paper["questions"]}) == 3
    assert all(sorted(choice["id"] for choice in each["choices"]) == list("ABCD") for each in paper["questions"])


async def test_a_blueprint_that_asks_for_too_much_is_told_what_is_missing(site: WholeSite) -> None:
    at = f"/instructor/exam-packages/{site.package}/paper-preview"
    topics = {each["name"]: each["id"] for each in await listed(site, TOPICS, "admin")}
    sections = [{"count": 4, "topicId": topics["Topic 0"]}, {"count": 3, "topicId": topics["Topic 1"]}]
    answer = await site.ask("POST", at, "instructor", json={"sections": sections})
    assert answer.json()["feasible"] is False
    assert answer.json()["questions"] == []
    assert answer.json()["shortfalls"] == [
        {"sections": [0], "topicIds": [topics["Topic 0"]], "required": 4, "available": 3, "missing": 1}
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"sections": []}, "/sections"),
        ({"sections": [{"count": 0}]}, "/sections/0/count"),
        ({"sections": [{"count": 300}, {"count": 300}]}, "/sections"),
        ({"sections": [{"count": 1, "marks": "0"}]}, "/sections/0/marks"),
        ({"sections": [{"count": 1, "marks": 2.5}]}, "/sections/0/marks"),
        ({"sections": [{"count": 1, "marks": "2\n"}]}, "/sections/0/marks"),
        ({"sections": [{"count": 1}], "seed": "a b"}, "/seed"),
    ],
)
async def test_an_unsound_blueprint_is_refused_by_field(site: WholeSite, body: dict[str, Any], pointer: str) -> None:
    answer = await site.ask("POST", f"/instructor/exam-packages/{site.package}/paper-preview", "instructor", json=body)
    assert_problem(answer, 422, "request.invalid")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_paper_is_drawn_from_a_package_that_there_is(site: WholeSite) -> None:
    answer = await site.ask("POST", "/instructor/exam-packages/pkg_none/paper-preview", "admin", json=PREVIEW)
    assert_problem(answer, 404, "paper.source_not_found")

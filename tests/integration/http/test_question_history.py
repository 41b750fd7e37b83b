"""The versions of a question over HTTP: the list, each as it was, and what changed between any two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QUESTIONS, QuestionSite, question_site_of


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


@pytest.fixture(scope="module")
async def question(questions: QuestionSite) -> dict[str, Any]:
    """Three versions: the first superseded by the second, which an administrator wrote, and a draft."""
    first = await questions.published()
    path = f"{QUESTIONS}/{first['id']}"
    changes = {"stem": "Which port does plain HTTP use?", "difficultyId": "dif_hard", "points": "3", "tags": []}
    await questions.ask("PUT", path, "admin", json=changes)
    await questions.step(first, "publish", "admin")
    choices = [{"text": "80", "correct": True}, {"text": "21"}, {"text": "443"}]
    latest = await questions.ask("PUT", f"{path}/choices", "instructor", json={"choices": choices})
    assert latest.status_code == 200, latest.text
    body: dict[str, Any] = latest.json()
    return body


async def test_every_version_is_listed_with_what_became_of_it(
    questions: QuestionSite, question: dict[str, Any]
) -> None:
    listed = await questions.read(question, "/versions")
    told = [(each["version"], each["status"], each["kind"]) for each in listed["items"]]
    assert told == [(3, "draft", "single"), (2, "published", "single"), (1, "superseded", "single")]
    author, admin = questions.person("instructor"), questions.person("admin")
    assert [each["editors"] for each in listed["items"]] == [[author], [admin], [author]]
    assert [each["decidedAt"] is None for each in listed["items"]] == [True, False, False]
    assert listed["nextCursor"] is None


async def test_versions_are_read_page_by_page(questions: QuestionSite, question: dict[str, Any]) -> None:
    first = await questions.ask("GET", f"{QUESTIONS}/{question['id']}/versions?limit=2", "instructor")
    assert [each["version"] for each in first.json()["items"]] == [3, 2]
    rest = await questions.ask("GET", first.links["next"]["url"], "instructor")
    assert [each["version"] for each in rest.json()["items"]] == [1]
    assert rest.json()["nextCursor"] is None


async def test_a_version_stays_as_it_was(questions: QuestionSite, question: dict[str, Any]) -> None:
    first, latest = [await questions.read(question, f"/versions/{number}") for number in (1, 3)]
    assert (first["status"], first["stem"], first["points"]) == ("superseded", "Which port does HTTPS use?", "2.5")
    assert (first["correctChoiceIds"], latest["correctChoiceIds"]) == (["B"], ["A"])
    assert {name: latest[name] for name in ("stem", "choices", "rev", "editors")} == {
        name: question[name] for name in ("stem", "choices", "rev", "editors")
    }
    path = f"{QUESTIONS}/{question['id']}/versions/1"
    tag = (await questions.ask("GET", path, "instructor")).headers["etag"]
    known = await questions.ask("GET", path, "instructor", headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")


async def test_what_changed_is_told_field_by_field_and_word_by_word(
    questions: QuestionSite, question: dict[str, Any]
) -> None:
    difference = await questions.read(question, "/versions/2/diff")
    assert (difference["before"], difference["after"]) == (1, 2)
    told = [(each["part"], each["before"], each["after"]) for each in difference["changes"]]
    assert told == [
        ("stem", "Which port does HTTPS use?", "Which port does plain HTTP use?"),
        ("difficulty", "dif_easy", "dif_hard"),
        ("points", "2.5", "3"),
        ("tag", "ports", None),
    ]
    assert difference["changes"][0]["words"] == [
        {"edit": "same", "text": "Which port does "},
        {"edit": "removed", "text": "HTTPS "},
        {"edit": "added", "text": "plain HTTP "},
        {"edit": "same", "text": "use?"},
    ]


async def test_any_two_versions_are_compared_in_either_direction(
    questions: QuestionSite, question: dict[str, Any]
) -> None:
    there, back = [
        await questions.read(question, f"/versions/{path}") for path in ("3/diff?against=1", "1/diff?against=3")
    ]
    assert (there["before"], there["after"], back["before"], back["after"]) == (1, 3, 3, 1)
    moved = [each for each in there["changes"] if (each["beforeId"], each["afterId"]) == ("B", "C")]
    assert {(each["part"], each["before"], each["after"]) for each in moved} >= {
        ("choice_place", "B", "C"),
        ("choice_correct", "true", "false"),
    }
    assert ("stem", "Which port does HTTPS use?") in {(each["part"], each["after"]) for each in back["changes"]}
    same = await questions.read(question, "/versions/2/diff?against=2")
    assert same["changes"] == []


@pytest.mark.parametrize(
    "path", ["4", "0", "-1", "01", "one", "9999999999", "1e1", "1/diff", "2/diff?against=9", "9/diff?against=1"]
)
async def test_a_version_that_there_is_not(questions: QuestionSite, question: dict[str, Any], path: str) -> None:
    answer = await questions.ask("GET", f"{QUESTIONS}/{question['id']}/versions/{path}", "instructor")
    assert_problem(answer, 404, "question.version_not_found")


@pytest.mark.parametrize("against", ["0", "-1", "2147483648", "x", "1.5", ""])
async def test_a_number_that_no_version_has(questions: QuestionSite, question: dict[str, Any], against: str) -> None:
    path = f"{QUESTIONS}/{question['id']}/versions/2/diff?against={against}"
    assert_problem(await questions.ask("GET", path, "instructor"), 422, "request.invalid")


@pytest.mark.parametrize("what", ["/versions", "/versions/1", "/versions/2/diff", "/reviews"])
async def test_the_history_of_nothing_is_not_found(questions: QuestionSite, what: str) -> None:
    answer = await questions.ask("GET", f"{QUESTIONS}/qst_none{what}", "admin")
    assert_problem(answer, 404, "question.not_found")

"""Lists of questions over HTTP, as staff filter, search and turn the pages of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QUESTIONS, QuestionSite, question_site_of


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


async def test_lists_are_filtered_and_continue_where_they_ended(questions: QuestionSite) -> None:
    bank = questions.add_bank("listed")
    made = [
        await questions.create(questionBankId=bank, topicId=None, kind=kind, stem=f"List {kind}?", tags=[kind])
        for kind in ("single", "multiple", "numeric")
    ]
    first = await questions.ask("GET", f"{QUESTIONS}?questionBankId={bank}&limit=2", "colleague")
    rest = await questions.ask("GET", first.links["next"]["url"], "colleague")
    items = [*first.json()["items"], *rest.json()["items"]]
    assert [item["id"] for item in items] == [question["id"] for question in reversed(made)]
    assert rest.json()["nextCursor"] is None
    author = questions.person("instructor")
    for query, found in (
        ("kind=numeric", ["numeric"]),
        ("tag=single", ["single"]),
        ("status=in_review", []),
        (f"status=draft&authorId={author}", ["numeric", "multiple", "single"]),
        (f"authorId={questions.person('admin')}", []),
        ("difficultyId=dif_hard", []),
        ("topicId=top_none", []),
        ("q=multiple", ["multiple"]),
    ):
        answer = await questions.ask("GET", f"{QUESTIONS}?questionBankId={bank}&{query}", "instructor")
        assert [item["kind"] for item in answer.json()["items"]] == found, query


@pytest.mark.parametrize(
    "query", ["status=superseded", "kind=essay", "q=" + "x" * 1001, "questionBankId=a%20b", "topicId="]
)
async def test_a_filter_that_cannot_be_is_refused(questions: QuestionSite, query: str) -> None:
    assert_problem(await questions.ask("GET", f"{QUESTIONS}?{query}", "instructor"), 422, "request.invalid")


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "_",
        "\\",
        "'; drop table users; --",
        '"',
        "((",
        "-",
        "or or",
        "& | !",
        ":*",
        "<->",
        "\N{PILE OF POO}",
        "\u202e",
    ],
)
async def test_a_search_for_anything_searches(questions: QuestionSite, text: str) -> None:
    answer = await questions.ask("GET", QUESTIONS, "instructor", params={"q": text})
    assert answer.status_code == 200, answer.text
    tagged = await questions.ask("GET", QUESTIONS, "instructor", params={"tag": text})
    assert (tagged.status_code, tagged.json()["items"]) == (200, [])


@pytest.mark.parametrize("query", ["q=%00", "q=" + "a" * 9000, "tag=%00", "tag=" + "x" * 513])
async def test_a_search_that_is_too_much_or_no_text(questions: QuestionSite, query: str) -> None:
    answer = await questions.ask("GET", f"{QUESTIONS}?{query}", "instructor")
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert answer.status_code in {400, 422}

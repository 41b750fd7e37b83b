"""Numbers of questions over HTTP: decimal strings that are answered as they may be sent again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QUESTIONS, QuestionSite, question_site_of


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


_SENT_BACK: list[tuple[str, dict[str, Any]]] = [
    ("numeric", {"bands": [{"answer": "1" * 28, "tolAbs": "1E-20"}, {"answer": "-0.00", "tolRel": "1E-40"}]}),
    ("numeric", {"bands": [{"answer": "1E+39", "tolAbs": "1E+39"}, {"answer": "-" + "1" * 28 + "E-12"}]}),
    ("numeric", {"bands": [{"answer": "1E-7", "fraction": "0.3333333333333"}, {"answer": "1E+27"}]}),
    ("multiple", {"choices": [{"text": "a", "correct": True, "weight": "1"}, {"text": "b", "weight": "-1E-7"}]}),
    ("multiple", {"choices": [{"text": "a", "correct": True, "weight": "1"}, {"text": "b", "weight": "-0"}]}),
]


@pytest.mark.parametrize(("kind", "parts"), _SENT_BACK)
async def test_what_is_answered_may_be_sent_back(questions: QuestionSite, kind: str, parts: dict[str, Any]) -> None:
    """Numbers of any length in one spelling, which changes nothing; a zero has no sign."""
    written = json.loads(json.dumps(parts), object_hook=_without_exponents)
    question = await questions.create(kind=kind, **written)
    names = {"bands": ("answer", "tolAbs", "tolRel", "fraction"), "choices": ("id", "text", "correct", "weight")}
    said = {part: [{name: each[name] for name in names[part]} for each in question[part]] for part in names}
    assert "-0" not in {number for band in said["bands"] for number in band.values()}
    assert "-0" not in {choice["weight"] for choice in said["choices"]}
    path = f"{QUESTIONS}/{question['id']}/choices"
    answer = await questions.ask("PUT", path, "instructor", json=said | {"expectedRev": 1})
    assert answer.status_code == 200, answer.text
    assert answer.json() == question
    assert await questions.read(question) == question
    stored = str(questions.value("select answer_key from question_versions where question_id = %s", question["id"]))
    assert "'-0" not in stored


def _without_exponents(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{Decimal(text):f}" if "E" in str(text) else text for name, text in numbers.items()}


@pytest.mark.parametrize("name", ["tolAbs", "tolRel", "fraction", "weight", "points"])
async def test_a_number_ends_where_it_ends(questions: QuestionSite, name: str) -> None:
    """A line break after it is no part of a number, although `$` of many engines lets it pass."""
    sent = deepcopy(questions.draft("single" if name == "weight" else "numeric"))
    if name == "points":
        sent["points"] = "1\n"
    else:
        (sent["choices"] if name == "weight" else sent["bands"])[0] |= {name: "1\n"}
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=sent)
    assert_problem(refused, 422, "request.invalid")
    assert [fault["pointer"].rpartition("/")[2] for fault in refused.json()["errors"]] == [name]


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        ("6.02e23", "602000000000000000000000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-.5", "-0.5"),
        ("+3", "3"),
        ("\N{MINUS SIGN}1.50E-3", "-0.0015"),
        (" 7\n", "7"),
        ("-0.0e9", "0"),
        ("1e39", "1" + "0" * 39),
    ],
)
async def test_authors_write_numbers_as_students_do(questions: QuestionSite, written: str, answered: str) -> None:
    question = await questions.create(kind="numeric", bands=[{"answer": written}])
    assert question["bands"][0]["answer"] == answered
    path = f"{QUESTIONS}/{question['id']}/choices"
    again = await questions.ask("PUT", path, "instructor", json={"bands": question["bands"]})
    assert again.status_code == 200, again.text
    assert again.json() == question


@pytest.mark.parametrize(
    ("written", "code", "told"),
    [
        ("1,5", "comma", "Write a decimal point"),
        ("three", "not_a_number", "'three' is not a number such as -12.5 or 6.02e23."),
        ("NaN", "not_a_number", "'NaN' is not a number"),
        ("", "not_a_number", "is not a number"),
        ("1e101", "out_of_range", "A number other than 0 lies between"),
        ("1e40", "out_of_range", "At most 28 significant digits"),
        ("1" * 29, "out_of_range", "At most 28 significant digits"),
        ("1" * 65, "too_long", "64"),
    ],
)
async def test_what_is_no_number_is_told_in_words(questions: QuestionSite, written: str, code: str, told: str) -> None:
    sent = questions.draft("numeric", bands=[{"answer": "1"}, {"answer": written}])
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=sent)
    assert_problem(refused, 422, "request.invalid")
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/bands/1/answer", code)
    assert told in fault["message"]


@pytest.mark.parametrize("name", ["tolAbs", "tolRel", "fraction", "weight", "points"])
@pytest.mark.parametrize("written", ["1,5", "1e-1", ".5"])
async def test_nobody_is_told_a_pattern(questions: QuestionSite, name: str, written: str) -> None:
    sent = deepcopy(questions.draft("single" if name == "weight" else "numeric"))
    part = {"weight": "choices", "points": None}.get(name, "bands")
    (sent if part is None else sent[part][0])[name] = written
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=sent)
    assert_problem(refused, 422, "request.invalid")
    (fault,) = refused.json()["errors"]
    assert fault["code"] == "wrong_format"
    assert fault["message"].startswith("Expected a decimal number")
    assert "regex" not in refused.text


async def test_whole_numbers_may_come_as_such_and_fractions_as_text_only(questions: QuestionSite) -> None:
    question = await questions.create(kind="numeric", points=2, bands=[{"answer": -3, "tolAbs": 1, "fraction": 1}])
    assert (question["points"], question["bands"][0]["answer"]) == ("2", "-3")
    refused = await questions.ask("POST", QUESTIONS, "instructor", json=questions.draft(points=0.5))
    assert_problem(refused, 422, "request.invalid")

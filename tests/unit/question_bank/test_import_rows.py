"""Imported questions as lines of COPY: what PostgreSQL reads is what the question says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from adapters.postgres.question_bank.import_rows import ImportRows
from adapters.system.clock import TimeOrderedIds
from domain.question_bank.imported import FormattedText, ImportedChoice, ImportedQuestion, Origin
from domain.question_bank.kinds import QuestionKind
from tests.support.question_strategies import complete_questions

# In ASCII, with and without blanks around: what takes the quick way, and what nearly does.
_texts = st.sampled_from(["a", "b c", " d", "e\n", '"f"', "\\g", "é", "e\u0301", "x\ty"]).map(
    lambda text: FormattedText(text=text)
)
plain_questions = st.builds(
    replace,
    complete_questions(kinds=(QuestionKind.SINGLE, QuestionKind.MULTIPLE)),
    stem=_texts,
    domain=st.sampled_from(["", "Sums", " Sums", "é"]),
    difficulty=st.sampled_from([None, "easy", " easy"]),
    explanation=st.none() | _texts,
    tags=st.just(()),
    choices=st.lists(
        st.builds(
            ImportedChoice,
            key=st.just("A"),
            text=_texts,
            correct=st.booleans(),
            explanation=st.none() | _texts,
            pinned=st.sampled_from([False, False, False, True]),
        ),
        max_size=4,
    ).map(lambda choices: tuple(replace(choice, key="ABCD"[place]) for place, choice in enumerate(choices))),
)
_ESCAPED = re.compile(r"\\(.)")
_MEANING = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}


def read_copy(lines: bytes) -> list[list[str | None]]:
    """As COPY reads its text format."""
    rows = lines.decode().removesuffix("\n").split("\n")
    return [[None if cell == "\\N" else _ESCAPED.sub(_meant, cell) for cell in row.split("\t")] for row in rows]


def _meant(found: re.Match[str]) -> str:
    return _MEANING[found[1]]


@pytest.mark.parametrize("text", ["é", "e\u0301", " a", "a\n", "", '"', "\\"])
def test_a_text_that_is_not_plain_is_noticed_wherever_it_stands(text: str) -> None:
    odd = FormattedText(text=text)
    [first, second] = [
        ImportedChoice(key=key, text=FormattedText(text=key), correct=key == "A", explanation=FormattedText(text="why"))
        for key in "AB"
    ]
    plain = ImportedQuestion(
        external_id="Q1",
        bank="b",
        domain="Sums",
        difficulty=None,
        kind=QuestionKind.SINGLE,
        stem=FormattedText(text="s"),
        choices=(first, second),
        explanation=None,
        tags=(),
        points=Decimal("1.50"),
        shuffle=True,
        origin=Origin(format="csv", file="f", record=2, line=2),
    )
    check(plain)
    for question in (
        replace(plain, stem=odd),
        replace(plain, domain=text),
        replace(plain, difficulty=text or None),
        replace(plain, explanation=odd),
        replace(plain, choices=(first, replace(second, text=odd))),
        replace(plain, choices=(first, replace(second, explanation=odd))),
    ):
        check(question)


@given(complete_questions() | plain_questions)
def test_a_row_says_what_the_question_says(question: ImportedQuestion) -> None:
    check(question)


def check(question: ImportedQuestion) -> None:
    [row] = read_copy(ImportRows(TimeOrderedIds())([question], "imp_1"))

    assert row[:4] == ["imp_1", str(question.origin.record), str(question.origin.line), question.external_id]
    assert row[5:10] == [
        question.domain or None,
        question.difficulty,
        question.kind.value,
        question.stem.text,
        question.stem.format.value,
    ]
    columns = (choices_column(question), answer_key_column(question), prompts_column(question))
    assert [json.loads(cell or "") for cell in row[10:13]] == [json.loads(column) for column in columns]
    assert row[14:16] == [str(question.points), "t" if question.shuffle else "f"]
    assert row[16] == f"\\x{question.content_hash.hex()}"


@given(complete_questions(), complete_questions())
def test_every_row_has_an_id_of_its_own(first: ImportedQuestion, second: ImportedQuestion) -> None:
    ids = [row[4] for row in read_copy(ImportRows(TimeOrderedIds())([first, second], "imp_1"))]
    assert len(set(ids)) == 2
    assert ids == sorted(ids, key=str)

"""Laws of the text formats: what was written reads as the projection, and the same questions are the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.aiken_questions import AikenWriter, parse_aiken, project_aiken
from adapters.files.csv_questions import parse_csv
from adapters.files.csv_questions.writing import CsvWriter, project_csv
from adapters.files.gift_questions import GiftWriter, parse_gift, project_gift
from adapters.files.jsonl_questions import JsonlWriter, parse_jsonl, project_jsonl
from application.question_bank.ports.exporting import Losses, QuestionWriter
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedQuestion,
    ImportProblem,
    Origin,
    ParsedItem,
    Severity,
)
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.projection import losses_of
from tests.support.question_strategies import OF_CHOICES, complete_questions

NOWHERE = Origin(format="", file="", record=0, line=0)


@dataclass(frozen=True, slots=True)
class Format:
    writer: QuestionWriter
    project: Callable[[ImportedQuestion], ImportedQuestion | None]
    parse: Callable[[IO[bytes]], Iterator[ParsedItem]]

    def write(self, questions: Iterable[ImportedQuestion], losses: Losses | None = None) -> bytes:
        return b"".join(self.writer.write(questions, losses or Losses()))

    def read(self, content: bytes) -> list[ImportedQuestion]:
        items = list(self.parse(io.BytesIO(content)))
        errors = [item for item in items if isinstance(item, ImportProblem) and item.severity is Severity.ERROR]
        assert errors == []
        return [replace(item, origin=NOWHERE) for item in items if isinstance(item, ImportedQuestion)]


FORMATS = {
    "jsonl": Format(JsonlWriter(), project_jsonl, lambda file: parse_jsonl(file, file_name="f", bank="bank")),
    "gift": Format(GiftWriter(), project_gift, lambda file: parse_gift(file, file_name="f", bank="bank")),
    "aiken": Format(AikenWriter(), project_aiken, lambda file: parse_aiken(file, file_name="f", bank="bank")),
    "csv": Format(CsvWriter(), project_csv, lambda file: parse_csv([file.read()], file="f", bank="bank")),
}
formats = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
question_lists = st.lists(complete_questions(kinds=OF_CHOICES), min_size=1, max_size=3)


def projected(format_: Format, questions: Sequence[ImportedQuestion]) -> list[ImportedQuestion]:
    return [replace(left, origin=NOWHERE) for left in map(format_.project, questions) if left is not None]


@formats
@given(questions=question_lists)
def test_what_is_read_again_is_the_projection(format_: Format, questions: list[ImportedQuestion]) -> None:
    left = projected(format_, questions)
    if left:
        assert format_.read(format_.write(questions)) == left


@formats
@given(questions=question_lists)
def test_a_file_that_was_read_is_written_again_byte_by_byte(format_: Format, questions: list[ImportedQuestion]) -> None:
    written = format_.write(questions)
    if projected(format_, questions):
        assert format_.write(format_.read(written)) == written


def test_a_character_that_is_no_text_is_refused_however_it_is_written() -> None:
    """HTML can name it by its number; cleaned, it is the character itself."""
    (problem,) = (
        item
        for item in FORMATS["gift"].parse(io.BytesIO(b"// [id:1]\nWhy?{\n\t=Yes\n\t~[html]&\\#1;\n}\n\n"))
        if isinstance(item, ImportProblem) and item.severity is Severity.ERROR
    )
    assert (problem.field, problem.code) == ("option-b", "control_character")


@formats
@pytest.mark.parametrize("stem", ["\ufeffWhy?", "\ufeff \ufeff\u2003Why?", "\ufeff", "\ufeffANSWER: A"])
@given(question=complete_questions(kinds=(QuestionKind.SINGLE,)))
def test_a_text_that_begins_like_a_file_is_no_exception(format_: Format, stem: str, question: ImportedQuestion) -> None:
    questions = [replace(question, stem=FormattedText(text=stem)), question]
    left = projected(format_, questions)
    if left:
        assert format_.read(format_.write(questions)) == left


@given(
    question=complete_questions(kinds=(QuestionKind.MULTIPLE,)).filter(lambda found: project_gift(found) is not None),
    percents=st.sampled_from([("33.33333",) * 3, ("33.333",) * 3, ("16.66667",) * 6, ("83.33333", "16.66666")]),
)
def test_gift_gives_back_what_rounding_took_from_the_whole_mark(
    question: ImportedQuestion, percents: Sequence[str]
) -> None:
    """And what it gave back stays, however often it is written and read."""
    format_ = FORMATS["gift"]
    choices = [
        replace(question.choices[0], key=key, correct=share is not None, weight=None if share is None else share / 100)
        for key, share in zip(CHOICE_KEYS, [*map(Decimal, percents), Decimal(-100), None], strict=False)
    ]
    choices[-2] = replace(choices[-2], correct=False)
    (read,) = format_.read(format_.write([replace(question, choices=tuple(choices))]))
    weights = [choice.weight for choice in read.choices if choice.correct and choice.weight is not None]
    assert (len(weights), sum(weights)) == (len(percents), 1)
    assert [choice.weight for choice in read.choices][-2:] == [-1, None]
    assert format_.read(format_.write([read])) == [read]


@formats
@given(question=complete_questions())
def test_what_is_left_of_a_question_stays_what_it_is(format_: Format, question: ImportedQuestion) -> None:
    left = format_.project(question)
    assert left is None or format_.project(left) == left


@formats
@given(question=complete_questions())
def test_every_difference_is_counted_as_a_loss(format_: Format, question: ImportedQuestion) -> None:
    losses, left = Losses(), format_.project(question)
    format_.write([question], losses)
    assert set(losses.counts) == {code for code, _ in losses_of(question, left)}
    assert ("unsupported" in losses.counts) == (left is None)
    if left is not None:
        changed = replace(left, origin=question.origin) != question
        assert bool(losses.counts) == changed


@given(questions=st.lists(complete_questions(), min_size=1, max_size=3))
def test_json_lines_lose_nothing_of_any_kind(questions: list[ImportedQuestion]) -> None:
    format_ = FORMATS["jsonl"]
    again = format_.read(format_.write(questions))
    assert again == projected(format_, questions) == [replace(question, origin=NOWHERE) for question in questions]
    assert [question.content_hash for question in again] == [question.content_hash for question in questions]

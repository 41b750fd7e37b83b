"""The writing of questions as CSV, with the columns of the import contract."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import ClassVar, Final

from adapters.files.csv_questions.rows import FORMAT
from adapters.files.decimal_text import spelled
from application.question_bank.ports.exporting import ExportShape, Losses, QuestionWriter
from domain.question_bank.imported import (
    CHOICE_KEYS,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

_LEAST_OPTIONS: Final = 4
_OF_CHOICES: Final = frozenset({QuestionKind.SINGLE, QuestionKind.TRUE_FALSE, QuestionKind.MULTIPLE})
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")


def project_csv(question: ImportedQuestion, *, excel_safe: bool = False) -> ImportedQuestion | None:
    """Plain trimmed texts, and one correct choice or several; no weights, no markup, no order of choices.

    `excel_safe` puts an apostrophe before every text that a spreadsheet would take for a formula.
    """
    if question.kind not in _OF_CHOICES:
        return None
    guard = _guarded if excel_safe else trimmed
    choices = [
        ImportedChoice(
            key=choice.key,
            text=FormattedText(text=guard(choice.text.text)),
            correct=choice.correct,
            explanation=_plain(choice.explanation, excel_safe=excel_safe),
        )
        for choice in question.choices
    ]
    several = sum(choice.correct for choice in choices) > 1
    return replace(
        question,
        external_id=guard(question.external_id),
        domain=guard(question.domain),
        difficulty=guard(question.difficulty or "") or None,
        kind=QuestionKind.MULTIPLE if several else QuestionKind.SINGLE,
        stem=FormattedText(text=guard(question.stem.text)),
        choices=tuple(choices),
        explanation=_plain(question.explanation, excel_safe=excel_safe),
        tags=_split(guard(";".join(question.tags))),
        shuffle=True,
    )


class CsvWriter(QuestionWriter):
    """RFC 4180 in UTF-8. The header names as many options as the richest question has, and never fewer than four."""

    format: ClassVar[str] = FORMAT
    media_type: ClassVar[str] = "text/csv; charset=utf-8"
    ending: ClassVar[str] = ".csv"
    needs_shape: ClassVar[bool] = True

    def __init__(self, *, excel_safe: bool = False) -> None:
        self._excel_safe = excel_safe

    def write(
        self, questions: Iterable[ImportedQuestion], losses: Losses, shape: ExportShape | None = None
    ) -> Iterator[bytes]:
        if shape is None:
            questions = list(questions)
            shape = _shape_of(questions)
        most = max(_LEAST_OPTIONS, min(shape.most_choices, len(CHOICE_KEYS)))
        yield _row(_header(most))
        for question in questions:
            left = project_csv(question, excel_safe=self._excel_safe)
            losses.compare(question, left)
            if left is not None:
                yield _row(_laid_out(left, most))


def _shape_of(questions: Iterable[ImportedQuestion]) -> ExportShape:
    counts = (len(question.choices) for question in questions if question.kind in _OF_CHOICES)
    return ExportShape(most_choices=max(counts, default=0))


def _header(most: int) -> list[str]:
    letters = CHOICE_KEYS[:most].lower()
    first, others = letters[:_LEAST_OPTIONS], letters[_LEAST_OPTIONS:]
    names = ["question-id", "domain", "question-text"]
    names += [f"option-{letter}" for letter in first] + [f"explanation-{letter}" for letter in first]
    names += ["correct answer"]
    names += [f"{column}-{letter}" for letter in others for column in ("option", "explanation")]
    return [*names, "explanation", "difficulty", "tags", "points"]


def _laid_out(question: ImportedQuestion, most: int) -> list[str]:
    """The cells of a question in the order of the header."""
    missing = most - len(question.choices)
    if missing < 0:
        raise ValueError(f"{question.external_id!r} has more options than the header was made for")
    pairs = [(choice.text.text, _text(choice.explanation)) for choice in question.choices] + [("", "")] * missing
    first, others = pairs[:_LEAST_OPTIONS], pairs[_LEAST_OPTIONS:]
    row = [question.external_id, question.domain, question.stem.text]
    row += [option for option, _ in first] + [note for _, note in first]
    row += [question.answer, *chain.from_iterable(others), _text(question.explanation)]
    return [*row, question.difficulty or "", ";".join(question.tags), spelled(question.points)]


def _row(cells: Sequence[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _plain(text: FormattedText | None, *, excel_safe: bool) -> FormattedText | None:
    left = "" if text is None else _guarded(text.text) if excel_safe else trimmed(text.text)
    return FormattedText(text=left) if left else None


def _guarded(text: str) -> str:
    left = trimmed(text)
    return f"'{left}" if _FORMULA.match(left) else left


def _split(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(trimmed, cell.split(";")))))


def _text(text: FormattedText | None) -> str:
    return "" if text is None else text.text

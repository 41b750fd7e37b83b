"""From the cells of one record to a question, or to what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from operator import itemgetter
from typing import Final

from adapters.files.csv_questions.decoding import has_stray_bytes, mend
from adapters.files.csv_questions.header import Columns
from adapters.files.csv_questions.options import CsvOptions
from domain.question_bank.answers import AnswerFault, AnswerKey, read_answer
from domain.question_bank.import_checks import (
    DIFFICULTIES,
    MAX_NAME_BYTES,
    MAX_TAGS,
    asks_for_several,
    difficulty_code,
    examine,
)
from domain.question_bank.imported import (
    CHOICE_KEYS,
    BlankRecord,
    FormattedText,
    ImportedChoice,
    ImportedQuestion,
    ImportProblem,
    Origin,
    ParsedItem,
    Severity,
    normalized_id,
    trimmed,
)
from domain.question_bank.kinds import QuestionKind

FORMAT: Final = "csv"
_POINTS: Final = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,4})?")
_TAG: Final = re.compile("[^;]+")
_ONE_POINT: Final = Decimal(1)
_NO_POINTS: Final = Decimal(0)
_PLAIN_LENGTH: Final = 8 * 1024


class RowReader:
    """Reads the records of one file. A record gives one question, one blank, or problems of which one is no warning."""

    __slots__ = ("_bank", "_columns", "_file", "_notes", "_options", "_settings", "_single_cells")

    def __init__(self, columns: Columns, *, file: str, bank: str, options: CsvOptions) -> None:
        self._columns = columns
        self._file = file
        self._bank = bank
        self._settings = options
        self._options = itemgetter(*columns.places("option"))
        self._notes = itemgetter(*columns.places("explanation"))
        names = (
            "question-id",
            "domain",
            "question-text",
            "correct answer",
            "explanation",
            "difficulty",
            "tags",
            "points",
        )
        self._single_cells = itemgetter(*map(columns.place, names))

    def read(self, number: int, line: int, cells: list[str], *, guesses: bool) -> Sequence[ParsedItem]:
        joined = "".join(cells)
        if not joined or joined.isspace():
            return (BlankRecord(record=number, line=line),)
        if wrong_width := self._wrong_width(number, line, len(cells)):
            return (wrong_width,)
        problems: list[ImportProblem] = []
        if not joined.isascii() and has_stray_bytes(joined):
            cells, problems = self._mended(number, line, cells, guesses=guesses)
            if any(problem.severity is Severity.ERROR for problem in problems):
                return problems
        # In printable text the only blanks are spaces, and the built-in strip is the fast one.
        printable = joined.isprintable()
        texts = list(map(str.strip if printable else trimmed, cells))
        texts += [""] * (self._columns.width + 1 - len(cells))
        origin = Origin(format=FORMAT, file=self._file, record=number, line=line)
        if printable and len(joined) <= _PLAIN_LENGTH and joined.isascii() and (plain := self._plain(origin, texts)):
            return (plain,)
        return self._question(origin, texts, problems)

    def _plain(self, origin: Origin, texts: Sequence[str]) -> ImportedQuestion | None:
        """The question of a record of which a glance tells that nothing is wrong with it; a law holds it to the rest.

        Nearly every record is one: short, printable ASCII, with one letter for an answer and different options.
        """
        id_, domain, stem, answer, explanation, difficulty, tags, points = self._single_cells(texts)
        options = self._present_options(texts)
        place = CHOICE_KEYS.find(answer)
        if tags or points or len(answer) != 1 or not 0 <= place < len(options):
            return None
        if not (id_ and domain and stem) or len(id_) > MAX_NAME_BYTES or len(domain) > MAX_NAME_BYTES:
            return None
        if len(options) < 2 or "" in options or len(set(options)) < len(options) or asks_for_several(stem):
            return None
        difficulty = difficulty.lower()
        if difficulty and difficulty not in DIFFICULTIES:
            return None
        notes = self._notes(texts)
        return ImportedQuestion(
            external_id=id_,
            bank=self._bank,
            domain=domain,
            difficulty=difficulty or None,
            kind=QuestionKind.SINGLE,
            stem=FormattedText(text=stem),
            choices=self._choices(options, notes, (answer,)),
            explanation=FormattedText(text=explanation) if explanation else None,
            tags=(),
            points=_ONE_POINT,
            shuffle=self._settings.shuffle,
            origin=origin,
        )

    def _question(self, origin: Origin, texts: Sequence[str], problems: list[ImportProblem]) -> Sequence[ParsedItem]:
        id_, domain, stem, answer, explanation, difficulty, tags, points = self._single_cells(texts)
        external_id = normalized_id(id_)
        if not external_id:
            message = "The record has text but no id."
            return (*problems, _problem(origin, "question-id", "skipped_missing_id", message, Severity.SKIPPED))
        options = self._present_options(texts)
        key = read_answer(answer, options, base=self._settings.answer_base)
        keys = key.keys if isinstance(key, AnswerKey) else ()
        question = ImportedQuestion(
            external_id=external_id,
            bank=self._bank,
            domain=domain,
            difficulty=difficulty or None,
            kind=QuestionKind.MULTIPLE if len(keys) > 1 else QuestionKind.SINGLE,
            stem=FormattedText(text=stem),
            choices=self._choices(options, self._notes(texts), keys),
            explanation=FormattedText(text=explanation) if explanation else None,
            tags=_split_tags(tags) if tags else (),
            points=_read_points(points) if points else _ONE_POINT,
            shuffle=self._settings.shuffle,
            origin=origin,
        )
        problems += _judged(question, key)
        if problems and any(problem.severity is Severity.ERROR for problem in problems):
            return problems
        return (*problems, replace(question, difficulty=difficulty_code(difficulty)))

    def _present_options(self, texts: Sequence[str]) -> list[str]:
        options = list(self._options(texts))
        while options and not options[-1]:
            options.pop()
        return options

    def _choices(self, options: Sequence[str], notes: Sequence[str], keys: Sequence[str]) -> tuple[ImportedChoice, ...]:
        return tuple(
            [
                ImportedChoice(
                    key=key,
                    text=FormattedText(text=option),
                    correct=key in keys,
                    explanation=FormattedText(text=note) if note else None,
                )
                for key, option, note in zip(CHOICE_KEYS, options, notes, strict=False)
            ]
        )

    def _wrong_width(self, number: int, line: int, width: int) -> ImportProblem | None:
        columns = self._columns
        if columns.least <= width <= columns.width:
            return None
        return ImportProblem(
            record=number,
            line=line,
            field=None,
            code="too_few_cells" if width < columns.least else "too_many_cells",
            severity=Severity.ERROR,
            message=f"{width} cells under a header of {columns.width}: is a quote or a delimiter missing or unescaped?",
        )

    def _mended(
        self, number: int, line: int, cells: Sequence[str], *, guesses: bool
    ) -> tuple[list[str], list[ImportProblem]]:
        mended, guessed, unreadable = mend(cells, guesses=guesses)
        return mended, stray_byte_problems(number, line, guessed, [self._columns.names[place] for place in unreadable])


def stray_byte_problems(record: int, line: int, guessed: int, unreadable: Sequence[str]) -> list[ImportProblem]:
    """One warning for what was read as cp1252, one error for each cell that could not be read at all."""
    origin = Origin(format=FORMAT, file="", record=record, line=line)
    unreadable_cells = [
        _problem(origin, name, "undecodable", "A byte means nothing in the encoding of the file.")
        for name in unreadable
    ]
    if not guessed:
        return unreadable_cells
    message = f"{guessed} bytes are not UTF-8 and were read as Windows-1252."
    return [*unreadable_cells, _problem(origin, None, "encoding_guessed", message, Severity.WARNING)]


def _judged(question: ImportedQuestion, key: AnswerKey | AnswerFault) -> list[ImportProblem]:
    problems = examine(question)
    if isinstance(key, AnswerKey):
        if key.repeated:
            message = "A letter is named twice."
            problems.append(
                _problem(question.origin, "correct answer", "repeated_answer_letter", message, Severity.WARNING)
            )
        return problems
    # The unreadable answer explains the missing one; without options there is nothing that an answer could name.
    problems = [problem for problem in problems if problem.code != "missing_answer"]
    if len(question.choices) >= 2:
        problems.append(_problem(question.origin, "correct answer", key.code, key.message))
    return problems


def _problem(
    origin: Origin, field: str | None, code: str, message: str, severity: Severity = Severity.ERROR
) -> ImportProblem:
    return ImportProblem(
        record=origin.record, line=origin.line, field=field, code=code, severity=severity, message=message
    )


def _split_tags(cell: str) -> tuple[str, ...]:
    """The tags of a cell, each once; of too many only as many as show that."""
    tags: dict[str, None] = {}
    for part in _TAG.finditer(cell):
        if tag := trimmed(part[0]):
            tags[tag] = None
        if len(tags) > MAX_TAGS:
            break
    return tuple(tags)


def _read_points(cell: str) -> Decimal:
    """The points of a question; what is no number gives 0, which the examination refuses as `bad_points`."""
    return Decimal(cell.replace(",", ".")) if _POINTS.fullmatch(cell) else _NO_POINTS

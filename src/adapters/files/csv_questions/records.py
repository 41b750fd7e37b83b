"""From physical lines to numbered records, and the two ways in which quoting can break."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

from adapters.files.csv_questions.decoding import MAX_RECORD, RecordTooLong
from domain.question_bank.imported import ImportProblem, Severity

HEADER_RECORD: Final = 1
Record: TypeAlias = tuple[int, int, list[str] | ImportProblem]
"""Its number, its physical line, and its cells or why it has none."""


@dataclass(slots=True, kw_only=True)
class LineFeed:
    """Hands lines to the CSV reader and knows how much of the current record it has taken."""

    lines: Iterator[str]
    taken: int = 0
    exhausted: bool = False

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.taken += len(line)
            if self.taken > MAX_RECORD:
                raise RecordTooLong
            yield line
        self.exhausted = True


@dataclass(slots=True, kw_only=True)
class Records:
    """The records of a file from its header on, each with its number and the physical line on which it starts."""

    header: str
    header_line: int
    lines: Iterator[str]
    delimiter: str

    def __iter__(self) -> Iterator[Record]:
        feed = LineFeed(lines=chain([self.header], self.lines))
        reader = csv.reader(feed, delimiter=self.delimiter, strict=True)
        before = self.header_line
        number = HEADER_RECORD
        while not feed.exhausted:
            line = before + reader.line_num
            feed.taken = 0
            try:
                cells = next(reader, None)
            except (csv.Error, RecordTooLong) as fault:
                yield number, line, _problem(number, line, fault, at_end=feed.exhausted)
                if isinstance(fault, RecordTooLong):
                    return
                number += 1
                continue
            if cells:
                yield number, line, cells
                number += 1


def allow_long_fields() -> None:
    """The limit of `csv` is one for the whole process: it is only ever raised, and the feed keeps records below it."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD))


def _problem(number: int, line: int, fault: Exception, *, at_end: bool) -> ImportProblem:
    code, message = "bad_quoting", "A quote inside a quoted cell is not doubled."
    if isinstance(fault, RecordTooLong):
        code = "record_too_long"
        message = f"No end within {MAX_RECORD} characters: is a quote left open? The rest of the file was not read."
    elif at_end:
        code = "unterminated_quote"
        message = "A quote is opened and never closed: the rest of the file was taken for one cell and left out."
    return ImportProblem(record=number, line=line, field=None, code=code, severity=Severity.ERROR, message=message)

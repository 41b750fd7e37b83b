"""The header of a CSV file: its delimiter, the columns of the contract and where they stand."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from domain.question_bank.import_refusals import DuplicateColumn, ImportRefused, MissingColumn, MissingHeader
from domain.question_bank.rejects import PROBLEM_COLUMNS

MAX_COLUMNS: Final = 256
"""Four times the columns that mean something; every record is as wide as the header."""
_LONGEST_NAME: Final = 1024
DELIMITERS: Final = (",", ";", "\t", "|")
REQUIRED: Final = (
    "question-id",
    "domain",
    "question-text",
    *(f"option-{letter}" for letter in "abcd"),
    *(f"explanation-{letter}" for letter in "abcd"),
    "correct answer",
)
# Cells that may be absent at the end of a record: without them it still says what it said.
_MAY_BE_ABSENT: Final = re.compile(r"option-[e-z]|explanation(-[a-z])?|difficulty|tags|points")
_KNOWN: Final = re.compile(r"question-id|domain|question-text|option-[a-z]|correct answer|" + _MAY_BE_ABSENT.pattern)
_SEPARATOR_LINE: Final = re.compile(r'"?sep=.?"?\s*', re.IGNORECASE)
_AROUND_NAME: Final = " \t\r\n\xa0\ufeff\"'"


class TooManyColumns(ImportRefused):
    """The header names more columns than a file of questions can have."""

    code = "import.too_many_columns"
    title = "The file has too many columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column stands. Absent optional columns stand at `width`, one past the last cell of the file."""

    names: tuple[str, ...]
    width: int
    least: int
    unknown: tuple[str, ...]

    def place(self, name: str) -> int:
        return self.names.index(name) if name in self.names else self.width

    def places(self, prefix: str) -> tuple[int, ...]:
        """The places of `prefix-a`, `prefix-b`, … up to the last letter that the header names as an option."""
        last = max(ord(name[-1]) for name in self.names if re.fullmatch("option-[a-z]", name))
        return tuple(self.place(f"{prefix}-{chr(letter)}") for letter in range(ord("a"), last + 1))


def normalized_name(cell: str) -> str:
    """Case, quotes and blanks around a name do not matter, nor whether its words are joined by blank, `_` or `-`."""
    name = cell.strip(_AROUND_NAME)
    if len(name) > _LONGEST_NAME:
        return name
    name = re.sub(r"[\s_-]+", "-", name.casefold())
    return "correct answer" if name == "correct-answer" else name


def header_line(lines: Iterator[str]) -> tuple[str, int]:
    """The first line that is neither empty nor Excel's `sep=` line, and its number; "" when there is none."""
    skipped_separator = False
    for number, line in enumerate(lines, start=1):
        text = line.lstrip("\ufeff")
        if not skipped_separator and _SEPARATOR_LINE.fullmatch(text):
            skipped_separator = True
        elif text.strip():
            return text, number
    return "", 0


def detect_delimiter(line: str) -> str:
    """The delimiter under which the header line names most known columns."""

    def known(delimiter: str) -> int:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return sum(1 for cell in islice(cells, MAX_COLUMNS) if _KNOWN.fullmatch(normalized_name(cell)))

    return max(DELIMITERS, key=known)


def refuse_too_many(cells: Sequence[str]) -> None:
    """Refuse a header of more than `MAX_COLUMNS` cells; comes before any of them is looked at."""
    if len(cells) > MAX_COLUMNS:
        raise TooManyColumns(f"{len(cells)} columns; {MAX_COLUMNS} is the most", columns=cells)


def read_columns(cells: Sequence[str]) -> Columns:
    """Check the header against the contract; refuses a file that lacks it, or names a column of it twice."""
    names = tuple(normalized_name(cell) for cell in cells)
    if not any(name in REQUIRED for name in names):
        raise MissingHeader("The first record names no column of a question", columns=cells)
    known = Counter(name for name in names if _KNOWN.fullmatch(name))
    if repeated := [name for name, times in known.items() if times > 1]:
        raise DuplicateColumn(f"The column {repeated[0]!r} is named twice", field=repeated[0], columns=cells)
    if missing := [name for name in REQUIRED if name not in known]:
        listed = ", ".join(repr(name) for name in missing)
        raise MissingColumn(f"Missing: {listed}", field=missing[0], columns=cells)
    needed = [place for place, name in enumerate(names) if name in known and not _MAY_BE_ABSENT.fullmatch(name)]
    return Columns(
        names=names,
        width=len(names),
        least=needed[-1] + 1,
        unknown=tuple(name for name in names if name and name not in known and name not in PROBLEM_COLUMNS),
    )

"""What is read from a file, in batches: questions, findings, and the rejected records as lines of CSV."""

from __future__ import annotations

import csv
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

from application.question_bank.ports.importing import Batch, FoundWrong
from domain.question_bank.imported import BlankRecord, ImportedQuestion, ImportProblem, ParsedItem
from domain.question_bank.rejects import EXCERPT_COLUMNS, PROBLEM_COLUMNS, RejectedRecord
from domain.question_bank.set_checks import SET_MESSAGES

BATCH = 2_000
"""Items, which is a megabyte or two."""
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BATCH_CHARACTERS = 4 * 1024 * 1024
MOST_REFUSED = 1_000_000
"""Records that were refused as a set and are looked up again: more do not fit into what is kept of them."""


def _lines() -> RejectLines:
    return RejectLines()


@dataclass(slots=True)
class Gatherer:
    """Makes batches out of the items of one file; of the questions themselves, or of what `encode` makes of them."""

    items: Iterator[ParsedItem]
    encode: Callable[[Sequence[ImportedQuestion]], bytes] | None = None
    position: Callable[[], int] = lambda: 0
    most: int = BATCH
    _lines: RejectLines = field(default_factory=_lines)

    def __iter__(self) -> Iterator[Batch]:
        while (batch := self.next()) is not None:
            yield batch

    def next(self) -> Batch | None:
        """The next batch, None after the last. An error of the file comes after everything that was read before it."""
        questions: list[ImportedQuestion] = []
        problems: list[ImportProblem] = []
        blanks = taken = weight = last = 0
        for item in self.items:
            taken += 1
            if isinstance(item, ImportedQuestion):
                questions.append(item)
                last = item.origin.record
                weight += len(item.stem.text) + 2_000
            elif isinstance(item, ImportProblem):
                problems.append(item)
                self._lines.problem(item)
            elif isinstance(item, BlankRecord):
                blanks += 1
            else:
                self._lines.record(item)
            if taken >= self.most or weight >= _BATCH_CHARACTERS:
                break
        if not taken:
            return None
        return Batch(
            count=len(questions),
            last_record=last,
            questions=() if self.encode else questions,
            rows=self.encode(questions) if self.encode else b"",
            blanks=blanks,
            problems=problems,
            rejects=self._lines.take(),
            bytes_read=self.position(),
        )


class RejectLines:
    """Rejected records as lines of CSV, their problems in front of their cells; the header comes with the first."""

    def __init__(self, *, headed: bool = False) -> None:
        """`headed` when the header was written before, by somebody else."""
        self._text = StringIO()
        self._writer = csv.writer(self._text)
        self._problems: list[ImportProblem] = []
        self._columns: Sequence[str] = EXCERPT_COLUMNS
        self._headed = headed
        self._told_before = 0

    def problem(self, found: ImportProblem) -> None:
        """Those of one record come together and before it."""
        if self._problems and self._problems[0].record != found.record:
            self._problems.clear()
        self._problems.append(found)

    def record(self, rejected: RejectedRecord) -> None:
        if rejected.is_header:
            # A file of rejects that is rejected again tells of its new problems only.
            self._told_before = len(PROBLEM_COLUMNS) * (tuple(rejected.cells[:4]) == PROBLEM_COLUMNS)
            self._columns = rejected.cells[self._told_before :]
            return
        if not self._headed:
            self._headed = True
            self._write(PROBLEM_COLUMNS, self._columns)
        found = [problem for problem in self._problems if problem.record == rejected.record]
        codes = " ".join(dict.fromkeys(problem.code for problem in found))
        messages = " ".join(problem.message for problem in found)
        self._write((str(rejected.record), str(rejected.line), codes, messages), rejected.cells[self._told_before :])
        self._problems.clear()

    def take(self) -> bytes:
        """What was written since it was taken last."""
        content = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return content

    def _write(self, about: Sequence[str], cells: Sequence[str]) -> None:
        self._writer.writerow([*about, *(cell.encode("utf-8", "replace").decode() for cell in cells)])


class RefusedRecords(FoundWrong):
    """Records that were refused as a set, by number: nine bytes each."""

    def __init__(self) -> None:
        self._records: array[int] = array("q")
        self._verdicts = bytearray()
        self._first_of: dict[str, ImportProblem] = {}

    def add(self, problems: Iterable[ImportProblem]) -> bool:
        """In the order of the file; whether there is room for more."""
        for problem in problems:
            self._first_of.setdefault(problem.code, problem)
            self._records.append(problem.record)
            self._verdicts.append(list(self._first_of).index(problem.code))
        return len(self._records) < MOST_REFUSED

    def __contains__(self, record: object) -> bool:
        return isinstance(record, int) and self._place(record) is not None

    def __len__(self) -> int:
        return len(self._records)

    def problem(self, record: int, line: int) -> ImportProblem:
        place = self._place(record)
        if place is None:
            raise KeyError(record)
        code = list(self._first_of)[self._verdicts[place]]
        return replace(self._first_of[code], record=record, line=line, message=SET_MESSAGES[code])

    def _place(self, record: int) -> int | None:
        at = bisect_left(self._records, record)
        return at if at < len(self._records) and self._records[at] == record else None


def guarded(lines: bytes) -> bytes:
    """The same records of CSV, with an apostrophe before every cell that a spreadsheet would take for a formula."""
    text = StringIO()
    writer = csv.writer(text)
    for cells in csv.reader(StringIO(lines.decode(), newline="")):
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue().encode()

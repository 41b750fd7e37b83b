"""What an import tells about itself: the outcome of every record, counted, and its problems by record and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from domain.errors import DomainError
from domain.question_bank.imported import ImportProblem, Severity

PROBLEMS_IN_REPORT = 1_000


class ImportMode(StrEnum):
    """What happens when some records are wrong: nothing is imported, the right ones are, or it was only a trial."""

    ALL_OR_NOTHING = "all_or_nothing"
    SKIP_INVALID = "skip_invalid"
    DRY_RUN = "dry_run"


class ImportStatus(StrEnum):
    """`refused` means that the file was read and nothing was changed."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How many questions an import made, changed and found as they were."""

    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Every record is exactly one of created, updated, unchanged, skipped and rejected; `total` is their sum.

    A dry run counts what would have happened. In a refused import, what was right counts as skipped.
    """

    id: str
    bank: str
    file: str
    format: str
    mode: ImportMode
    status: ImportStatus
    total: int
    created: int
    updated: int
    unchanged: int
    skipped: int
    rejected: int
    warnings: Mapping[str, int]
    problems: tuple[ImportProblem, ...]


def running(of: ImportHead) -> ImportReport:
    """What can be told of an import that has not ended."""
    return _empty(of, ImportStatus.RUNNING)


def failed(of: ImportHead, refusal: DomainError | None) -> ImportReport:
    """An import that ended without an outcome: refused as a whole, or broken off by a fault of ours."""
    code = refusal.code if refusal else "import.broken_off"
    message = refusal.detail if refusal else "The import broke off; nothing was changed."
    problem = ImportProblem(record=0, line=0, field=None, code=code, severity=Severity.ERROR, message=message)
    return replace(_empty(of, ImportStatus.FAILED), problems=(problem,))


def _empty(of: ImportHead, status: ImportStatus) -> ImportReport:
    return ImportReport(
        id=of.id,
        bank=of.bank,
        file=of.file,
        format=of.format,
        mode=of.mode,
        status=status,
        total=0,
        created=0,
        updated=0,
        unchanged=0,
        skipped=0,
        rejected=0,
        warnings={},
        problems=(),
    )


@dataclass(slots=True)
class ImportTally:
    """Counts while a file is read; memory stays bounded, for of the problems only the first thousand are kept."""

    read: int = 0
    skipped: int = 0
    rejected: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    problems: list[ImportProblem] = field(default_factory=list)
    _rejected_record: int = 0

    def question(self) -> None:
        """A record became a question."""
        self.read += 1

    def blank(self) -> None:
        """A record without any text."""
        self.skipped += 1

    def problem(self, found: ImportProblem) -> None:
        """A finding; those of one record follow one another. An error refuses its record, a skip leaves it out."""
        if len(self.problems) < PROBLEMS_IN_REPORT:
            self.problems.append(found)
        if found.severity is Severity.WARNING:
            self.warnings[found.code] += 1
        elif found.severity is Severity.SKIPPED:
            self.warnings[found.code] += 1
            self.skipped += 1
        elif found.record != self._rejected_record:
            self._rejected_record = found.record
            self.rejected += 1

    def duplicates(self, found: Iterable[ImportProblem]) -> None:
        """Findings of the file as a set: their records were counted as questions before."""
        for problem in found:
            self.problem(problem)
            self.read -= 1
            if problem.severity is Severity.WARNING:
                self.skipped += 1

    def report(self, of: ImportHead, applied: Applied | None) -> ImportReport:
        """The report; without `applied` nothing was changed and the questions that were right count as skipped."""
        done = applied or Applied(created=0, updated=0, unchanged=0)
        return ImportReport(
            id=of.id,
            bank=of.bank,
            file=of.file,
            format=of.format,
            mode=of.mode,
            status=ImportStatus.REFUSED if applied is None else ImportStatus.SUCCEEDED,
            total=self.read + self.skipped + self.rejected,
            created=done.created,
            updated=done.updated,
            unchanged=done.unchanged,
            skipped=self.skipped + (self.read if applied is None else 0),
            rejected=self.rejected,
            warnings=dict(sorted(self.warnings.items())),
            problems=tuple(sorted(self.problems, key=lambda problem: (problem.record, problem.line))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHead:
    """Which file goes into which bank, and how."""

    id: str
    bank: str
    file: str
    format: str
    mode: ImportMode

"""What an import tells about itself: the outcome of every record, counted, and its problems by record and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from domain.errors import DomainError
from domain.question_bank.imported import ImportProblem, Severity

PROBLEMS_IN_REPORT = 1_000
COLLAPSED = "duplicate_identical_of"
COPIED = "same_content_as"
CONFLICTING = "duplicate_id"
FOREIGN = "not_an_editor"
CHANGED_IN_REVIEW = "changed_in_review"
REFUSING = (CONFLICTING, FOREIGN)


class ImportMode(StrEnum):
    """What happens when some records are wrong: nothing is imported, the right ones are, or it was only a trial."""

    ALL_OR_NOTHING = "all_or_nothing"
    SKIP_INVALID = "skip_invalid"
    DRY_RUN = "dry_run"


class ImportStatus(StrEnum):
    """`refused` means that the file was read and nothing was changed; `cancelled`, that somebody stopped it."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How much of its file an import has read."""

    bytes_read: int = 0
    bytes_total: int = 0
    records: int = 0


def kept_problems(found: Iterable[ImportProblem]) -> list[ImportProblem]:
    """The thousand findings that a report has room for, by record: no error makes way for a remark."""
    ordered = sorted(found, key=lambda problem: (problem.record, problem.line))
    told = sorted(ordered, key=lambda problem: problem.severity is not Severity.ERROR)[:PROBLEMS_IN_REPORT]
    return sorted(told, key=lambda problem: (problem.record, problem.line))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFindings:
    """What a file as a set says against its records: how often, by code, and a thousand findings, errors first."""

    problems: Sequence[ImportProblem] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """How many records are refused because of it."""
        return sum(self.counts.get(code, 0) for code in REFUSING)

    def __add__(self, other: SetFindings) -> SetFindings:
        """Both, in the order of the file; findings of the same code are counted together."""
        counts = Counter(self.counts) + Counter(other.counts)
        return SetFindings(problems=kept_problems([*self.problems, *other.problems]), counts=counts)


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
    rejects_truncated: bool = False
    progress: ImportProgress = ImportProgress()


def running(of: ImportHead) -> ImportReport:
    """What can be told of an import that has not ended."""
    return _empty(of, ImportStatus.RUNNING)


def cancelled(of: ImportHead, progress: ImportProgress) -> ImportReport:
    """An import that was stopped on request: it left nothing behind."""
    return replace(_empty(of, ImportStatus.CANCELLED), progress=progress)


def failed(of: ImportHead, error: BaseException) -> ImportReport:
    """An import that ended without an outcome: refused as a whole, or broken off by a fault of ours."""
    refusal = error if isinstance(error, DomainError) else None
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
    """Counts while a file is read; memory stays bounded, for of errors and of remarks only a thousand are kept."""

    read: int = 0
    skipped: int = 0
    rejected: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    rejects_truncated: bool = False
    progress: ImportProgress = ImportProgress()
    _errors: list[ImportProblem] = field(default_factory=list)
    _remarks: list[ImportProblem] = field(default_factory=list)
    _rejected_record: int = 0

    @property
    def records(self) -> int:
        """How many records were read so far."""
        return self.read + self.skipped + self.rejected

    @property
    def problems(self) -> list[ImportProblem]:
        """What the report tells. A refused import always has its reasons there, however many remarks there are."""
        return kept_problems([*self._errors, *self._remarks])

    def questions(self, count: int) -> None:
        """So many records became questions."""
        self.read += count

    def blanks(self, count: int) -> None:
        """So many records hold no text."""
        self.skipped += count

    def problem(self, found: ImportProblem) -> None:
        """A finding; those of one record follow one another. An error refuses its record, a skip leaves it out."""
        self._keep(found)
        if found.severity is Severity.WARNING:
            self.warnings[found.code] += 1
        elif found.severity is Severity.SKIPPED:
            self.warnings[found.code] += 1
            self.skipped += 1
        elif found.record != self._rejected_record:
            self._rejected_record = found.record
            self.rejected += 1

    def set_findings(self, found: SetFindings) -> None:
        """Findings of the file as a set: their records were counted as questions before."""
        for problem in found.problems:
            self._keep(problem)
        collapsed, refused = found.counts.get(COLLAPSED, 0), found.rejected
        self.read -= collapsed + refused
        self.skipped += collapsed
        self.rejected += refused
        self.warnings.update({code: times for code, times in found.counts.items() if times and code not in REFUSING})

    def _keep(self, found: ImportProblem) -> None:
        kept = self._errors if found.severity is Severity.ERROR else self._remarks
        if len(kept) < PROBLEMS_IN_REPORT:
            kept.append(found)

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
            total=self.records,
            created=done.created,
            updated=done.updated,
            unchanged=done.unchanged,
            skipped=self.skipped + (self.read if applied is None else 0),
            rejected=self.rejected,
            warnings=dict(sorted(self.warnings.items())),
            problems=tuple(self.problems),
            rejects_truncated=self.rejects_truncated,
            progress=self.progress,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHead:
    """Which file goes into which bank, and how."""

    id: str
    bank: str
    file: str
    format: str
    mode: ImportMode

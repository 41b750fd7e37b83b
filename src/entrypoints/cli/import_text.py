"""What became of a file of questions, in the words of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from domain.errors import DomainError
from domain.question_bank.import_report import ImportReport, ImportStatus
from domain.question_bank.imported import ImportProblem, Severity, visible

_ERRORS_SHOWN = 20
_DETAILS_SHOWN = 5
_OUTCOMES = {
    ImportStatus.REFUSED: "REFUSED, nothing was imported: ",
    ImportStatus.CANCELLED: "CANCELLED, nothing was imported: ",
}


def summary(report: ImportReport) -> str:
    """The counts, why records were rejected, and how often each remark was made."""
    counts = ", ".join(
        f"{getattr(report, name)} {name}" for name in ("created", "updated", "unchanged", "skipped", "rejected")
    )
    outcome = _OUTCOMES.get(report.status, "")
    first = f"{report.file} -> {report.bank}: {outcome}{report.total} records: {counts}"
    return "\n".join([first, *_errors(report), *_remarks(report)])


def refusal(path: str, error: DomainError) -> str:
    """A file that could not be taken at all, with its name: others may have been."""
    lines = [f"{path}: {error.code}: {error.detail}"]
    lines += [f"  {problem.pointer}: {problem.message}" for problem in error.problems]
    return "\n".join(lines)


def _errors(report: ImportReport) -> Iterator[str]:
    errors = [problem for problem in report.problems if problem.severity is Severity.ERROR]
    for problem in errors[:_ERRORS_SHOWN]:
        detail = f" ({visible(problem.detail)})" if problem.detail else ""
        place = f"record {problem.record}, line {problem.line}"
        yield f"  {place}: {problem.severity} {problem.code}: {problem.message}{detail}"
    if len(errors) > _ERRORS_SHOWN:
        yield f"  … {len(errors) - _ERRORS_SHOWN} more errors; --json lists them"


def _remarks(report: ImportReport) -> Iterator[str]:
    for code, times in report.warnings.items():
        details = _details([problem for problem in report.problems if problem.code == code])
        yield f"  {code}: {times}{f' ({details})' if details else ''}"


def _details(remarks: list[ImportProblem]) -> str:
    """What the remarks of one code are about, as types of questions; a number says nothing without its record."""
    told = sorted({visible(found.detail) for found in remarks if found.detail and not found.detail.isdigit()})
    return ", ".join(told[:_DETAILS_SHOWN]) + (", …" if len(told) > _DETAILS_SHOWN else "")

"""What only the file as a whole, or the bank, can say against a record: duplicates, copies, questions of others."""

from __future__ import annotations

from domain.question_bank.import_report import CHANGED_IN_REVIEW, COLLAPSED, CONFLICTING, COPIED, FOREIGN
from domain.question_bank.imported import (
    ImportProblem,
    Severity,
    conflicting_duplicate,
    identical_duplicate,
    shown,
)

SET_MESSAGES = {
    CONFLICTING: "The id stands for several different questions in this file.",
    FOREIGN: "The question is somebody else's; only its editors may change it.",
}
"""In the file of rejected records, where the id stands in its own cell."""


def set_problem(verdict: str, *, record: int, line: int, external_id: str, first_record: int | None) -> ImportProblem:
    """A verdict in words; `first_record` is the one that the record repeats or copies."""
    if verdict == COLLAPSED:
        return identical_duplicate(record, line, first_record or 0)
    if verdict == CONFLICTING:
        return conflicting_duplicate(record, line, external_id)
    if verdict == COPIED:
        return ImportProblem(
            record=record,
            line=line,
            field=None,
            code=COPIED,
            severity=Severity.WARNING,
            message=f"It says the same as record {first_record}, under another id.",
            detail=str(first_record),
        )
    if verdict == CHANGED_IN_REVIEW:
        return ImportProblem(
            record=record,
            line=line,
            field="question-id",
            code=CHANGED_IN_REVIEW,
            severity=Severity.WARNING,
            message=f"The question {shown(external_id)} waits for a decision; what it says now is to be read anew.",
        )
    return ImportProblem(
        record=record,
        line=line,
        field="question-id",
        code=verdict,
        severity=Severity.ERROR,
        message=f"The question {shown(external_id)} is somebody else's; only its editors may change it.",
    )

"""Rounds of review: each time a version is handed in there is one decision, and the note of it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.errors import FieldProblem
from domain.question_bank.imported import has_too_many_marks, trimmed
from domain.question_bank.lifecycle_refusals import NoteInvalid

LONGEST_NOTE = 2000
"""Characters."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Decision(StrEnum):
    """What ends a round; the author's own withdrawal does, too."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRound:
    """One round of one version, counted from 1. It is open until it is decided, and its decision never changes."""

    version: int
    round: int
    submitted_by: str
    submitted_at: datetime
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        return self.decision is None

    def decided(self, decision: Decision, by: str, at: datetime, note: str | None = None) -> ReviewRound:
        """The round with its one decision."""
        return replace(self, decision=decision, decided_by=by, decided_at=max(at, self.submitted_at), note=note)


def sound_note(note: str | None, *, required: bool) -> str | None:
    """The note without blanks around it; None where there is none and none is needed."""
    text = trimmed(note or "")
    if not text and not required:
        return None
    if not 1 <= len(text) <= LONGEST_NOTE or _NOT_TEXT.search(text) or has_too_many_marks(text):
        message = f"1 to {LONGEST_NOTE} characters of text"
        raise NoteInvalid(f"The note needs {message}", problems=(FieldProblem("/note", "note.invalid", message),))
    return text

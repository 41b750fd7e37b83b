"""What is read of questions. Only `StudentQuestion` is for students; everything else knows the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from domain.question_bank.content import QuestionContent
from domain.question_bank.differences import Change
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus, etag_version
from domain.question_bank.questions import PublicQuestion
from domain.question_bank.review import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSummary:
    """One version of a question in a list of them. `decided_at` is when it was published, or sent back last."""

    version: int
    status: VersionStatus
    rev: int
    kind: QuestionKind
    editors: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView(VersionSummary):
    """One version with all that it says. `note` is that of its last round of review."""

    question_id: str
    content: QuestionContent = field(repr=False)
    note: str | None

    @property
    def etag(self) -> int:
        return etag_version(self.version, self.rev)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed from one version to another."""

    before: int
    after: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """One round of review with the names of the people in it; empty names are of people who have none."""

    version: int
    round: int
    submitted_by: str
    submitted_by_name: str
    submitted_at: datetime
    decision: Decision | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentQuestion:
    """A published question as an enrolled student sees it: its choices in an order that tells nothing, and no key."""

    question_bank_id: str
    topic_id: str | None
    difficulty_id: str | None
    question: PublicQuestion

    def __hash__(self) -> int:
        """Of what names it and where it stands. Its texts, which follow from that, would take longer."""
        named = (self.question.question_id, self.question.version)
        return hash((named, self.question_bank_id, self.topic_id, self.difficulty_id))

"""An exam session and its slots: what they are, wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.enrollment.settings import Navigation, OverduePolicy
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from domain.question_bank.scoring import STANDARD, ScoringPolicy


class ExamStatus(StrEnum):
    """Where a session is. The first four are live; all others are sealed, and only the two after those count."""

    CREATED = "created"
    ACTIVE = "active"
    PAUSED = "paused"
    OVERDUE = "overdue"
    SUBMITTED = "submitted"
    FINISHED = "finished"
    ABANDONED = "abandoned"
    TERMINATED = "terminated"
    INVALIDATED = "invalidated"

    @property
    def is_live(self) -> bool:
        return self in LIVE


LIVE = frozenset({ExamStatus.CREATED, ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE})
COUNTED = frozenset({ExamStatus.SUBMITTED, ExamStatus.FINISHED})


class SealReason(StrEnum):
    """What ended a session."""

    STUDENT = "student"
    FORCED = "forced"
    TIMEOUT = "timeout"
    TERMINATED = "terminated"
    INVALIDATED = "invalidated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRules:
    """What the package said when the session began. It stays so, whatever becomes of the package.

    `pass_mark` is in percent; without a time limit only the window ends a session, and without both nothing does.
    """

    time_limit_seconds: int | None = None
    window_opens_at: datetime | None = None
    window_closes_at: datetime | None = None
    window_extends: bool = False
    overdue_policy: OverduePolicy = OverduePolicy.AUTO_SUBMIT
    latency_seconds: int = 60
    grace_seconds: int = 24 * 3600
    navigation: Navigation = Navigation.FREE
    pause_allowed: bool = False
    certainty: bool = False
    scoring: ScoringPolicy = STANDARD
    allow_negative_total: bool = False
    cbm_official: bool = False
    pass_mark: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accommodation:
    """Time that somebody needs more than others: the limit times `multiplier` (≥ 1), and `extra_seconds` (≥ 0)."""

    multiplier: Decimal = Decimal(1)
    extra_seconds: int = 0


NO_ACCOMMODATION = Accommodation()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamSession:
    """One attempt at a package. Its deadline follows from `domain.exam.deadlines`, its moves from `.lifecycle`.

    `paused_microseconds` are those of the pauses that are over; `paused_by_staff` says whose the present one is.
    `furthest_slot` is the last slot that was answered, beyond which a linear exam does not go back. Who sealed a
    session and why, and who declared it invalid and why, is told once and never changed. `record_count` and
    `record_hash` are the length and the last link of its record (`domain.exam.record`). `mark`, `max_mark`,
    `certainty_mark` and `passed` are those of the latest grade, whose number is `grade_revision` (0: none).
    """

    user_id: str
    id: str
    exam_package_id: str
    tier_id: str
    attempt_no: int
    status: ExamStatus
    rules: ExamRules = field(default_factory=ExamRules)
    accommodation: Accommodation = NO_ACCOMMODATION
    adjust_seconds: int = 0
    created_at: datetime
    started_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by_staff: bool = False
    paused_microseconds: int = 0
    sealed_at: datetime | None = None
    seal_reason: SealReason | None = None
    sealed_by: str | None = None
    seal_note: str | None = None
    late: bool = False
    status_before_invalidation: ExamStatus | None = None
    invalidated_at: datetime | None = None
    invalidated_by: str | None = None
    invalidation_reason: str | None = None
    last_seq: int = 0
    last_heartbeat_at: datetime | None = None
    drift_told_at: datetime | None = None
    furthest_slot: int = 0
    record_count: int = 0
    record_hash: bytes = b""
    grade_revision: int = 0
    mark: Decimal | None = None
    max_mark: Decimal | None = None
    certainty_mark: Decimal | None = None
    passed: bool | None = None
    graded_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.status.is_live


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamSlot:
    """One question of a session: what was frozen, what was answered, and what the latest grade gave for it.

    `revision` counts the answers that were accepted. `answered_at` is the instant that the last one counts for, which
    is never after the deadline. Without a response the slot is blank; a response can be taken back, which counts on.
    """

    user_id: str
    session_id: str
    slot: int
    section: int
    question_id: str
    version: int
    topic_id: str | None = None
    choice_order: tuple[str, ...]
    max_mark: Decimal
    response: Response | None = None
    revision: int = 0
    certainty: Certainty | None = None
    answered_at: datetime | None = None
    flagged: bool = False
    mark: Decimal | None = None
    certainty_mark: Decimal | None = None
    correct: bool | None = None

"""What administrators see of exams: sessions with who did what to them and why. No text of a question, and no key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from application.exam.views import SessionView
from domain.exam.connection import Connection, connection
from domain.exam.flags import Flag
from domain.exam.moves import expire
from domain.exam.record import EntrySource
from domain.exam.sessions import Accommodation, ExamRules, ExamSession, ExamStatus
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenSession:
    """A session as administrators see it: whose it is, who interfered and why.

    `paused_seconds` are those of the pauses that are over. `sealed_by` and `seal_note` are of staff who ended it.
    """

    user_id: str
    session: SessionView
    tier_id: str
    connection: Connection
    accommodation: Accommodation
    adjust_seconds: int
    paused_seconds: int
    sealed_by: str | None
    seal_note: str | None
    status_before_invalidation: ExamStatus | None
    invalidated_at: datetime | None
    invalidated_by: str | None
    invalidation_reason: str | None

    @classmethod
    def of(cls, session: ExamSession, now: datetime) -> OverseenSession:
        return cls(
            user_id=session.user_id,
            session=SessionView.of(session, now),
            tier_id=session.tier_id,
            connection=connection(session.status, session.started_at, session.last_heartbeat_at, now),
            accommodation=session.accommodation,
            adjust_seconds=session.adjust_seconds,
            paused_seconds=session.paused_microseconds // 1_000_000,
            sealed_by=session.sealed_by,
            seal_note=session.seal_note,
            status_before_invalidation=session.status_before_invalidation,
            invalidated_at=session.invalidated_at,
            invalidated_by=session.invalidated_by,
            invalidation_reason=session.invalidation_reason,
        )

    @classmethod
    def read(cls, session: ExamSession, now: datetime) -> OverseenSession:
        """As time has left it, whether or not anybody has written that down."""
        return cls.of(expire(session, now), now)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenRow:
    """A session in a list, with its student's name and how many of its flags are open."""

    overseen: OverseenSession
    user_name: str
    user_email: str
    open_flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenExamSlot:
    """What became of one question. The response is by the names that its bank gives the choices.

    The marks are those of the latest grade, None without one.
    """

    slot: int
    section: int
    question_id: str
    version: int
    topic_id: str | None
    max_mark: Decimal
    response: Response | None
    revision: int
    certainty: Certainty | None
    answered_at: datetime | None
    flagged: bool
    correct: bool | None
    mark: Decimal | None
    certainty_mark: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeView:
    """One revision of a grade: by which keys, with regard to which voided questions, by whom and why."""

    revision: int
    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None
    passed: bool
    mode: str
    voids: tuple[str, ...]
    reason: str | None
    graded_at: datetime
    graded_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """A remark, and what settled it, if something has."""

    id: str
    type: str
    note: str | None
    created_at: datetime
    created_by: str | None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None

    @classmethod
    def of(cls, flag: Flag, settled: Flag | None = None) -> FlagView:
        return cls(
            id=flag.id,
            type=flag.type,
            note=flag.note,
            created_at=flag.created_at,
            created_by=flag.created_by,
            resolved_at=None if settled is None else settled.created_at,
            resolved_by=None if settled is None else settled.created_by,
            resolution=None if settled is None else settled.note,
        )

    @classmethod
    def every(cls, flags: tuple[Flag, ...]) -> tuple[FlagView, ...]:
        """All remarks of a session that are not about another one, the first first."""
        settling = {flag.resolves: flag for flag in flags if flag.resolves is not None}
        return tuple(cls.of(flag, settling.get(flag.id)) for flag in flags if flag.resolves is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseenDetail:
    """A session with all that is kept of it but the texts: slots, grades, flags, and how many events of each type.

    `rules` are those that were frozen when it began, `snapshot` the JSON object that the last heartbeat brought.
    `record_hash` is the last link of its record, which has `record_count` entries.
    """

    row: OverseenRow
    rules: ExamRules
    snapshot: bytes | None
    slots: tuple[OverseenExamSlot, ...]
    grades: tuple[GradeView, ...]
    flags: tuple[FlagView, ...]
    events: Mapping[str, int]
    record_count: int
    record_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """An event of the record. `effective_at` is the instant that it tells of: of a gap, the last sign of life before.

    `content` is a JSON object, as it is kept.
    """

    position: int
    id: str
    type: str
    source: EntrySource
    actor_id: str | None
    at: datetime
    effective_at: datetime
    client_event_id: str | None
    client_at: datetime | None
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntryView:
    """One answer that was accepted: when it came, and the instant it counts for. Without a response: taken back."""

    position: int
    slot: int
    revision: int
    response: Response | None
    certainty: Certainty | None
    autosave: bool
    at: datetime
    effective_at: datetime

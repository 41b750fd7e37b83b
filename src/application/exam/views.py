"""What a student sees of an exam while sitting it. Nothing in here holds a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.enrollment.settings import Navigation
from domain.exam.deadlines import deadline, is_due, remaining_seconds
from domain.exam.record import Entry
from domain.exam.results import Score
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus, SealReason
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import in_order, shown_ids
from domain.question_bank.questions import Choice, PublicQuestion, Response


class Instruction(StrEnum):
    """What a browser that sits an exam should do now."""

    PAUSED = "paused"
    SUBMIT = "submit"


def instructions_for(status: ExamStatus, seconds_left: int | None) -> tuple[Instruction, ...]:
    """Also within the latency, while the session is active still: who waits then would wait for nothing."""
    if status is ExamStatus.PAUSED:
        return (Instruction.PAUSED,)
    is_over = status is ExamStatus.OVERDUE or (status is ExamStatus.ACTIVE and seconds_left == 0)
    return (Instruction.SUBMIT,) if is_over else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session. Of a paused one `deadline` is what it would be if it went on now; time that is left is for live ones.

    `submitted_at` is when it ended, whatever ended it. `snapshot` is the JSON object that the last heartbeat brought,
    where it was asked for. `due`: its time is over, and what becomes of it is not written down yet.
    """

    id: str
    exam_package_id: str
    status: ExamStatus
    attempt_no: int
    created_at: datetime
    started_at: datetime | None
    deadline: datetime | None
    remaining_seconds: int | None
    paused_at: datetime | None
    paused_by_staff: bool
    submitted_at: datetime | None
    seal_reason: SealReason | None
    late: bool
    last_seq: int
    last_heartbeat_at: datetime | None
    snapshot: bytes | None
    due: bool
    result: Score | None

    @classmethod
    def of(cls, session: ExamSession, now: datetime, snapshot: bytes | None = None) -> SessionView:
        """The session at `now`, as far as it is written down: let time act on it before."""
        return cls(
            id=session.id,
            exam_package_id=session.exam_package_id,
            status=session.status,
            attempt_no=session.attempt_no,
            created_at=session.created_at,
            started_at=session.started_at,
            deadline=deadline(session, now),
            remaining_seconds=remaining_seconds(session, now) if session.is_live else None,
            paused_at=session.paused_at,
            paused_by_staff=session.paused_by_staff,
            submitted_at=session.sealed_at,
            seal_reason=session.seal_reason,
            late=session.late,
            last_seq=session.last_seq,
            last_heartbeat_at=session.last_heartbeat_at,
            snapshot=snapshot,
            due=is_due(session, now),
            result=Score.of(session),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """A question in its slot, choices in the order and by the names that the paper gives them, and the own response.

    `revision` is what the next answer is based on. `flagged`: by the student, to come back to.
    """

    slot: int
    section: int
    question_id: str
    version: int
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    max_mark: Decimal
    response: Response | None
    revision: int
    certainty: Certainty | None
    answered_at: datetime | None
    flagged: bool

    @classmethod
    def of(cls, slot: ExamSlot, question: PublicQuestion) -> SlotView:
        names = shown_ids(question.kind, slot.choice_order)
        return cls(
            slot=slot.slot,
            section=slot.section,
            question_id=slot.question_id,
            version=slot.version,
            kind=question.kind,
            stem=question.stem,
            stem_format=question.stem_format,
            choices=in_order(question.kind, question.choices, slot.choice_order),
            prompts=question.prompts,
            max_mark=slot.max_mark,
            response=None if slot.response is None else slot.response.renamed(names),
            revision=slot.revision,
            certainty=slot.certainty,
            answered_at=slot.answered_at,
            flagged=slot.flagged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """The frozen paper with all that was answered so far: what a browser needs to go on, in one answer.

    In a linear exam slots before `furthest_slot` stay as they are. `certainty`: whether answers say how sure one is.
    """

    session: SessionView
    navigation: Navigation
    certainty: bool
    pause_allowed: bool
    furthest_slot: int
    slots: tuple[SlotView, ...]

    @classmethod
    def of(cls, session: ExamSession, slots: Sequence[SlotView], now: datetime) -> PaperView:
        return cls(
            session=SessionView.of(session, now),
            navigation=session.rules.navigation,
            certainty=session.rules.certainty,
            pause_allowed=session.rules.pause_allowed,
            furthest_slot=session.furthest_slot,
            slots=tuple(slots),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSaved:
    """An answer that was accepted, by the revision it became and the instant it counts for.

    `stale`: it was not, for the answer had been changed meanwhile; the rest tells of the answer that stands.
    """

    slot: int
    revision: int
    saved_at: datetime | None
    flagged: bool
    stale: bool = False

    @classmethod
    def of(cls, slot: ExamSlot, *, stale: bool = False) -> AnswerSaved:
        return cls(slot=slot.slot, revision=slot.revision, saved_at=slot.answered_at, flagged=slot.flagged, stale=stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a heartbeat is answered with. `stale`: it came after a later one, or was meant for another session."""

    id: str
    status: ExamStatus
    server_time: datetime
    deadline: datetime | None
    remaining_seconds: int | None
    last_seq: int
    stale: bool = False
    instructions: tuple[Instruction, ...] = ()

    @classmethod
    def of(cls, session: ExamSession, now: datetime, *, stale: bool = False) -> Pulse:
        left = remaining_seconds(session, now)
        return cls(
            id=session.id,
            status=session.status,
            server_time=now,
            deadline=deadline(session, now),
            remaining_seconds=left,
            last_seq=session.last_seq,
            stale=stale,
            instructions=instructions_for(session.status, left),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecorded:
    """An event in the record. `created` is False where the same one had been recorded before."""

    id: str
    type: str
    at: datetime
    client_event_id: str | None
    created: bool = True

    @classmethod
    def of(cls, entry: Entry, *, created: bool = True) -> EventRecorded:
        assert entry.id is not None
        assert entry.type is not None
        return cls(id=entry.id, type=entry.type, at=entry.at, client_event_id=entry.client_event_id, created=created)

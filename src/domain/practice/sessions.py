"""A practice session, its slots, and every move that either can make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.practice.refusals import (
    AlreadyAnswered,
    PracticeFinished,
    PracticePaused,
    TimedPracticeCannotPause,
)
from domain.practice.revelation import Revelation, reveal
from domain.question_bank.questions import KeyedQuestion, Response, refuse_unfit
from domain.question_bank.scoring import STANDARD, ScoringPolicy, score

MAX_SECONDS_PER_SLOT = 300


class PracticeStatus(StrEnum):
    """Where a session is; the last two are final."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    INVALIDATED = "invalidated"


class FeedbackMode(StrEnum):
    """Whether an answer is judged at once, and stands, or at the end, and may be changed until then."""

    IMMEDIATE = "immediate"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSession:
    """A student's own run through drawn questions. `last_event_at` is when the time of the next answer began."""

    user_id: str
    id: str
    exam_package_id: str
    status: PracticeStatus = PracticeStatus.ACTIVE
    feedback: FeedbackMode
    requested: int
    served: int
    answered_count: int = 0
    correct_count: int = 0
    started_at: datetime
    deadline: datetime | None = None
    paused_at: datetime | None = None
    finished_at: datetime | None = None
    last_event_at: datetime

    @property
    def is_over(self) -> bool:
        return self.status in (PracticeStatus.FINISHED, PracticeStatus.INVALIDATED)

    @property
    def judges_now(self) -> bool:
        """Whether the student may know what was right: always after the end, before it with immediate feedback only."""
        return self.feedback is FeedbackMode.IMMEDIATE or self.is_over


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSlot:
    """One question of a session: its frozen version, the order of its choices, and what came of it."""

    user_id: str
    session_id: str
    slot: int
    question_id: str
    version: int
    choice_order: tuple[str, ...]
    max_mark: Decimal
    response: Response | None = None
    correct: bool | None = None
    mark: Decimal | None = None
    answered_at: datetime | None = None
    time_spent_seconds: int = 0
    feedback: Revelation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A session and a slot after an answer; `changed` is false when the very same answer was given before."""

    session: PracticeSession
    slot: PracticeSlot
    changed: bool


def lapse(session: PracticeSession, now: datetime) -> PracticeSession:
    """The session as time has left it: past its deadline it finished at the deadline, whoever looks and whenever."""
    if session.is_over or session.deadline is None or now < session.deadline:
        return session
    return _ended(session, session.deadline)


def pause(session: PracticeSession, now: datetime) -> PracticeSession:
    """Stop for a while; pausing a paused session changes nothing."""
    _refuse_over(session)
    if session.deadline is not None:
        raise TimedPracticeCannotPause
    if session.status is PracticeStatus.PAUSED:
        return session
    return replace(session, status=PracticeStatus.PAUSED, paused_at=now)


def resume(session: PracticeSession, now: datetime) -> PracticeSession:
    """Go on; the pause does not count as time spent. Resuming an active session changes nothing."""
    _refuse_over(session)
    if session.paused_at is None:
        return session
    paused_for = max(now - session.paused_at, timedelta(0))
    return replace(
        session, status=PracticeStatus.ACTIVE, paused_at=None, last_event_at=session.last_event_at + paused_for
    )


def finish(session: PracticeSession, now: datetime) -> PracticeSession:
    """End early; what is unanswered stays unanswered. A session that is over stays as it is."""
    return session if session.is_over else _ended(session, now)


def give_answer(
    session: PracticeSession,
    slot: PracticeSlot,
    question: KeyedQuestion,
    response: Response,
    now: datetime,
    *,
    policy: ScoringPolicy = STANDARD,
) -> Answered:
    """Take an answer. The very same answer again is the same result in any state; the last open slot ends the session.

    Refuses a session that is over or paused, an answer that stands, and an answer that does not fit the question.
    """
    if slot.response == response:
        return Answered(session=session, slot=slot, changed=False)
    _refuse_over(session)
    if session.status is PracticeStatus.PAUSED:
        raise PracticePaused
    if slot.response is not None and session.feedback is FeedbackMode.IMMEDIATE:
        raise AlreadyAnswered
    refuse_unfit(question, response)
    answered = _marked(session, slot, question, response, now, policy)
    return Answered(session=_counted(session, slot, answered, now), slot=answered, changed=True)


def _marked(
    session: PracticeSession,
    slot: PracticeSlot,
    question: KeyedQuestion,
    response: Response,
    now: datetime,
    policy: ScoringPolicy,
) -> PracticeSlot:
    result = score(question, response, policy)
    spent = slot.time_spent_seconds + max(0, int((now - session.last_event_at).total_seconds()))
    return replace(
        slot,
        response=response,
        correct=result.correct,
        mark=result.mark(slot.max_mark),
        answered_at=now,
        time_spent_seconds=min(spent, MAX_SECONDS_PER_SLOT),
        feedback=_shown_at_once(session, slot, question),
    )


def _shown_at_once(session: PracticeSession, slot: PracticeSlot, question: KeyedQuestion) -> Revelation | None:
    """What is shown is kept as it is shown; with deferred feedback nothing is shown yet."""
    if session.feedback is FeedbackMode.DEFERRED:
        return None
    return reveal(question.kind, question.key, slot.choice_order)


def _counted(session: PracticeSession, before: PracticeSlot, after: PracticeSlot, now: datetime) -> PracticeSession:
    counted = replace(
        session,
        answered_count=session.answered_count + (before.response is None),
        correct_count=session.correct_count + bool(after.correct) - bool(before.correct),
        last_event_at=now,
    )
    return _ended(counted, now) if counted.answered_count == counted.served else counted


def _ended(session: PracticeSession, at: datetime) -> PracticeSession:
    return replace(session, status=PracticeStatus.FINISHED, finished_at=at, paused_at=None)


def _refuse_over(session: PracticeSession) -> None:
    if session.is_over:
        raise PracticeFinished

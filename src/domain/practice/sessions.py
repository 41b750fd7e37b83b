"""A practice session, its slots, and every move that either can make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.practice.judging import Answer, FeedbackMode, MarkingRules, judge
from domain.practice.plans import Filter, PracticePlan, Source
from domain.practice.refusals import (
    AlreadyAnswered,
    PracticeFinished,
    PracticePaused,
    TimedPracticeCannotPause,
)
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import KeyedQuestion, Response
from domain.question_bank.revelation import Revelation
from domain.question_bank.scoring import STANDARD, ScoringPolicy

MAX_SECONDS_PER_EVENT = 300


class PracticeStatus(StrEnum):
    """Where a session is; the last two are final."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    INVALIDATED = "invalidated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSession:
    """A student's own run through drawn questions. `last_event_at` is when the time of the next answer began.

    What it was begun with (its source, its rules of marking, its template) stays as it was, whatever becomes of them.
    `filter` None: it was begun before filters were kept.
    """

    user_id: str
    id: str
    exam_package_id: str
    status: PracticeStatus = PracticeStatus.ACTIVE
    feedback: FeedbackMode
    certainty: bool = False
    policy: ScoringPolicy = STANDARD
    source: Source = Source.ALL
    filter: Filter | None = None
    template_id: str | None = None
    template_version: int | None = None
    requested: int
    served: int
    answered_count: int = 0
    correct_count: int = 0
    started_at: datetime
    deadline: datetime | None = None
    paused_at: datetime | None = None
    finished_at: datetime | None = None
    last_event_at: datetime
    invalidation_reason: str | None = None

    @property
    def rules(self) -> MarkingRules:
        return MarkingRules(feedback=self.feedback, certainty=self.certainty, policy=self.policy)

    @property
    def is_over(self) -> bool:
        return self.status in (PracticeStatus.FINISHED, PracticeStatus.INVALIDATED)

    @property
    def judges_now(self) -> bool:
        """Whether the student may know what was right: at any time with immediate feedback, with deferred at the end.

        A deferred session that was invalidated came to no end of its own, and tells nothing.
        """
        return self.feedback is FeedbackMode.IMMEDIATE or self.status is PracticeStatus.FINISHED

    def is_untouched_wish(self, plan: PracticePlan) -> bool:
        """Whether this is what the plan asks for, under way and with nothing answered. Time runs out for none such, and
        none comes from a template.
        """
        begun = (self.exam_package_id, self.feedback, self.certainty, self.source, self.filter, self.requested)
        asked = (plan.exam_package_id, plan.feedback, plan.certainty, plan.source, plan.filter, plan.count)
        untouched = self.status is PracticeStatus.ACTIVE and self.answered_count == 0
        timeless = self.deadline is None and plan.time_limit_seconds is None
        return begun == asked and untouched and timeless and self.template_id is None and plan.template is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSlot:
    """One question of a session: its frozen version, the order of its choices, and what came of it."""

    user_id: str
    session_id: str
    slot: int
    question_id: str
    version: int
    topic_id: str | None = None
    choice_order: tuple[str, ...]
    max_mark: Decimal
    response: Response | None = None
    certainty: Certainty | None = None
    correct: bool | None = None
    mark: Decimal | None = None
    certainty_mark: Decimal | None = None
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


def invalidate(session: PracticeSession, reason: str, now: datetime) -> PracticeSession:
    """Declare a session void before its end; of an invalidated one the first reason stands. A finished one stays."""
    if session.status is PracticeStatus.INVALIDATED:
        return session
    _refuse_over(session)
    return replace(
        session, status=PracticeStatus.INVALIDATED, finished_at=now, paused_at=None, invalidation_reason=reason
    )


def give_answer(
    session: PracticeSession, slot: PracticeSlot, question: KeyedQuestion, answer: Answer, now: datetime
) -> Answered:
    """Take an answer. The very same answer again, as sure as before, is the same result in any state.

    The last open slot ends the session. Refuses a session that is over or paused, an answer that stands, and an answer
    that does not fit the question.
    """
    if _repeats(session, slot, answer):
        return Answered(session=session, slot=slot, changed=False)
    _refuse_over(session)
    if session.status is PracticeStatus.PAUSED:
        raise PracticePaused
    if slot.response is not None and session.feedback is FeedbackMode.IMMEDIATE:
        raise AlreadyAnswered
    answered = replace(
        marked(session.rules, slot, question, answer),
        answered_at=now,
        time_spent_seconds=slot.time_spent_seconds + seconds_since_last_event(session, now),
    )
    return Answered(session=_counted(session, slot, answered, now), slot=answered, changed=True)


def marked(rules: MarkingRules, slot: PracticeSlot, question: KeyedQuestion, answer: Answer) -> PracticeSlot:
    """The slot with an answer and what it is worth; when it was given is not said here."""
    judged = judge(rules, question, answer, max_mark=slot.max_mark, choice_order=slot.choice_order)
    return replace(
        slot,
        response=answer.response,
        certainty=answer.as_asked(rules.certainty).certainty,
        correct=judged.correct,
        mark=judged.mark,
        certainty_mark=judged.certainty_mark,
        feedback=judged.feedback,
    )


def seconds_since_last_event(session: PracticeSession, now: datetime) -> int:
    """What an event now adds to the time spent on its slot: whole seconds, at most five minutes.

    Each interval is capped by itself and not their sum: the cap cuts off the time in which nobody sat there, and
    somebody who comes back to a slot three times has spent three times of their own on it.
    """
    return max(0, min(int((now - session.last_event_at).total_seconds()), MAX_SECONDS_PER_EVENT))


def _repeats(session: PracticeSession, slot: PracticeSlot, answer: Answer) -> bool:
    if session.certainty:
        answer = answer.as_asked(asked=True)
    return (slot.response, slot.certainty) == (answer.response, answer.certainty)


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

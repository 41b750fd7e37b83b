"""Whatever a student does, and whenever, a session stays sound."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import DomainError
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.refusals import AlreadyAnswered, PracticeFinished, PracticePaused, TimedPracticeCannotPause
from domain.practice.results import SlotResult, summarise
from domain.practice.sessions import (
    PracticeSession,
    PracticeSlot,
    PracticeStatus,
    finish,
    give_answer,
    invalidate,
    lapse,
    pause,
    resume,
)
from domain.question_bank.certainty import Certainty
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerInvalid, Response
from tests.support.practice_builders import NUMBER, START, Offer, session, slot

OFFERS = [
    Offer(id="qst_001"),
    Offer(id="qst_002", kind=QuestionKind.MULTIPLE, correct="AC", points=Decimal("2.5")),
    Offer(id="qst_003", kind=QuestionKind.TRUE_FALSE, options="AB", correct="A"),
    Offer(id="qst_004", kind=QuestionKind.ORDERING, options="ABC", correct="ABC"),
    NUMBER,
]
answers = st.one_of(
    st.sets(st.sampled_from("ABCD"), max_size=2).map(Response.choosing),
    st.permutations("ABC").map(Response.arranging),
    st.sampled_from(["98.6", "98.2", "0"]).map(Response.counting),
)
sureness = st.none() | st.sampled_from(Certainty)


def fits(offer: Offer, response: Response) -> bool:
    """What each kind takes, written down a second time."""
    if offer.kind is QuestionKind.NUMERIC:
        return response.numeric_value is not None
    if offer.kind is QuestionKind.ORDERING:
        return bool(response.order)
    most = len(offer.options) if offer.kind is QuestionKind.MULTIPLE else 1
    return set(response.choice_ids) <= set(offer.options) and 1 <= len(response.choice_ids) <= most


def repeats(current: PracticeSession, before: PracticeSlot, answer: Answer) -> bool:
    """Unsaid where it is asked is low."""
    sure = answer.certainty or (Certainty.LOW if current.certainty else None)
    return before.response == answer.response and before.certainty == sure


def refusal_to_expect(
    current: PracticeSession, before: PracticeSlot, offer: Offer, answer: Answer
) -> type[DomainError] | None:
    """The rules in their order, written down a second time."""
    refusals: list[tuple[bool, type[DomainError]]] = [
        (current.is_over, PracticeFinished),
        (current.status is PracticeStatus.PAUSED, PracticePaused),
        (before.response is not None and current.feedback is FeedbackMode.IMMEDIATE, AlreadyAnswered),
        (not fits(offer, answer.response), AnswerInvalid),
        (answer.certainty is not None and not current.certainty, AnswerInvalid),
    ]
    if repeats(current, before, answer):
        return None
    return next((refusal for applies, refusal in refusals if applies), None)


FACTORS = {Certainty.LOW: (1, 0), Certainty.MID: (2, -2), Certainty.HIGH: (3, -6)}


def certainty_mark(answered: PracticeSlot) -> Decimal | None:
    """The table of the certainty marks, written down a second time."""
    if answered.certainty is None or answered.mark is None:
        return None
    right, wrong = FACTORS[answered.certainty]
    return answered.mark * right if answered.mark > 0 else answered.max_mark * wrong


def _result(slot: PracticeSlot) -> SlotResult:
    return SlotResult(
        topic_id=slot.topic_id,
        topic_name=None,
        max_mark=slot.max_mark,
        mark=slot.mark,
        correct=slot.correct,
        certainty=slot.certainty,
        certainty_mark=slot.certainty_mark,
        time_spent_seconds=slot.time_spent_seconds,
    )


class PracticeMachine(RuleBasedStateMachine):
    """Any history of commands and of time passing, checked after every step."""

    @initialize(feedback=st.sampled_from(FeedbackMode), certainty=st.booleans(), limit=st.none() | st.integers(1, 2000))
    def begin(self, feedback: FeedbackMode, certainty: bool, limit: int | None) -> None:
        deadline = None if limit is None else START + timedelta(seconds=limit)
        self.session = session(served=len(OFFERS), feedback=feedback, certainty=certainty, deadline=deadline)
        # The time that somebody sits there: from each event to the next, without the pauses, in seconds at most 300.
        self.spent = 0
        self.running_since: datetime | None = START
        self.already = timedelta(0)
        self.slots = [slot(number, offer) for number, offer in enumerate(OFFERS, start=1)]
        self.now = START
        self.over = self.session

    @rule(seconds=st.integers(0, 900))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(index=st.integers(0, len(OFFERS) - 1), response=answers, certainty=sureness)
    def answer(self, index: int, response: Response, certainty: Certainty | None) -> None:
        current, before = lapse(self.session, self.now), self.slots[index]
        offer, answer = OFFERS[index], Answer(response=response, certainty=certainty)
        expected = refusal_to_expect(current, before, offer, answer)
        if expected is not None:
            with pytest.raises(expected):
                give_answer(current, before, offer.keyed, answer, self.now)
            self.session = current
            return
        answered = give_answer(current, before, offer.keyed, answer, self.now)
        assert answered.changed == (not repeats(current, before, answer))
        assert not (answered.changed and current.status is not PracticeStatus.ACTIVE)
        if answered.changed:
            self.count_time()
        self.session, self.slots[index] = answered.session, answered.slot
        again = give_answer(self.session, self.slots[index], offer.keyed, answer, self.now)
        assert (again.session, again.slot, again.changed) == (self.session, self.slots[index], False)

    def count_time(self) -> None:
        assert self.running_since is not None
        sat = self.already + (self.now - self.running_since)
        self.spent += min(int(sat.total_seconds()), 300)
        self.running_since, self.already = self.now, timedelta(0)

    @rule()
    def pause(self) -> None:
        current = lapse(self.session, self.now)
        try:
            self.session = pause(current, self.now)
        except PracticeFinished:
            assert current.is_over
        except TimedPracticeCannotPause:
            assert current.deadline is not None
        else:
            assert self.session.status is PracticeStatus.PAUSED
            if self.running_since is not None:
                self.already += self.now - self.running_since
                self.running_since = None

    @rule()
    def resume(self) -> None:
        current = lapse(self.session, self.now)
        try:
            self.session = resume(current, self.now)
        except PracticeFinished:
            assert current.is_over
        else:
            assert self.session.status is PracticeStatus.ACTIVE
            self.running_since = self.running_since or self.now

    @rule()
    def finish(self) -> None:
        self.session = finish(lapse(self.session, self.now), self.now)
        assert self.session.is_over

    @rule(reason=st.sampled_from(["by mistake", "once more"]))
    def invalidate(self, reason: str) -> None:
        current = lapse(self.session, self.now)
        if current.status is PracticeStatus.FINISHED:
            with pytest.raises(PracticeFinished):
                invalidate(current, reason, self.now)
            self.session = current
            return
        self.session = invalidate(current, reason, self.now)
        assert self.session.status is PracticeStatus.INVALIDATED
        assert self.session.invalidation_reason == (current.invalidation_reason or reason)

    @rule()
    def look(self) -> None:
        """Writing down that time ran out early or late makes no difference."""
        self.session = lapse(self.session, self.now)

    @invariant()
    def counts_are_those_of_the_slots(self) -> None:
        answered = [each for each in self.slots if each.response is not None]
        assert self.session.answered_count == len(answered)
        assert self.session.correct_count == sum(each.correct is True for each in answered)

    @invariant()
    def a_slot_is_either_open_or_complete(self) -> None:
        for each in self.slots:
            complete = (each.mark is not None, each.correct is not None, each.answered_at is not None)
            assert set(complete) == {each.response is not None}
            sure = self.session.certainty and each.response is not None
            assert (each.certainty is not None) == (each.certainty_mark is not None) == sure
            assert each.certainty_mark == certainty_mark(each)
            assert each.mark is None or 0 <= each.mark <= each.max_mark
            revealed = self.session.feedback is FeedbackMode.IMMEDIATE and each.response is not None
            assert (each.feedback is not None) == revealed

    @invariant()
    def the_time_of_the_slots_is_that_of_the_sitting(self) -> None:
        assert sum(each.time_spent_seconds for each in self.slots) == self.spent

    @invariant()
    def a_summary_adds_up_and_tells_nothing_too_early(self) -> None:
        summary = summarise(self.session, [_result(each) for each in self.slots])
        may_know = self.session.feedback is FeedbackMode.IMMEDIATE or self.session.status is PracticeStatus.FINISHED
        marks = [each.mark for each in self.slots if each.mark is not None]
        sure = [each.certainty_mark for each in self.slots if each.certainty_mark is not None]
        assert summary.overall.mark == (sum(marks, Decimal(0)) if may_know else None)
        assert summary.overall.correct == (self.session.correct_count if may_know else None)
        assert summary.overall.certainty_mark == (
            max(sum(sure, Decimal(0)), Decimal(0)) if may_know and self.session.certainty else None
        )
        if summary.calibration is None:
            assert not (may_know and self.session.certainty)
        else:
            assert sum(row.answered for row in summary.calibration) == self.session.answered_count

    @invariant()
    def state_and_times_agree(self) -> None:
        current = self.session
        assert (current.status is PracticeStatus.PAUSED) == (current.paused_at is not None)
        assert current.is_over == (current.finished_at is not None)
        assert (current.invalidation_reason is not None) == (current.status is PracticeStatus.INVALIDATED)
        assert current.deadline is None or current.finished_at is None or current.finished_at <= current.deadline
        assert current.deadline is None or all(
            each.answered_at is None or each.answered_at < current.deadline for each in self.slots
        )
        assert current.is_over or current.answered_count < current.served

    @invariant()
    def what_is_over_stays_as_it_is(self) -> None:
        if self.over.is_over:
            assert self.session == self.over
        self.over = self.session


PracticeMachine.TestCase.settings = settings(stateful_step_count=25)
test_a_session_stays_sound = PracticeMachine.TestCase

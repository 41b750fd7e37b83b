"""Whatever a student does, and whenever, a session stays sound."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import DomainError
from domain.practice.refusals import AlreadyAnswered, PracticeFinished, PracticePaused, TimedPracticeCannotPause
from domain.practice.sessions import (
    FeedbackMode,
    PracticeSession,
    PracticeSlot,
    PracticeStatus,
    finish,
    give_answer,
    lapse,
    pause,
    resume,
)
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


def fits(offer: Offer, response: Response) -> bool:
    """What each kind takes, written down a second time."""
    if offer.kind is QuestionKind.NUMERIC:
        return response.numeric_value is not None
    if offer.kind is QuestionKind.ORDERING:
        return bool(response.order)
    most = len(offer.options) if offer.kind is QuestionKind.MULTIPLE else 1
    return set(response.choice_ids) <= set(offer.options) and 1 <= len(response.choice_ids) <= most


def refusal_to_expect(
    current: PracticeSession, before: PracticeSlot, offer: Offer, response: Response
) -> type[DomainError] | None:
    """The rules in their order, written down a second time."""
    refusals: list[tuple[bool, type[DomainError]]] = [
        (current.is_over, PracticeFinished),
        (current.status is PracticeStatus.PAUSED, PracticePaused),
        (before.response is not None and current.feedback is FeedbackMode.IMMEDIATE, AlreadyAnswered),
        (not fits(offer, response), AnswerInvalid),
    ]
    if before.response == response:
        return None
    return next((refusal for applies, refusal in refusals if applies), None)


class PracticeMachine(RuleBasedStateMachine):
    """Any history of commands and of time passing, checked after every step."""

    @initialize(feedback=st.sampled_from(FeedbackMode), limit=st.none() | st.integers(1, 2000))
    def begin(self, feedback: FeedbackMode, limit: int | None) -> None:
        deadline = None if limit is None else START + timedelta(seconds=limit)
        self.session = session(served=len(OFFERS), feedback=feedback, deadline=deadline)
        self.slots = [slot(number, offer) for number, offer in enumerate(OFFERS, start=1)]
        self.now = START
        self.over = self.session

    @rule(seconds=st.integers(0, 900))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(index=st.integers(0, len(OFFERS) - 1), response=answers)
    def answer(self, index: int, response: Response) -> None:
        current, before = lapse(self.session, self.now), self.slots[index]
        offer = OFFERS[index]
        expected = refusal_to_expect(current, before, offer, response)
        if expected is not None:
            with pytest.raises(expected):
                give_answer(current, before, offer.keyed, response, self.now)
            self.session = current
            return
        answered = give_answer(current, before, offer.keyed, response, self.now)
        assert answered.changed == (before.response != response)
        assert not (answered.changed and current.status is not PracticeStatus.ACTIVE)
        self.session, self.slots[index] = answered.session, answered.slot
        again = give_answer(self.session, self.slots[index], offer.keyed, response, self.now)
        assert (again.session, again.slot, again.changed) == (self.session, self.slots[index], False)

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

    @rule()
    def resume(self) -> None:
        current = lapse(self.session, self.now)
        try:
            self.session = resume(current, self.now)
        except PracticeFinished:
            assert current.is_over
        else:
            assert self.session.status is PracticeStatus.ACTIVE

    @rule()
    def finish(self) -> None:
        self.session = finish(lapse(self.session, self.now), self.now)
        assert self.session.status is PracticeStatus.FINISHED

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
            assert 0 <= each.time_spent_seconds <= 300
            assert each.mark is None or 0 <= each.mark <= each.max_mark
            revealed = self.session.feedback is FeedbackMode.IMMEDIATE and each.response is not None
            assert (each.feedback is not None) == revealed

    @invariant()
    def state_and_times_agree(self) -> None:
        current = self.session
        assert (current.status is PracticeStatus.PAUSED) == (current.paused_at is not None)
        assert current.is_over == (current.finished_at is not None)
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

"""Every move of a practice session, one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from domain.practice.judging import Answer, FeedbackMode
from domain.practice.refusals import (
    AlreadyAnswered,
    PracticeFinished,
    PracticePaused,
    TimedPracticeCannotPause,
)
from domain.practice.sessions import (
    PracticeSession,
    PracticeStatus,
    finish,
    give_answer,
    invalidate,
    lapse,
    pause,
    resume,
)
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import AnswerInvalid, Response
from domain.question_bank.scoring import ScoringPolicy
from tests.support.practice_builders import START, Offer, session, slot

OFFER = Offer(id="qst_001", points=Decimal(2))
RIGHT, WRONG = Answer(response=Response.choosing("B")), Answer(response=Response.choosing("A"))
DEFERRED = FeedbackMode.DEFERRED


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_right_answer_is_marked_counted_and_explained_at_once() -> None:
    answered = give_answer(session(), slot(offer=OFFER), OFFER.keyed, RIGHT, later(12.9))
    assert answered.changed
    assert (answered.session.answered_count, answered.session.correct_count) == (1, 1)
    assert (answered.slot.correct, answered.slot.mark) == (True, Decimal(2))
    assert answered.slot.answered_at == later(12.9)
    assert answered.slot.time_spent_seconds == 12
    assert answered.slot.feedback is not None
    assert answered.slot.feedback.correct_choice_ids == ("B",)
    assert [text.choice_id for text in answered.slot.feedback.explanations] == [None, *"ABCD"]


def test_a_wrong_answer_earns_nothing_and_is_explained_as_well() -> None:
    answered = give_answer(session(), slot(offer=OFFER), OFFER.keyed, WRONG, later(1))
    assert (answered.session.answered_count, answered.session.correct_count) == (1, 0)
    assert (answered.slot.correct, answered.slot.mark) == (False, Decimal(0))
    assert answered.slot.feedback is not None


def test_a_question_without_explanations_reveals_its_key_only() -> None:
    plain = Offer(id="qst_001", explained=False)
    answered = give_answer(session(), slot(offer=plain), plain.keyed, RIGHT, later(1))
    assert answered.slot.feedback is not None
    assert answered.slot.feedback.explanations == ()


def test_the_very_same_answer_again_changes_nothing_in_any_state() -> None:
    first = give_answer(session(served=1), slot(offer=OFFER), OFFER.keyed, RIGHT, later(1))
    assert first.session.status is PracticeStatus.FINISHED
    again = give_answer(first.session, first.slot, OFFER.keyed, RIGHT, later(99))
    assert (again.session, again.slot, again.changed) == (first.session, first.slot, False)


def test_with_immediate_feedback_another_answer_is_refused() -> None:
    first = give_answer(session(), slot(offer=OFFER), OFFER.keyed, WRONG, later(1))
    with pytest.raises(AlreadyAnswered):
        give_answer(first.session, first.slot, OFFER.keyed, RIGHT, later(2))


def test_with_deferred_feedback_the_last_answer_counts_and_nothing_is_revealed() -> None:
    first = give_answer(session(feedback=DEFERRED), slot(offer=OFFER), OFFER.keyed, RIGHT, later(10))
    second = give_answer(first.session, first.slot, OFFER.keyed, WRONG, later(25))
    assert (first.session.correct_count, second.session.correct_count) == (1, 0)
    assert second.session.answered_count == 1
    assert (second.slot.mark, second.slot.correct, second.slot.feedback) == (Decimal(0), False, None)
    assert second.slot.time_spent_seconds == 25


def test_of_each_return_to_a_slot_five_minutes_count_at_most() -> None:
    """Each by itself: who has sat there three times for four minutes has sat there for twelve."""
    now, moved, place = START, session(feedback=DEFERRED), slot(offer=OFFER)
    for number, seconds in enumerate((240, 240, 240, 900)):
        now += timedelta(seconds=seconds)
        answered = give_answer(moved, place, OFFER.keyed, (RIGHT, WRONG)[number % 2], now)
        moved, place = answered.session, answered.slot
    assert place.time_spent_seconds == 3 * 240 + 300


def sure(letter: str, certainty: Certainty | None) -> Answer:
    return Answer(response=Response.choosing(letter), certainty=certainty)


@pytest.mark.parametrize(
    ("letter", "certainty", "mark"),
    [
        ("B", Certainty.HIGH, 6),
        ("B", Certainty.MID, 4),
        ("B", None, 2),
        ("A", Certainty.HIGH, -12),
        ("A", Certainty.MID, -4),
        ("A", None, 0),
    ],
)
def test_certainty_is_marked_beside_the_plain_mark(letter: str, certainty: Certainty | None, mark: int) -> None:
    answered = give_answer(
        session(certainty=True), slot(offer=OFFER), OFFER.keyed, sure(letter, certainty), later(1)
    ).slot
    assert (answered.certainty_mark, answered.mark) == (Decimal(mark), Decimal(2 if letter == "B" else 0))
    assert answered.certainty is (certainty or Certainty.LOW)


def test_certainty_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        give_answer(session(), slot(offer=OFFER), OFFER.keyed, sure("B", Certainty.LOW), later(1))
    assert [(problem.pointer, problem.code) for problem in refusal.value.problems] == [("/certainty", "not_asked")]


def test_an_answer_that_is_unsure_by_silence_is_repeated_by_saying_so() -> None:
    first = give_answer(session(certainty=True), slot(offer=OFFER), OFFER.keyed, RIGHT, later(1))
    assert not give_answer(first.session, first.slot, OFFER.keyed, sure("B", Certainty.LOW), later(2)).changed
    with pytest.raises(AlreadyAnswered):
        give_answer(first.session, first.slot, OFFER.keyed, sure("B", Certainty.MID), later(2))


def test_a_deferred_answer_may_become_surer() -> None:
    first = give_answer(session(certainty=True, feedback=DEFERRED), slot(offer=OFFER), OFFER.keyed, RIGHT, later(1))
    surer = give_answer(first.session, first.slot, OFFER.keyed, sure("B", Certainty.HIGH), later(2))
    assert (surer.changed, surer.slot.certainty_mark, surer.session.answered_count) == (True, Decimal(6), 1)


def test_answers_are_marked_by_the_rules_of_their_session() -> None:
    strict = session(policy=ScoringPolicy(penalty=Decimal("0.5")))
    assert give_answer(strict, slot(offer=OFFER), OFFER.keyed, WRONG, later(1)).slot.mark == Decimal(-1)


def test_the_last_open_slot_ends_the_session() -> None:
    one_open = session(served=2, answered_count=1)
    answered = give_answer(one_open, slot(offer=OFFER), OFFER.keyed, WRONG, later(5))
    assert answered.session.status is PracticeStatus.FINISHED
    assert answered.session.finished_at == later(5)


def test_time_on_a_slot_is_counted_from_the_last_event_up_to_five_minutes() -> None:
    moved = session(last_event_at=later(100))
    assert give_answer(moved, slot(offer=OFFER), OFFER.keyed, RIGHT, later(130)).slot.time_spent_seconds == 30
    assert give_answer(moved, slot(offer=OFFER), OFFER.keyed, RIGHT, later(900)).slot.time_spent_seconds == 300
    assert give_answer(moved, slot(offer=OFFER), OFFER.keyed, RIGHT, later(50)).slot.time_spent_seconds == 0


def test_a_pause_does_not_count_as_time_spent() -> None:
    resumed = resume(pause(session(), later(60)), later(1000))
    assert give_answer(resumed, slot(offer=OFFER), OFFER.keyed, RIGHT, later(1030)).slot.time_spent_seconds == 90


def test_pausing_and_resuming_twice_is_pausing_and_resuming_once() -> None:
    paused = pause(session(), later(1))
    assert (paused.status, paused.paused_at) == (PracticeStatus.PAUSED, later(1))
    assert pause(paused, later(2)) == paused
    resumed = resume(paused, later(3))
    assert (resumed.status, resumed.paused_at) == (PracticeStatus.ACTIVE, None)
    assert resume(resumed, later(4)) == resumed


def test_a_timed_session_cannot_be_paused() -> None:
    with pytest.raises(TimedPracticeCannotPause):
        pause(session(deadline=later(600)), later(1))


def test_a_paused_session_takes_no_answer() -> None:
    with pytest.raises(PracticePaused):
        give_answer(pause(session(), later(1)), slot(offer=OFFER), OFFER.keyed, RIGHT, later(2))


@pytest.mark.parametrize("start", [session(), pause(session(), later(1))])
def test_finishing_ends_an_active_and_a_paused_session_once(start: PracticeSession) -> None:
    finished = finish(start, later(7))
    assert (finished.status, finished.finished_at, finished.paused_at) == (PracticeStatus.FINISHED, later(7), None)
    assert finish(finished, later(8)) == finished


@pytest.mark.parametrize("start", [session(), pause(session(), later(1))])
def test_what_is_declared_void_stays_so_for_the_first_reason(start: PracticeSession) -> None:
    void = invalidate(start, "by mistake", later(7))
    assert (void.status, void.finished_at, void.paused_at) == (PracticeStatus.INVALIDATED, later(7), None)
    assert invalidate(void, "for another reason", later(8)) == void
    assert void.invalidation_reason == "by mistake"


def test_what_is_finished_is_not_declared_void() -> None:
    with pytest.raises(PracticeFinished):
        invalidate(finish(session(), later(1)), "too late", later(2))


@pytest.mark.parametrize("status", [PracticeStatus.FINISHED, PracticeStatus.INVALIDATED])
@pytest.mark.parametrize(
    "move",
    [
        lambda over: pause(over, later(9)),
        lambda over: resume(over, later(9)),
        lambda over: give_answer(over, slot(offer=OFFER), OFFER.keyed, RIGHT, later(9)),
    ],
)
def test_a_session_that_is_over_takes_no_command(
    status: PracticeStatus, move: Callable[[PracticeSession], object]
) -> None:
    with pytest.raises(PracticeFinished):
        move(session(status=status, finished_at=later(8), deadline=None))


def test_a_timed_session_that_is_over_says_so_before_it_speaks_of_time_limits() -> None:
    with pytest.raises(PracticeFinished):
        pause(lapse(session(deadline=later(10)), later(10)), later(10))


def test_a_session_past_its_deadline_finished_at_the_deadline() -> None:
    timed = session(deadline=later(600))
    assert lapse(timed, later(599.999)) is timed
    over = lapse(timed, later(600))
    assert (over.status, over.finished_at) == (PracticeStatus.FINISHED, later(600))
    assert lapse(timed, later(10_000)) == over
    assert lapse(over, later(10_000)) is over


def test_a_session_without_a_limit_never_runs_out() -> None:
    assert lapse(session(), later(10**9)).status is PracticeStatus.ACTIVE


def test_an_invalidated_session_stays_invalidated_when_its_time_is_over() -> None:
    gone = session(status=PracticeStatus.INVALIDATED, finished_at=later(1), deadline=later(10))
    assert lapse(gone, later(20)) is gone
    assert finish(gone, later(20)) is gone


def test_an_answer_that_does_not_fit_its_question_is_refused() -> None:
    with pytest.raises(AnswerInvalid):
        give_answer(session(), slot(offer=OFFER), OFFER.keyed, Answer(response=Response.choosing("Z")), later(1))

"""How answers are rated, and when a question is due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import fsrs.card
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from domain.progress.repetition import CardState, Rating, ReviewCard, ReviewedAnswer, rating_of, replay
from domain.question_bank.certainty import Certainty

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCHEDULER = FsrsScheduler()

instants = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ratings = st.sampled_from(Rating)
histories = st.lists(
    st.builds(
        ReviewedAnswer,
        session_id=st.integers(0, 10**9).map("prs_{}".format),
        answered_at=instants,
        correct=st.booleans(),
        certainty_asked=st.booleans(),
        certainty=st.none() | st.sampled_from(Certainty),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda answer: answer.session_id,
)


def answer(*, correct: bool = True, asked: bool = False, certainty: Certainty | None = None) -> ReviewedAnswer:
    return ReviewedAnswer(
        session_id="prs_1", answered_at=START, correct=correct, certainty_asked=asked, certainty=certainty
    )


def card_after(answers: list[ReviewedAnswer]) -> ReviewCard:
    card = replay(answers, SCHEDULER)
    assert card is not None
    return card


@pytest.mark.parametrize(
    ("asked", "certainty", "rating"),
    [
        (False, None, Rating.GOOD),
        (True, None, Rating.HARD),
        (True, Certainty.LOW, Rating.HARD),
        (True, Certainty.MID, Rating.GOOD),
        (True, Certainty.HIGH, Rating.EASY),
        # Was not asked and said so all the same: it counts for nothing.
        (False, Certainty.HIGH, Rating.GOOD),
        (False, Certainty.LOW, Rating.GOOD),
    ],
)
def test_a_right_answer_is_rated_by_how_sure_the_student_was(
    asked: bool, certainty: Certainty | None, rating: Rating
) -> None:
    assert answer(asked=asked, certainty=certainty).rating is rating


@given(asked=st.booleans(), certainty=st.none() | st.sampled_from(Certainty))
def test_a_wrong_answer_is_to_be_learnt_again_however_sure_the_student_was(
    asked: bool, certainty: Certainty | None
) -> None:
    assert answer(correct=False, asked=asked, certainty=certainty).rating is Rating.AGAIN
    assert rating_of(correct=False, certainty=certainty) is Rating.AGAIN


def test_without_an_answer_there_is_no_card() -> None:
    assert replay([], SCHEDULER) is None


@given(answers=histories, order=st.randoms(use_true_random=False))
def test_the_order_in_which_answers_are_told_does_not_matter(answers: list[ReviewedAnswer], order: object) -> None:
    shuffled = list(answers)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert replay(shuffled, SCHEDULER) == replay(answers, SCHEDULER)


@given(answers=histories)
def test_a_card_tells_its_reviews_and_is_due_after_the_last_of_them(answers: list[ReviewedAnswer]) -> None:
    card = card_after(answers)
    assert card.reviews == len(answers)
    assert card.last_review == max(each.answered_at for each in answers)
    assert card.due > card.last_review
    assert 1 <= card.difficulty <= 10
    assert card.stability > 0
    assert (card.step is None) == (card.state is CardState.REVIEW)


@given(answers=histories, pause=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_better_it_was_remembered_the_later_it_is_due(answers: list[ReviewedAnswer], pause: timedelta) -> None:
    card = card_after(answers)
    dues = [SCHEDULER(card, rating, card.last_review + pause).due for rating in Rating]
    assert dues == sorted(dues)
    assert dues[0] < dues[-1]


@given(answers=histories, offset=st.integers(-23, 23))
def test_the_zone_in_which_an_instant_is_told_does_not_matter(answers: list[ReviewedAnswer], offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    card = card_after(answers)
    at = card.last_review + timedelta(days=3)
    assert SCHEDULER(card, Rating.GOOD, at.astimezone(zone)) == SCHEDULER(card, Rating.GOOD, at)


@given(rating=ratings, days=st.integers(4, 2000))
def test_chance_has_no_part_in_when_a_question_is_due(rating: Rating, days: int) -> None:
    """Fuzz would spread long intervals: each of many schedulers finds the same."""
    known = SCHEDULER(None, Rating.EASY, START)
    again = {FsrsScheduler()(known, rating, START + timedelta(days=days)).due for _ in range(20)}
    assert len(again) == 1


def test_scheduling_neither_sleeps_nor_asks_what_time_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a new card was left to make up its own id or date")

    monkeypatch.setattr("fsrs.card.time.sleep", refuse)
    monkeypatch.setattr(fsrs.card, "datetime", refuse)
    card = SCHEDULER(None, Rating.AGAIN, START)
    assert SCHEDULER(card, Rating.GOOD, START + timedelta(days=1)).reviews == 2


def test_what_is_new_comes_back_within_minutes_and_what_is_known_after_days() -> None:
    """The intervals that the algorithm's makers chose, with nine of ten to be remembered."""
    at = START
    again, good, easy = (SCHEDULER(None, rating, at) for rating in (Rating.AGAIN, Rating.GOOD, Rating.EASY))
    assert (again.state, again.due - at) == (CardState.LEARNING, timedelta(minutes=1))
    assert (good.state, good.due - at) == (CardState.LEARNING, timedelta(minutes=10))
    assert (easy.state, easy.due - at) == (CardState.REVIEW, timedelta(days=8))
    forgotten = SCHEDULER(easy, Rating.AGAIN, easy.due)
    assert (forgotten.state, forgotten.due - easy.due) == (CardState.RELEARNING, timedelta(minutes=10))

"""When a question is due again: what answers say about memory, and the card that they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from domain.question_bank.certainty import Certainty


class Rating(StrEnum):
    """How well something was remembered."""

    AGAIN = "again"
    HARD = "hard"
    GOOD = "good"
    EASY = "easy"


class CardState(StrEnum):
    """Where a question stands: new to memory, known, or known once and forgotten."""

    LEARNING = "learning"
    REVIEW = "review"
    RELEARNING = "relearning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard:
    """What is known of how well a student remembers a question, after `reviews` answers of which the last was then.

    `step` counts the short intervals of learning and relearning; there is none in review. `stability` is the time in
    days after which nine of ten are still remembered, `difficulty` lies in 1..10.
    """

    state: CardState
    step: int | None
    stability: float
    difficulty: float
    due: datetime
    last_review: datetime
    reviews: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedAnswer:
    """An answer of which the student may know whether it is right. A session asks a question once."""

    session_id: str
    answered_at: datetime
    correct: bool
    certainty_asked: bool
    certainty: Certainty | None

    @property
    def rating(self) -> Rating:
        return rating_of(correct=self.correct, certainty=self._certainty if self.certainty_asked else None)

    @property
    def _certainty(self) -> Certainty:
        """Who was asked and did not say is taken to be least sure."""
        return self.certainty or Certainty.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuestion:
    """A question and every answer of a student to it that counts; `made_of` tells this set of answers from others."""

    question_id: str
    made_of: int
    answers: tuple[ReviewedAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledQuestion:
    """A question and the card that its answers leave; None when there is no answer left that counts."""

    question_id: str
    made_of: int
    card: ReviewCard | None


NextCard: TypeAlias = Callable[[ReviewCard | None, Rating, datetime], ReviewCard]

_RIGHT_BY_CERTAINTY: Final = {Certainty.LOW: Rating.HARD, Certainty.MID: Rating.GOOD, Certainty.HIGH: Rating.EASY}


def rating_of(*, correct: bool, certainty: Certainty | None) -> Rating:
    """A wrong answer is to be learnt again; a right one is rated by how sure the student was, if that was asked."""
    if not correct:
        return Rating.AGAIN
    return Rating.GOOD if certainty is None else _RIGHT_BY_CERTAINTY[certainty]


def replay(answers: Iterable[ReviewedAnswer], next_card: NextCard) -> ReviewCard | None:
    """The card after all of these answers, in whatever order they are told: what counts is when they were given."""
    card: ReviewCard | None = None
    for answer in sorted(answers, key=lambda each: (each.answered_at, each.session_id)):
        card = next_card(card, answer.rating, answer.answered_at)
    return card

"""What reviewing needs of its store, and of the algorithm that spaces reviews. Practice speaks these words too."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from application.ports import Work
from domain.progress.repetition import AnsweredQuestion, Rating, ReviewCard, ScheduledQuestion


class ReviewScheduler(Protocol):
    """Says when to review again. The same reviews give the same card: nothing in it is left to chance or to a clock."""

    @abstractmethod
    def __call__(self, card: ReviewCard | None, rating: Rating, at: datetime) -> ReviewCard:
        """The card after one more review; `card` is None before the first, `at` is never before the last."""


class RepetitionWork(Work, Protocol):
    """The cards of a student are a projection of the judged answers, which nobody but `ScheduleReviews` writes."""

    @abstractmethod
    async def hold_reviews(self, user_id: str) -> None:
        """Waits for whoever else brings this student's cards up to date; answering does not wait."""

    @abstractmethod
    async def stale_reviews(self, user_id: str, *, limit: int) -> Sequence[AnsweredQuestion]:
        """Questions whose card is not made of exactly the answers that are judged by now, and of no later moment.

        Those whose last answer is the longest ago come first. Without an answer: there is a card, but nothing that it
        could be made of any more.
        """

    @abstractmethod
    async def save_review_cards(self, user_id: str, questions: Sequence[ScheduledQuestion]) -> None:
        """Each card takes the place of the one there is; a question without a card loses its own."""

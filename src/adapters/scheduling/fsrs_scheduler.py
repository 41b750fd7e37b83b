"""Reviews spaced by FSRS, the free spaced repetition scheduler, with the parameters that its makers fitted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import fsrs

from application.progress.ports.repetition import ReviewScheduler
from domain.progress.repetition import CardState, Rating, ReviewCard

_RATINGS: Final[Mapping[Rating, fsrs.Rating]] = {
    Rating.AGAIN: fsrs.Rating.Again,
    Rating.HARD: fsrs.Rating.Hard,
    Rating.GOOD: fsrs.Rating.Good,
    Rating.EASY: fsrs.Rating.Easy,
}
_STATES: Final[Mapping[CardState, fsrs.State]] = {
    CardState.LEARNING: fsrs.State.Learning,
    CardState.REVIEW: fsrs.State.Review,
    CardState.RELEARNING: fsrs.State.Relearning,
}
_OWN_STATES: Final = {theirs: ours for ours, theirs in _STATES.items()}


class FsrsScheduler(ReviewScheduler):
    """Without the fuzz that spreads what is due, so that a card can be made again from its reviews."""

    def __init__(self) -> None:
        self._scheduler = fsrs.Scheduler(enable_fuzzing=False)

    def __call__(self, card: ReviewCard | None, rating: Rating, at: datetime) -> ReviewCard:
        moment = at.astimezone(UTC)
        reviewed, _ = self._scheduler.review_card(_their_card(card, moment), _RATINGS[rating], moment)
        if reviewed.stability is None or reviewed.difficulty is None:
            raise RuntimeError("a review left a card without a memory")
        return ReviewCard(
            state=_OWN_STATES[reviewed.state],
            step=reviewed.step,
            stability=reviewed.stability,
            difficulty=reviewed.difficulty,
            due=reviewed.due,
            last_review=moment,
            reviews=1 if card is None else card.reviews + 1,
        )


def _their_card(card: ReviewCard | None, at: datetime) -> fsrs.Card:
    """With an id and a date in any case: a card that is made without would sleep for the one and ask the clock."""
    if card is None:
        return fsrs.Card(card_id=0, due=at)
    return fsrs.Card(
        card_id=0,
        state=_STATES[card.state],
        step=card.step,
        stability=card.stability,
        difficulty=card.difficulty,
        due=card.due,
        last_review=card.last_review.astimezone(UTC),
    )

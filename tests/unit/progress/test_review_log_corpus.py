"""One person's real reviews of half a year. Skipped where the file is not at hand."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import fsrs
import pytest

from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from domain.progress.repetition import CardState, Rating, ReviewCard

LOG = Path(__file__).parents[4] / "shared" / "corpora" / "spaced-repetition" / "review_logs_josh.csv"
RATINGS = dict(enumerate(Rating, start=1))

pytestmark = pytest.mark.skipif(not LOG.exists(), reason="the review log is not beside the repository")

Log = Mapping[str, Sequence[tuple[Rating, datetime]]]


@pytest.fixture(scope="module")
def log() -> Log:
    """Reviews by card, each in the order of time."""
    reviews: dict[str, list[tuple[Rating, datetime]]] = defaultdict(list)
    with LOG.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["review_time"])
            reviews[row["card_id"]].append((RATINGS[int(row["review_rating"])], at))
    return {card: sorted(each, key=lambda review: review[1]) for card, each in reviews.items()}


def replayed(log: Log, cards: Sequence[str]) -> dict[str, ReviewCard]:
    scheduler = FsrsScheduler()
    found: dict[str, ReviewCard] = {}
    for name in cards:
        card: ReviewCard | None = None
        for rating, at in log[name]:
            card = scheduler(card, rating, at)
        assert card is not None
        found[name] = card
    return found


def test_the_log_is_whole(log: Log) -> None:
    assert len(log) == 1205
    assert sum(map(len, log.values())) == 12580


def test_the_same_reviews_leave_the_same_cards_and_the_cards_may_come_in_any_order(log: Log) -> None:
    once = replayed(log, list(log))
    shuffled = list(log)
    random.Random(7).shuffle(shuffled)
    assert replayed(log, shuffled) == once


def test_every_card_is_what_the_algorithm_itself_makes_of_it(log: Log) -> None:
    scheduler = fsrs.Scheduler(enable_fuzzing=False)
    for name, card in replayed(log, list(log)).items():
        theirs = fsrs.Card(card_id=1, due=log[name][0][1])
        for rating, at in log[name]:
            theirs, _ = scheduler.review_card(theirs, fsrs.Rating[rating.name.title()], at)
        assert (card.stability, card.difficulty, card.due) == (theirs.stability, theirs.difficulty, theirs.due)
        assert (card.state.name, card.step) == (theirs.state.name.upper(), theirs.step)


def test_reviews_and_states_are_those_of_somebody_who_learnt(log: Log) -> None:
    cards = replayed(log, list(log))
    assert sum(card.reviews for card in cards.values()) == 12580
    states = Counter(card.state for card in cards.values())
    assert set(states) <= set(CardState)
    assert states[CardState.REVIEW] > 0.9 * len(cards)
    for name, card in cards.items():
        last_rating, last_at = log[name][-1]
        assert card.last_review == last_at
        assert card.due > last_at
        if last_rating is Rating.AGAIN:
            assert card.state is not CardState.REVIEW

"""Who may begin to practise, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.practice.admission import WEEK, Admission, refuse_full_week, refuse_outside_tier
from domain.practice.refusals import PracticeNotInTier, WeeklyPracticeLimit
from domain.question_bank.scoring import STANDARD
from tests.support.practice_builders import START


@pytest.mark.parametrize("weekly", [None, 1, 10_000])
def test_a_tier_with_practice_is_entered(weekly: int | None) -> None:
    refuse_outside_tier(Admission(weekly_sessions=weekly, policy=STANDARD))


def test_a_tier_of_no_sessions_has_no_practice() -> None:
    with pytest.raises(PracticeNotInTier):
        refuse_outside_tier(Admission(weekly_sessions=0, policy=STANDARD))


def test_a_week_with_a_place_free_is_not_full() -> None:
    refuse_full_week(None, START)


@given(st.timedeltas(timedelta(days=-1), timedelta(days=20)))
def test_a_full_week_says_in_whole_seconds_when_it_is_not_full_any_more(age: timedelta) -> None:
    """Not a second too early, and less than a second too late."""
    begun = START - age
    if age >= WEEK:
        refuse_full_week(begun, START)
        return
    with pytest.raises(WeeklyPracticeLimit) as refusal:
        refuse_full_week(begun, START)
    wait = timedelta(seconds=refusal.value.retry_after_seconds or 0)
    refuse_full_week(begun, START + wait)
    with pytest.raises(WeeklyPracticeLimit):
        refuse_full_week(begun, START + wait - timedelta(seconds=1))

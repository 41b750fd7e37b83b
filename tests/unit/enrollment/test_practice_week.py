"""What is left of this week's practice, against the cap that refuses the next session."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.practice_week import practice_week
from domain.errors import DomainError
from domain.practice.admission import Admission, refuse_full_week, refuse_outside_tier
from domain.practice.refusals import PracticeNotInTier, WeeklyPracticeLimit
from domain.question_bank.scoring import STANDARD
from tests.support.enrollment_builders import NOON

limits = st.none() | st.integers(min_value=0, max_value=3)
# How long ago sessions were begun: just within the week, at the end of it, and beyond.
beginnings = st.lists(
    st.sampled_from([timedelta(seconds=1), *(timedelta(days=days) for days in (0, 1, 6, 7, 8))]).map(
        lambda ago: NOON - ago
    ),
    max_size=5,
)


def refusal_of(limit: int | None, begun: list[datetime]) -> DomainError | None:
    """What becomes of a session that is begun now."""
    latest = sorted(begun, reverse=True)
    try:
        refuse_outside_tier(Admission(weekly_sessions=limit, policy=STANDARD))
        if limit is not None:
            refuse_full_week(latest[limit - 1] if limit <= len(latest) else None, NOON)
    except DomainError as refusal:
        return refusal
    return None


@given(limits, beginnings)
def test_what_is_left_and_when_more_is_free_is_what_the_cap_says(limit: int | None, begun: list[datetime]) -> None:
    latest = sorted(begun, reverse=True)
    used = sum(at > NOON - timedelta(days=7) for at in begun)
    earliest = latest[max(limit or 0, 1) - 1] if max(limit or 0, 1) <= len(latest) else None
    week = practice_week(limit, used, earliest, NOON)
    refusal = refusal_of(limit, begun)
    assert (week.remaining == 0) == (refusal is not None)
    if isinstance(refusal, WeeklyPracticeLimit):
        assert week.next_free_at == NOON + timedelta(seconds=refusal.retry_after_seconds or 0)
    else:
        assert week.next_free_at is None


@pytest.mark.parametrize(("limit", "used", "remaining"), [(None, 9, None), (0, 2, 0), (3, 2, 1), (2, 5, 0)])
def test_what_remains_is_never_less_than_nothing(limit: int | None, used: int, remaining: int | None) -> None:
    assert practice_week(limit, used, None, NOON).remaining == remaining


def test_a_tier_without_practice_has_no_time_at_which_it_begins() -> None:
    assert isinstance(refusal_of(0, [NOON]), PracticeNotInTier)
    assert practice_week(0, 1, NOON, NOON).next_free_at is None

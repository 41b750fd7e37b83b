"""Streaks: laws over any set of days."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.progress.streaks import StreakState, current, longest, state

TODAY = date(2026, 3, 2)
# Close together, so that they meet.
NEAR = st.integers(-12, 1).map(lambda off: TODAY + timedelta(days=off))
DAYS = st.lists(NEAR, max_size=20)


def runs(days: list[date]) -> list[list[date]]:
    """By the definition: days belong together when nothing between them is missing."""
    found: list[list[date]] = []
    for off in range(-13, 3):
        day = TODAY + timedelta(days=off)
        if day not in days:
            continue
        if day - timedelta(days=1) in days:
            found[-1].append(day)
        else:
            found.append([day])
    return found


@given(DAYS)
def test_the_longest_is_the_longest_run(days: list[date]) -> None:
    assert longest(days) == max((len(run) for run in runs(days)), default=0)


@given(DAYS)
def test_the_current_is_the_run_that_ends_today_or_yesterday(days: list[date]) -> None:
    last = runs(days)[-1] if days else []
    alive = bool(last) and last[-1] >= TODAY - timedelta(days=1)
    assert current(days, TODAY) == (len(last) if alive else 0)


@given(DAYS, st.integers(-3, 3))
def test_the_longest_is_at_least_the_current(days: list[date], off: int) -> None:
    assert longest(days) >= current(days, TODAY + timedelta(days=off))


@given(DAYS, NEAR)
def test_another_day_never_lowers_the_longest(days: list[date], day: date) -> None:
    assert longest(days) <= longest([*days, day]) <= 2 * longest(days) + 1


@given(DAYS, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(days: list[date], chance: Random) -> None:
    shuffled = chance.sample(days * 2, 2 * len(days))
    assert (longest(shuffled), current(shuffled, TODAY), state(shuffled, TODAY)) == (
        longest(days),
        current(days, TODAY),
        state(days, TODAY),
    )


@given(DAYS)
def test_the_state_tells_whether_today_is_in_it(days: list[date]) -> None:
    expected = StreakState.NONE
    if TODAY - timedelta(days=1) in days:
        expected = StreakState.AT_RISK
    if any(day >= TODAY for day in days):
        expected = StreakState.SECURED
    assert state(days, TODAY) is expected
    assert (current(days, TODAY) == 0) == (expected is StreakState.NONE)


@given(st.integers(0, 40))
def test_a_day_each_day_is_counted_as_it_goes(length: int) -> None:
    """And goes on over the ends of months and years."""
    start = date(2027, 12, 15)
    days = [start + timedelta(days=number) for number in range(length)]
    assert longest(days) == length
    assert current(days, start + timedelta(days=length)) == length
    assert current(days, start + timedelta(days=length + 1)) == 0

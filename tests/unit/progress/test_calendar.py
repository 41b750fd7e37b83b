"""Stretches of days, as calendars ask for them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.progress.calendar import MOST_DAYS, USUAL_DAYS, Stretch, stretch

TODAY = date(2026, 3, 12)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(first=days, last=days)
def test_what_is_asked_for_is_shown_up_to_the_bound(first: date, last: date) -> None:
    if 0 <= (last - first).days < MOST_DAYS:
        asked = stretch(first, last, TODAY)
        assert (asked.first, asked.last) == (first, last)
    else:
        with pytest.raises(InvalidInput) as refused:
            stretch(first, last, TODAY)
        assert [problem.pointer for problem in refused.value.problems] == ["?from"]


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (MOST_DAYS, True), (MOST_DAYS + 1, False)])
def test_both_ends_are_included(length: int, fits: bool) -> None:
    last = TODAY + timedelta(days=length - 1)
    if fits:
        assert stretch(TODAY, last, TODAY) == Stretch(first=TODAY, last=last)
    else:
        with pytest.raises(InvalidInput):
            stretch(TODAY, last, TODAY)


@given(first=days | st.none(), last=days | st.none())
def test_what_is_left_out_makes_it_365_days(first: date | None, last: date | None) -> None:
    assume(first is None or last is None)
    asked = stretch(first, last, TODAY)
    assert (asked.last - asked.first).days == USUAL_DAYS - 1
    assert first in (None, asked.first)
    assert asked.last == (last or asked.last)
    assert first or last or asked.last == TODAY


@given(first=days, length=st.integers(1, MOST_DAYS), found=st.sets(days))
def test_only_days_of_the_stretch_are_of_it_and_in_order(first: date, length: int, found: set[date]) -> None:
    asked = Stretch(first=first, last=first + timedelta(days=length - 1))
    told = asked.of({*found, asked.first, asked.last, asked.first - timedelta(days=1), asked.last + timedelta(days=1)})
    assert list(told) == sorted(day for day in {*found, asked.first, asked.last} if asked.first <= day <= asked.last)

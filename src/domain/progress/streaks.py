"""Streaks: how many days in a row a student studied. All of it follows from the set of days, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

_DAY: Final = timedelta(days=1)


class StreakState(StrEnum):
    """Whether today is in the streak already, has to be yet, or there is none."""

    SECURED = "secured"
    AT_RISK = "at_risk"
    NONE = "none"


def longest(days: Iterable[date]) -> int:
    """The most days that ever followed on each other."""
    return max(_runs(days), default=0)


def current(days: Iterable[date], today: date) -> int:
    """The days in a row that end today or yesterday; 0 when yesterday was missed."""
    known = frozenset(days)
    return 0 if state(known, today) is StreakState.NONE else _runs(known)[-1]


def state(days: Iterable[date], today: date) -> StreakState:
    """A day may lie ahead of today: the student has studied and then gone west. It secures today."""
    last = max(days, default=date.min)
    if last >= today:
        return StreakState.SECURED
    return StreakState.AT_RISK if last == today - _DAY else StreakState.NONE


def _runs(days: Iterable[date]) -> list[int]:
    """The length of each run, the earliest first."""
    runs: list[int] = []
    before: date | None = None
    for day in sorted(set(days)):
        if before is not None and day - before == _DAY:
            runs[-1] += 1
        else:
            runs.append(1)
        before = day
    return runs

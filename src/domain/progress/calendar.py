"""A stretch of days, as a calendar shows the days of study in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.errors import FieldProblem, InvalidInput

MOST_DAYS: Final = 400
USUAL_DAYS: Final = 365
_BEFORE: Final = timedelta(days=USUAL_DAYS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise _wrong("The first day lies behind the last")
        if self.last - self.first >= timedelta(days=MOST_DAYS):
            raise _wrong(f"At most {MOST_DAYS} days are shown at once")

    def of(self, days: Iterable[date]) -> tuple[date, ...]:
        """Those of the days that lie in it, in order."""
        return tuple(sorted(day for day in days if self.first <= day <= self.last))


def stretch(first: date | None, last: date | None, today: date) -> Stretch:
    """What is asked for: 365 days where one end is left out, and those up to today where both are."""
    if first is None:
        last = last or today
        return Stretch(first=last - _BEFORE, last=last)
    return Stretch(first=first, last=last or first + _BEFORE)


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem("?from", "out_of_range", message),))

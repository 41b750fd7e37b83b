"""Days as a student lives them: which day it is for whom, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

LATEST_START: Final = 12
_GRID: Final = timedelta(minutes=15)
_FURTHEST: Final = timedelta(days=1)
# What machines list beside places: their own setting, and what stands for none.
_NO_PLACES: Final = frozenset({"localtime", "Factory"})


class ImpossibleDay(ValueError):
    """A local day is at most one away from the day in UTC; a zone that tells another has wrong data."""


@cache
def _places() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


def known_zone(name: str) -> bool:
    """Whether it is the name of a zone, as `Europe/Berlin`."""
    return name in _places()


def local_day(instant: datetime, zone: str, day_start_hour: int) -> date:
    """The day by the clock on the wall, where a new day begins at `day_start_hour`."""
    wall = instant.astimezone(_clock_of(zone)).replace(tzinfo=None)
    day = (wall - timedelta(hours=day_start_hour)).date()
    if abs(day - instant.astimezone(UTC).date()) > _FURTHEST:
        raise ImpossibleDay(f"{day} in {zone} at {instant}")
    return day


def _clock_of(zone: str) -> tzinfo:
    """A name that was known when it was chosen and is not any more goes by UTC: no answer is refused for it."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def constant_until(instant: datetime, zone: str, day_start_hour: int) -> datetime:
    """The first quarter of an hour after `instant` that is on another local day.

    Looked for step by step, because the clock may be put over or back across the start of a day, even more than once.
    Offsets are whole quarters, and clocks are changed at whole quarters: between two of them no day begins.
    """
    day = local_day(instant, zone, day_start_hour)
    return next(quarter for quarter in _quarters(instant) if local_day(quarter, zone, day_start_hour) != day)


def _quarters(instant: datetime) -> Iterator[datetime]:
    """Those of UTC after `instant`, without end."""
    hour = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    quarter = hour + ((instant - hour) // _GRID) * _GRID
    while True:
        quarter += _GRID
        yield quarter

"""What a student did week by week, as they live their weeks, and how much of it was right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar

from domain.progress.days import local_day

DEFAULT_WEEKS: Final = 12
MOST_WEEKS: Final = 104
MOST_TOPICS: Final = 100

_GRID: Final = timedelta(minutes=15)
_QUARTERS_OF_A_DAY: Final = timedelta(days=1) // _GRID
_PERCENT_PLACES: Final = 2

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A week from Monday to Sunday (ISO 8601). It lasts from `begins_at` until before the next one begins."""

    monday: date
    begins_at: datetime

    @property
    def name(self) -> str:
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Answers that were given. `judged` are those of which the student may know whether they are right."""

    answered: int = 0
    judged: int = 0
    correct: int = 0
    time_spent_seconds: int = 0

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            answered=self.answered + other.answered,
            judged=self.judged + other.judged,
            correct=self.correct + other.correct,
            time_spent_seconds=self.time_spent_seconds + other.time_spent_seconds,
        )

    @property
    def percent(self) -> Decimal | None:
        """Right ones of those that are judged; None where none is."""
        return percent_of(self.correct, self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortCell:
    """What was done in one week on one topic. Week 0 is all time before the first week that is asked for."""

    week: int
    topic_id: str | None
    effort: Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEffort:
    """A topic over the weeks in which it was practised; questions without a topic are counted under None."""

    topic_id: str | None
    effort: Effort
    weeks: tuple[tuple[Week, Effort], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effortful:
    """All that a student ever did, the weeks from the earliest on, and their topics, those with most answers first."""

    lifetime: Effort
    weeks: tuple[tuple[Week, Effort], ...]
    topics: tuple[TopicEffort, ...]


def weeks_until(now: datetime, zone: str, day_start_hour: int, count: int) -> tuple[Week, ...]:
    """The week that it is for the student, and those before it: `count` in all, the earliest first."""
    today = local_day(now, zone, day_start_hour)
    this_monday = today - timedelta(days=today.weekday())
    mondays = (this_monday - timedelta(weeks=ago) for ago in reversed(range(count)))
    return tuple(Week(monday=day, begins_at=_beginning(day, zone, day_start_hour)) for day in mondays)


def summed_up(cells: Iterable[EffortCell], weeks: Sequence[Week]) -> Effortful:
    """Cells may come in any order and in parts. Of the topics those with most answers are told."""
    every = tuple(cells)
    recent = tuple(cell for cell in every if cell.week > 0)
    by_week = _sums(recent, lambda cell: cell.week)
    return Effortful(
        lifetime=sum((cell.effort for cell in every), Effort()),
        weeks=tuple((week, by_week.get(number, Effort())) for number, week in enumerate(weeks, start=1)),
        topics=_by_topic(recent, weeks),
    )


def percent_of(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Rounded once, half to even, at the second decimal place; there is no part of nothing."""
    if not whole:
        return None
    hundredths = round(Fraction(part) / Fraction(whole) * 100 * 10**_PERCENT_PLACES)
    return Decimal(hundredths).scaleb(-_PERCENT_PLACES)


def _beginning(day: date, zone: str, day_start_hour: int) -> datetime:
    """The first quarter of an hour that is on this local day or later: between two of them no day begins.

    Halved again and again between two quarters of which one is surely before the day and the other surely in it or past
    it: no day begins more than 15 hours before that of UTC, nor more than a day after it.
    """
    midnight = datetime.combine(day, time(), UTC)
    before, not_before = -_QUARTERS_OF_A_DAY, 2 * _QUARTERS_OF_A_DAY
    while not_before - before > 1:
        middle = (before + not_before) // 2
        if local_day(midnight + middle * _GRID, zone, day_start_hour) < day:
            before = middle
        else:
            not_before = middle
    return midnight + not_before * _GRID


def _by_topic(cells: Sequence[EffortCell], weeks: Sequence[Week]) -> tuple[TopicEffort, ...]:
    efforts = _sums(cells, lambda cell: cell.topic_id)
    parts = _sums(cells, lambda cell: (cell.topic_id, cell.week))
    most = sorted(efforts, key=lambda topic: (-efforts[topic].answered, topic or ""))[:MOST_TOPICS]
    return tuple(
        TopicEffort(
            topic_id=topic,
            effort=efforts[topic],
            weeks=tuple(
                (week, parts[topic, number]) for number, week in enumerate(weeks, start=1) if (topic, number) in parts
            ),
        )
        for topic in most
    )


def _sums(cells: Iterable[EffortCell], key: Callable[[EffortCell], KeyT]) -> Mapping[KeyT, Effort]:
    sums: dict[KeyT, Effort] = {}
    for cell in cells:
        sums[key(cell)] = sums.get(key(cell), Effort()) + cell.effort
    return sums

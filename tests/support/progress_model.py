"""What a student has come to, told anew from everything that ever happened. Nothing is kept from step to step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from domain.progress.activity import Activity, ActivityKind

DAY = timedelta(days=1)
THRESHOLDS = {
    "first_exam": ("exams_finished", 1),
    "first_pass": ("exams_passed", 1),
    "streak_7": ("longest_streak", 7),
    "streak_30": ("longest_streak", 30),
    "answers_100": ("questions_answered", 100),
    "answers_1000": ("questions_answered", 1000),
    "perfect_exam": ("perfect_exams", 1),
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that was done at an instant, by the clock of then; or that all answers of `taken` were taken back."""

    at: datetime
    zone: str
    hour: int
    activity: Activity | None = None
    taken: str | None = None

    @cached_property
    def day(self) -> date:
        wall = self.at.astimezone(ZoneInfo(self.zone))
        return wall.date() if wall.hour >= self.hour else wall.date() - DAY


@dataclass(frozen=True, slots=True)
class Award:
    """A badge: what the metric was, by which session, when, and when it was revoked."""

    value: int
    source_id: str
    at: datetime
    revoked_at: datetime | None = None


@dataclass(slots=True)
class History:
    """All that a student did, oldest first."""

    events: list[Event] = field(default_factory=list)

    @property
    def days(self) -> set[date]:
        return {event.day for event in self.events if event.activity}

    @property
    def last_activity_at(self) -> datetime | None:
        return max((event.at for event in self.events if event.activity), default=None)

    def counted(self, source_id: str) -> int:
        """The answers of a session."""
        return sum(each.answers for each in self.activities() if each.source_id == source_id)

    def activities(self) -> Iterator[Activity]:
        yield from (event.activity for event in self.events if event.activity)

    def metrics(self) -> dict[str, int]:
        """Of what was not taken back."""
        taken = {event.taken for event in self.events if event.taken}
        exams = [each for each in self.activities() if each.kind is ActivityKind.EXAM_SEALED]
        return {
            "exams_finished": len(exams),
            "exams_passed": sum(exam.passed for exam in exams),
            "perfect_exams": sum(exam.perfect for exam in exams),
            "questions_answered": sum(each.answers for each in self.activities() if each.source_id not in taken),
            "longest_streak": self.longest,
        }

    @property
    def longest(self) -> int:
        days = self.days
        return max((_length(days, day) for day in days), default=0)

    def current(self, today: date) -> int:
        last = max(self.days, default=date.min)
        return _length(self.days, last) if last >= today - DAY else 0

    def badges(self) -> dict[str, Award]:
        """As they came and went."""
        found: dict[str, Award] = {}
        for number, event in enumerate(self.events, 1):
            metrics = History(self.events[:number]).metrics()
            for code, (metric, threshold) in THRESHOLDS.items():
                held = code in found and found[code].revoked_at is None
                reached = metrics[metric] >= threshold
                if event.activity and reached and not held:
                    found[code] = Award(metrics[metric], event.activity.source_id, event.at)
                if event.taken and held and not reached:
                    found[code] = replace(found[code], revoked_at=max(event.at, found[code].at))
        return found


def _length(days: set[date], last: date) -> int:
    """Of the run that ends there."""
    return 1 + _length(days, last - DAY) if last in days else 0

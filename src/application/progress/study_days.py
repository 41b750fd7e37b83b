"""A student's own days of study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from application.progress.ports.profile import ProfileReader
from domain.auth.people import Actor
from domain.progress.calendar import Stretch, stretch
from domain.progress.days import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDaysView:
    """The days of study in a stretch, and which day it is for the student, in whose time zone."""

    stretch: Stretch
    today: date
    time_zone: str
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStudyDays:
    """Students see on which days they studied, by the clock that they lived by then; unasked, in the last 365 days."""

    profile_reader: ProfileReader

    async def __call__(self, actor: Actor, first: date | None = None, last: date | None = None) -> StudyDaysView:
        found = await self.profile_reader.study_days(actor.user_id)
        today = local_day(found.now, found.time_zone, found.day_start_hour)
        asked = stretch(first, last, today)
        return StudyDaysView(stretch=asked, today=today, time_zone=found.time_zone, days=asked.of(found.days))

"""What profile and badges need from outside."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from application.auth.ports import PeopleWork
from application.progress.ports.activity import ActivityWork
from application.progress.profile_views import BadgesView, ProfileView


class ProfileWork(ActivityWork, PeopleWork, Protocol):
    """One change of a student's profile. Their progress is held before their person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentDays:
    """Every day of study of a student, what time it is, and how the student tells it."""

    days: tuple[date, ...]
    now: datetime
    time_zone: str
    day_start_hour: int


class ProfileReader(Protocol):
    """What a student is shown of themselves, each in one round trip."""

    @abstractmethod
    async def profile(self, user_id: str) -> ProfileView | None: ...

    @abstractmethod
    async def study_days(self, user_id: str) -> StudentDays: ...

    @abstractmethod
    async def badges(self, user_id: str) -> BadgesView: ...

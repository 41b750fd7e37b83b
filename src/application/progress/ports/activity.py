"""What crediting a student needs of its store. Units of work of practice, exams and lessons speak these words too."""

from __future__ import annotations

from abc import abstractmethod
from datetime import date
from typing import Protocol

from application.ports import Work
from domain.progress.activity import StudyDay
from domain.progress.badges import Badge
from domain.progress.students import StudentProgress


class ActivityWork(Work, Protocol):
    """A student's row is held first by whatever credits something, so that none waits in a circle."""

    @abstractmethod
    async def hold_progress(self, user_id: str) -> StudentProgress:
        """The student's row, made if there was none, and held until the end."""

    @abstractmethod
    async def save_progress(self, progress: StudentProgress) -> None: ...

    @abstractmethod
    async def add_study_day(self, day: StudyDay) -> bool:
        """Whether the day is new."""

    @abstractmethod
    async def study_days(self, user_id: str) -> tuple[date, ...]:
        """Every credited day, in order."""

    @abstractmethod
    async def badges(self, user_id: str) -> tuple[Badge, ...]:
        """Every badge the student was ever awarded, revoked ones too, by code."""

    @abstractmethod
    async def save_badge(self, badge: Badge) -> None:
        """Writes the student's row of that code."""

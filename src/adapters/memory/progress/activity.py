"""Study days, counters and badges in memory."""

from __future__ import annotations

from datetime import date

from adapters.memory.store import MemoryWork
from application.progress.ports.activity import ActivityWork
from domain.progress.activity import StudyDay
from domain.progress.badges import Badge
from domain.progress.students import StudentProgress


class MemoryActivityWork(MemoryWork, ActivityWork):
    """Units of work take turns, so a student is always held."""

    async def hold_progress(self, user_id: str) -> StudentProgress:
        held: StudentProgress = self._tables["student_progress"].setdefault(user_id, StudentProgress(user_id=user_id))
        return held

    async def save_progress(self, progress: StudentProgress) -> None:
        self._tables["student_progress"][progress.user_id] = progress

    async def add_study_day(self, day: StudyDay) -> bool:
        key = day.user_id, day.day
        if key in self._tables["study_days"]:
            return False
        self._tables["study_days"][key] = day
        return True

    async def study_days(self, user_id: str) -> tuple[date, ...]:
        return tuple(sorted(day for owner, day in self._tables["study_days"] if owner == user_id))

    async def badges(self, user_id: str) -> tuple[Badge, ...]:
        rows = self._tables["student_badges"]
        return tuple(rows[key] for key in sorted(rows) if key[0] == user_id)

    async def save_badge(self, badge: Badge) -> None:
        self._tables["student_badges"][badge.user_id, badge.code] = badge

"""Study days, counters and badges on PostgreSQL."""

from __future__ import annotations

from datetime import date

from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.progress.ports.activity import ActivityWork
from domain.progress.activity import StudyDay
from domain.progress.badges import Badge
from domain.progress.students import StudentProgress

SQL = load("progress/activity")


class PostgresActivityWork(PostgresWork, ActivityWork):
    """The student's row is what crediting takes turns at."""

    async def hold_progress(self, user_id: str) -> StudentProgress:
        row = await self._one(SQL["hold_progress"], {"user_id": user_id})
        if row is None:
            await self._run(SQL["make_progress"], {"user_id": user_id})
            row = await self._one(SQL["hold_progress"], {"user_id": user_id})
            assert row is not None
        return entity(row, StudentProgress)

    async def save_progress(self, progress: StudentProgress) -> None:
        await self._run(SQL["save_progress"], record(progress))

    async def add_study_day(self, day: StudyDay) -> bool:
        return await self._run(SQL["add_study_day"], record(day)) == 1

    async def study_days(self, user_id: str) -> tuple[date, ...]:
        row = await self._one(SQL["study_days"], {"user_id": user_id})
        return () if row is None else tuple(row["days"])

    async def badges(self, user_id: str) -> tuple[Badge, ...]:
        return entities(await self._all(SQL["badges"], {"user_id": user_id}), Badge)

    async def save_badge(self, badge: Badge) -> None:
        await self._run(SQL["save_badge"], record(badge))

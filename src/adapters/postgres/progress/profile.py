"""A student's profile on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.postgres.auth.people import PostgresPeopleWork
from adapters.postgres.database import Database
from adapters.postgres.progress.activity import PostgresActivityWork
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.ports import Clock
from application.progress.ports.profile import ProfileReader, ProfileWork, StudentDays
from application.progress.profile_views import BadgesView, ProfileOwner, ProfileView
from domain.progress.badges import Badge, metrics_of
from domain.progress.students import StudentProgress

SQL = load("progress/profile")


class PostgresProfileWork(PostgresActivityWork, PostgresPeopleWork, ProfileWork):
    """One transaction about one student."""


class PostgresProfileReader(ProfileReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def profile(self, user_id: str) -> ProfileView | None:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["read_profile"], {"user_id": user_id, "now": now})
        if row is None:
            return None
        owner = entity(row, ProfileOwner)
        return ProfileView.of(_student(user_id, row), owner, days=tuple(row["days"]), now=row["now"])

    async def study_days(self, user_id: str) -> StudentDays:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["read_study_days"], {"user_id": user_id, "now": now})
        assert row is not None
        return entity(row, StudentDays)

    async def badges(self, user_id: str) -> BadgesView:
        row = await self._database.fetch_one(SQL["read_badges"], {"user_id": user_id})
        assert row is not None
        return BadgesView.of(entities(row["badges"], Badge), metrics_of(_student(user_id, row), row["days"]))


def _student(user_id: str, row: Mapping[str, Any]) -> StudentProgress:
    """As one is who has not done anything yet, where there is no row."""
    return StudentProgress(user_id=user_id) if row["student"] is None else entity(row["student"], StudentProgress)

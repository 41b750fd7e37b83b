"""The dashboard on PostgreSQL."""

from __future__ import annotations

from adapters.postgres.database import Database
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.admin.dashboard import Dashboard, DashboardReader
from application.ports import Clock
from domain.exam.connection import UNSTABLE_FOR

SQL = load("admin")


class PostgresDashboardReader(DashboardReader):
    """One statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def dashboard(self) -> Dashboard:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["dashboard"], {"now": now, "unstable_for": UNSTABLE_FOR})
        assert row is not None
        return entity(row, Dashboard)

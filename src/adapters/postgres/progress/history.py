"""A student's history on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.ports import Clock
from application.progress.ports.history import LATEST_SESSIONS, HistoryReader, HistoryRecords, StudentClock

SQL = load("progress/history")
_NOTHING: Final[Mapping[str, object]] = {"cells": (), "topic_names": {}, "sessions": (), "exams": ()}


class PostgresHistoryReader(HistoryReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def clock_of(self, user_id: str) -> StudentClock:
        now = None if self._clock is None else self._clock.now()
        row = await self._database.fetch_one(SQL["student_clock"], {"user_id": user_id, "now": now})
        assert row is not None
        return entity(row, StudentClock)

    async def records(
        self, user_id: str, exam_package_id: str | None, *, now: datetime, weeks: Sequence[datetime]
    ) -> HistoryRecords:
        params = {
            "user_id": user_id,
            "exam_package_id": exam_package_id,
            "now": now,
            "weeks": list(weeks),
            "latest": LATEST_SESSIONS,
        }
        row = await self._database.fetch_one(SQL["read_history"], params)
        assert row is not None
        return entity(row | {name: row[name] or nothing for name, nothing in _NOTHING.items()}, HistoryRecords)

"""Watching over live exams on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from application.exam.ports.monitoring import EndedExam, ExamFigures, ExamKey, LiveExam, LiveExams, MonitorReader
from application.ports import Clock
from domain.exam.sessions import ExamStatus

SQL = load("exam/monitoring")


class PostgresMonitorReader(MonitorReader):
    """Each look is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def live(self) -> LiveExams:
        rows = await self._database.fetch_all(SQL["live_exams"], self._now())
        # Where no session is live there is one row, with nothing but the time.
        exams = entities((row for row in rows if row["session_id"] is not None), LiveExam)
        return LiveExams(at=rows[0]["at"], exams=exams)

    async def answered(self, exams: Collection[ExamKey]) -> Mapping[ExamKey, int]:
        rows = await self._database.fetch_all(SQL["answered_counts"], _keys(exams))
        return {(row["user_id"], row["session_id"]): row["answered"] for row in rows}

    async def ended(self, exams: Collection[ExamKey]) -> tuple[EndedExam, ...]:
        return entities(await self._database.fetch_all(SQL["ended_exams"], _keys(exams)), EndedExam)

    async def figures(self) -> ExamFigures:
        rows = await self._database.fetch_all(SQL["exam_figures"], self._now())
        live = {ExamStatus(row["status"]): int(row["sessions"]) for row in rows}
        return ExamFigures(live=live, sweep_lag_seconds=max([0.0, *(float(row["lag_seconds"] or 0) for row in rows)]))

    def _now(self) -> dict[str, datetime | None]:
        return {"now": None if self._clock is None else self._clock.now()}


def _keys(exams: Collection[ExamKey]) -> dict[str, Any]:
    return {"user_ids": [user_id for user_id, _ in exams], "session_ids": [session_id for _, session_id in exams]}

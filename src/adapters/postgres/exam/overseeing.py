"""Overseeing exams on PostgreSQL: units of work of administrators."""

from __future__ import annotations

from adapters.postgres.exam.sessions import PostgresExamWork
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.exam.ports.overseeing import OverseeWork
from domain.exam.accommodations import GrantedAccommodation
from domain.exam.flags import Flag
from domain.exam.sessions import ExamSession

SQL = load("exam/overseeing")


class PostgresOverseeWork(PostgresExamWork, OverseeWork):
    """One act of an administrator."""

    async def has_live_session(self, user_id: str, exam_package_id: str) -> bool:
        row = await self._one(SQL["has_live_session"], {"user_id": user_id, "exam_package_id": exam_package_id})
        return row is not None and row["found"] is True

    async def live_sessions_of(self, user_id: str) -> tuple[ExamSession, ...]:
        rows = await self._all(SQL["hold_live_sessions"], {"user_id": user_id})
        for row in rows:
            self._move_on(row["now"])
        return entities(rows, ExamSession)

    async def add_flag(self, flag: Flag) -> None:
        await self._run(SQL["add_flag"], record(flag))

    async def flags(self, user_id: str, session_id: str) -> tuple[Flag, ...]:
        return entities(await self._all(SQL["flags"], {"user_id": user_id, "session_id": session_id}), Flag)

    async def is_student(self, user_id: str) -> bool:
        row = await self._one(SQL["is_student"], {"user_id": user_id})
        return row is not None and row["found"] is True

    async def granted(self, user_id: str) -> GrantedAccommodation | None:
        row = await self._one(SQL["granted"], {"user_id": user_id})
        return None if row is None else entity(row, GrantedAccommodation)

    async def grant(self, granted: GrantedAccommodation) -> None:
        await self._run(SQL["grant"], record(granted))

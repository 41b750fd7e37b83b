"""Verifying exams on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.postgres.connections import Connection
from adapters.postgres.exam.regrading import PostgresRegradeWork
from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction
from application.exam.ports.monitoring import ExamKey
from application.exam.ports.verifying import ChosenExams, VerifyWork
from domain.exam.grading import Grade
from domain.exam.papers import GradedSlot
from domain.exam.record import Entry
from domain.exam.regrading import KeyedContent
from domain.exam.verifying import StoredExam
from domain.exam.voiding import Asked

SQL = load("exam/verifying")


class PostgresVerifyWork(PostgresRegradeWork, VerifyWork):
    """Reads what grading reads, and all the rest."""

    async def package_named(self, name: str) -> str | None:
        row = await self._one(SQL["package_named"], {"name": name})
        return None if row is None else row["id"]

    async def following(self, chosen: ChosenExams, after: ExamKey | None, most: int) -> Sequence[ExamKey]:
        await self._one(SQL["allow_long_look"])
        user_id, session_id = after or ("", "")
        params: dict[str, Any] = {"user_id": user_id, "session_id": session_id, "most": most}
        if chosen.exam_package_id is None:
            rows = await self._all(SQL["following_exams"], params)
        else:
            params |= {"exam_package_id": chosen.exam_package_id}
            rows = await self._all(SQL["following_exams_of_package"], params)
        return [(row["user_id"], row["session_id"]) for row in rows]

    async def stored(self, user_id: str, session_id: str) -> StoredExam | None:
        key = {"user_id": user_id, "session_id": session_id}
        session = await self.find_session(user_id, session_id)
        times = await self._one(SQL["compared_times"], key)
        if session is None or times is None:
            return None
        grades = entities(await self._all(SQL["every_grade"], key), Grade)
        slots = await self.graded_slots(session)
        return StoredExam(
            session=session,
            slots=slots,
            grades=grades,
            voids=await self.voids(session.exam_package_id) if grades else (),
            contents=await self._other_contents(slots, grades),
            deadline=times["deadline"],
            due_at=times["due_at"],
        )

    async def entries_after(self, user_id: str, session_id: str, position: int, most: int) -> Sequence[Entry]:
        params = {"user_id": user_id, "session_id": session_id, "position": position, "most": most}
        return entities(await self._all(SQL["entries_after"], params), Entry)

    async def _other_contents(self, slots: Sequence[GradedSlot], grades: Sequence[Grade]) -> dict[Asked, KeyedContent]:
        questions = {each.slot.slot: each.slot.question_id for each in slots}
        marked = [mark for grade in grades for mark in grade.marks if mark.slot in questions]
        others = {(questions[mark.slot], mark.key_version) for mark in marked if mark.key_version is not None}
        return (
            dict(await self.contents([(question, version) for question, version in others if version]))
            if others
            else {}
        )


class PostgresVerifyTransaction(PostgresTransaction[PostgresVerifyWork]):
    """Repeatable read: all statements of a unit see the store as it was when the first one ran."""

    async def _begin(self, connection: Connection) -> datetime:
        cursor = await connection.execute(
            "begin isolation level repeatable read read only; select clock_timestamp() as now", prepare=False
        )
        cursor.nextset()
        row = await cursor.fetchone()
        assert row is not None
        now: datetime = row["now"]
        return now

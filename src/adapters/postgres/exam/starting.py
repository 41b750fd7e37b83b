"""Beginning exams on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from adapters.postgres.exam.columns import session_record
from adapters.postgres.exam.sessions import PostgresExamWork
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.exam.ports.sessions import Entitlement, StartWork
from domain.exam.sessions import NO_ACCOMMODATION, Accommodation, ExamSession, ExamSlot
from domain.question_bank.questions import PublicQuestion

SQL = load("exam/starting")


class PostgresStartWork(PostgresExamWork, StartWork):
    """Starts of a student take turns at the student's own row; an index makes sure of one live session."""

    async def live_session(self, user_id: str, exam_package_id: str) -> ExamSession | None:
        row = await self._one(SQL["live_session"], {"user_id": user_id, "exam_package_id": exam_package_id})
        assert row is not None
        self._move_on(row["now"])
        return None if row["id"] is None else entity(row, ExamSession)

    async def hold_entitlement(self, user_id: str, exam_package_id: str) -> Entitlement | None:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "now": self.now}
        # Whoever changes the tier ends a row and adds another: having waited for the end, one has to look again.
        row = await self._one(SQL["hold_entitlement"], params) or await self._one(SQL["hold_entitlement"], params)
        return None if row is None else entity(row, Entitlement)

    async def enrolled_packages(self, user_id: str) -> tuple[str, ...]:
        rows = await self._all(SQL["enrolled_packages"], {"user_id": user_id, "now": self.now})
        return tuple(row["exam_package_id"] for row in rows)

    async def attempts(self, user_id: str, exam_package_id: str) -> tuple[ExamSession, ...]:
        params = {"user_id": user_id, "exam_package_id": exam_package_id}
        return entities(await self._all(SQL["attempts"], params), ExamSession)

    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "nth": nth}
        row = await self._one(SQL["nth_latest_start"], params)
        return None if row is None else row["started_at"]

    async def accommodation_of(self, user_id: str) -> Accommodation:
        row = await self._one(SQL["accommodation_of"], {"user_id": user_id})
        return NO_ACCOMMODATION if row is None else entity(row, Accommodation)

    async def questions(self, session: ExamSession) -> tuple[PublicQuestion, ...]:
        params = {"user_id": session.user_id, "session_id": session.id}
        return entities(await self._all(SQL["questions"], params), PublicQuestion)

    async def add_session(self, session: ExamSession, slots: Sequence[ExamSlot]) -> None:
        frozen = [
            {
                "slot": slot.slot,
                "section": slot.section,
                "question_id": slot.question_id,
                "version": slot.version,
                "topic_id": slot.topic_id,
                "choice_order": slot.choice_order,
                "max_mark": slot.max_mark,
            }
            for slot in slots
        ]
        await self._run(SQL["add_session"], session_record(session) | {"slots": Jsonb(frozen)})

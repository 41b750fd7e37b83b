"""Students' reads of their own exams on PostgreSQL, and the search for exams that are due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.exam.ports.reading import DueExam, DueExams, ExamReader, WantedExams
from application.exam.views import PaperView, SessionView, SlotView
from application.ports import Clock
from domain.exam.sessions import ExamSession, ExamSlot
from domain.question_bank.questions import PublicQuestion

SQL = load("exam/reading")
_BEFORE_ALL: Final = DueExam(due_at=datetime(1, 1, 2, tzinfo=UTC), user_id="", id="")


class PostgresExamReader(ExamReader, DueExams):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def session(self, user_id: str, session_id: str) -> SessionView | None:
        row = await self._database.fetch_one(SQL["read_exam"], self._of(user_id, session_id))
        return None if row is None else _view(row)

    async def sessions(
        self, user_id: str, wanted: WantedExams, before: tuple[datetime, str] | None, limit: int
    ) -> tuple[SessionView, ...]:
        before_at, before_id = before or (None, None)
        place = {"user_id": user_id, "before_at": before_at, "before_id": before_id, "limit": limit, "now": self._now()}
        rows = await self._database.fetch_all(SQL["list_exams"], record(wanted) | place)
        return tuple(_view(row) for row in rows)

    async def paper(self, user_id: str, session_id: str) -> PaperView | None:
        row = await self._database.fetch_one(SQL["read_paper"], self._of(user_id, session_id))
        if row is None:
            return None
        slots = [SlotView.of(entity(slot, ExamSlot), entity(slot, PublicQuestion)) for slot in row["slots"] or ()]
        return PaperView.of(entity(row, ExamSession), slots, row["now"])

    async def due(self, after: DueExam | None, limit: int) -> tuple[DueExam, ...]:
        params = record(after or _BEFORE_ALL) | {"limit": limit, "now": self._now()}
        return entities(await self._database.fetch_all(SQL["due_exams"], params), DueExam)

    async def due_of(self, user_id: str) -> tuple[DueExam, ...]:
        params = {"user_id": user_id, "now": self._now()}
        return entities(await self._database.fetch_all(SQL["due_exams_of"], params), DueExam)

    def _of(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {"user_id": user_id, "session_id": session_id, "now": self._now()}

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


def _view(row: Mapping[str, Any]) -> SessionView:
    snapshot: str | None = row.get("snapshot")
    return SessionView.of(entity(row, ExamSession), row["now"], None if snapshot is None else snapshot.encode())

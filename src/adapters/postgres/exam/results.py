"""Results of exams on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.exam.ports.results import PackageHistory, ResultReader, ResultRecord, ReviewedQuestion
from application.ports import Clock
from domain.enrollment.settings import PackageSettings
from domain.exam.grading import Grade, SlotGrade
from domain.exam.results import TopicSlot
from domain.exam.sessions import ExamSession, ExamSlot
from domain.question_bank.questions import AnswerKey, PublicQuestion

SQL = load("exam/results")


class PostgresResultReader(ResultReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def result(self, user_id: str, session_id: str) -> ResultRecord | None:
        row = await self._database.fetch_one(SQL["result"], self._of(user_id, session_id))
        return None if row is None else _record(row)

    async def review(self, user_id: str, session_id: str) -> Sequence[ReviewedQuestion]:
        rows = await self._database.fetch_all(SQL["review"], self._of(user_id, session_id))
        return tuple(
            ReviewedQuestion(
                slot=entity(row, ExamSlot),
                question=entity(row, PublicQuestion),
                key=entity(row["answer_key"], AnswerKey),
            )
            for row in rows
        )

    async def history(
        self, user_id: str, exam_package_id: str | None, *, after: str | None, limit: int
    ) -> tuple[PackageHistory, ...]:
        wanted = {"user_id": user_id, "exam_package_id": exam_package_id, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["history"], wanted), PackageHistory)

    def _of(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {"user_id": user_id, "session_id": session_id, "now": self._now()}

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


def _record(row: Mapping[str, Any]) -> ResultRecord:
    graded = None if row["grade"] is None else entity(row["grade"], Grade)
    marks: Mapping[int, SlotGrade] = {} if graded is None else {each.slot: each for each in graded.marks}
    slots = tuple(
        TopicSlot(topic_id=each["topic_id"], name=each["name"], grade=marks[each["slot"]])
        for each in row["topics"] or ()
        if each["slot"] in marks
    )
    return ResultRecord(
        now=row["now"],
        session=entity(row, ExamSession),
        settings=entity(row["settings"], PackageSettings),
        is_sat=row["is_sat"],
        attempts=entities(row["attempts"], ExamSession),
        grade=graded,
        slots=slots,
    )

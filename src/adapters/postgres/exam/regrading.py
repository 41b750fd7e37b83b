"""Grading exams again on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from adapters.postgres.database import Database
from adapters.postgres.exam.columns import keyed_contents, pairs_of
from adapters.postgres.exam.sessions import PostgresExamWork
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.exam.ports.regrading import AffectedReader, GradedSession, QuestionUse, RegradeWork, SessionKey
from domain.errors import DomainError
from domain.exam.grading import Grade
from domain.exam.papers import GradedSlot
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession, ExamSlot
from domain.exam.voiding import Asked, Void
from domain.question_bank.lifecycle_refusals import QuestionNotFound

SQL = load("exam/regrading")


class PostgresRegradeWork(PostgresExamWork, RegradeWork):
    """As every unit on exam sessions, with the keys of other versions; a version that is gone cannot be void."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {"exam_voids_question_id_version_fkey": QuestionNotFound}

    async def published_versions(self, question_ids: Sequence[str]) -> Mapping[str, int]:
        rows = await self._all(SQL["published_versions"], {"question_ids": list(question_ids)})
        return {row["id"]: row["published_version"] for row in rows}

    async def hold_package(self, exam_package_id: str) -> bool:
        return await self._one(SQL["hold_package"], {"exam_package_id": exam_package_id}) is not None

    async def add_void(self, void: Void) -> None:
        await self._run(SQL["add_void"], record(void))


class PostgresAffectedReader(AffectedReader):
    """Each read is one statement, `graded` one more for the keys of the question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def use(self, exam_package_id: str, question_id: str) -> QuestionUse | None:
        params = {"exam_package_id": exam_package_id, "question_id": question_id}
        row = await self._database.fetch_one(SQL["use"], params)
        return None if row is None else entity(row, QuestionUse)

    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        return keyed_contents(await self._database.fetch_all(SQL["contents"], pairs_of(asked)))

    async def void(self, void_id: str) -> Void | None:
        row = await self._database.fetch_one(SQL["find_void"], {"id": void_id})
        return None if row is None else entity(row, Void)

    async def voids(
        self, exam_package_id: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Void, ...] | None:
        at, void_id = after or (None, None)
        params = {"exam_package_id": exam_package_id, "after_at": at, "after_id": void_id, "limit": limit}
        rows = await self._database.fetch_all(SQL["list_voids"], params)
        return entities([row for row in rows if row["id"] is not None], Void) if rows else None

    async def outdated(self, void: Void) -> int:
        row = await self._database.fetch_one(SQL["count_without_void"], _regarding(void))
        assert row is not None
        count: int = row["outdated"]
        return count

    async def count(self, exam_package_id: str, question_id: str, versions: Sequence[int]) -> tuple[int, int]:
        params = {"exam_package_id": exam_package_id, "question_id": question_id, "versions": list(versions)}
        row = await self._database.fetch_one(SQL["count_affected"], params)
        assert row is not None
        return row["graded"], row["live"]

    async def graded(
        self, exam_package_id: str, question_id: str, versions: Sequence[int], *, after: SessionKey | None, limit: int
    ) -> tuple[GradedSession, ...]:
        params = {"exam_package_id": exam_package_id, "question_id": question_id, "versions": list(versions)}
        rows = await self._database.fetch_all(SQL["graded"], params | _place(after, limit))
        if not rows:
            return ()
        contents = keyed_contents(await self._database.fetch_all(SQL["versions_of"], {"question_id": question_id}))
        return tuple(_graded(row, contents) for row in rows)

    async def without(self, void: Void, *, after: SessionKey | None, limit: int) -> tuple[SessionKey, ...]:
        rows = await self._database.fetch_all(SQL["without_void"], _regarding(void) | _place(after, limit))
        return tuple((row["user_id"], row["session_id"]) for row in rows)


def _regarding(void: Void) -> dict[str, Any]:
    return {
        "exam_package_id": void.exam_package_id,
        "question_id": void.question_id,
        "version": void.version,
        "void_id": void.id,
    }


def _place(after: SessionKey | None, limit: int) -> dict[str, Any]:
    user_id, session_id = after or (None, None)
    return {"after_user_id": user_id, "after_id": session_id, "limit": limit}


def _graded(row: Mapping[str, Any], contents: Mapping[Asked, KeyedContent]) -> GradedSession:
    """The slot with the key that its latest grade was made by."""
    slot, grade = entity(row["slot"], ExamSlot), entity(row["grade"], Grade)
    version = next((each.key_version for each in grade.marks if each.slot == slot.slot), None)
    question = contents[slot.question_id, version or slot.version].question
    return GradedSession(
        session=entity(row, ExamSession),
        grade=grade,
        slot=GradedSlot(slot=slot, question=question, key_version=version),
    )

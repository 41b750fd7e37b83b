"""Grading exams again, in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.memory.exam.sessions import MemoryExamWork, keyed_content, keyed_contents
from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.store import MemoryStore, Tables
from application.exam.ports.regrading import AffectedReader, GradedSession, QuestionUse, RegradeWork, SessionKey
from domain.exam.grading import Grade
from domain.exam.papers import GradedSlot
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus
from domain.exam.voiding import Asked, Void

_GRADED = (ExamStatus.FINISHED, ExamStatus.INVALIDATED)


class MemoryRegradeWork(MemoryExamWork, RegradeWork):
    """What was ever published stands in `asked_versions`, what is published in `published_questions`."""

    async def published_versions(self, question_ids: Sequence[str]) -> Mapping[str, int]:
        rows: Mapping[Any, PublishedQuestion] = self._tables["published_questions"]
        return {key[1]: row.question.version for key, row in rows.items() if key[1] in question_ids}

    async def hold_package(self, exam_package_id: str) -> bool:
        return (exam_package_id,) in self._tables["exam_packages"]

    async def add_void(self, void: Void) -> None:
        self._tables["exam_voids"][void.id] = void


class MemoryAffectedReader(AffectedReader):
    """Reads what was committed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def use(self, exam_package_id: str, question_id: str) -> QuestionUse | None:
        if (exam_package_id,) not in self._store.tables["exam_packages"]:
            return None
        published: PublishedQuestion | None = self._store.tables["published_questions"].get(
            (exam_package_id, question_id)
        )
        asked = {slot.version for _, slot in self._asked(exam_package_id, question_id)}
        return QuestionUse(
            asked=tuple(sorted(asked)),
            published=None if published is None else published.question.version,
            belongs=published is not None,
        )

    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        return keyed_contents(self._store.tables, asked)

    async def void(self, void_id: str) -> Void | None:
        found: Void | None = self._store.tables["exam_voids"].get(void_id)
        return found

    async def voids(
        self, exam_package_id: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Void, ...] | None:
        if (exam_package_id,) not in self._store.tables["exam_packages"]:
            return None
        every: Sequence[Void] = list(self._store.tables["exam_voids"].values())
        own = [void for void in every if void.exam_package_id == exam_package_id]
        own.sort(key=lambda void: (void.created_at, void.id), reverse=True)
        return tuple([void for void in own if after is None or (void.created_at, void.id) < after][:limit])

    async def outdated(self, void: Void) -> int:
        return len(await self.without(void, after=None, limit=sys.maxsize))

    async def count(self, exam_package_id: str, question_id: str, versions: Sequence[int]) -> tuple[int, int]:
        asked = [session for session, slot in self._asked(exam_package_id, question_id) if slot.version in versions]
        graded = sum(session.status in _GRADED and session.grade_revision > 0 for session in asked)
        return graded, sum(session.is_live for session in asked)

    async def graded(
        self, exam_package_id: str, question_id: str, versions: Sequence[int], *, after: SessionKey | None, limit: int
    ) -> tuple[GradedSession, ...]:
        every = [
            GradedSession(session=session, grade=grade, slot=_keyed(self._store.tables, slot, grade))
            for session, slot, grade in self._with_grades(exam_package_id, question_id)
            if slot.version in versions and (after is None or (session.user_id, session.id) > after)
        ]
        return tuple(every[:limit])

    async def without(self, void: Void, *, after: SessionKey | None, limit: int) -> tuple[SessionKey, ...]:
        every = [
            (session.user_id, session.id)
            for session, slot, grade in self._with_grades(void.exam_package_id, void.question_id)
            if slot.version == void.version and void.id not in grade.voids
        ]
        return tuple([key for key in every if after is None or key > after][:limit])

    def _with_grades(self, exam_package_id: str, question_id: str) -> Iterator[tuple[ExamSession, ExamSlot, Grade]]:
        grades: Mapping[Any, Grade] = self._store.tables["exam_grades"]
        for session, slot in self._asked(exam_package_id, question_id):
            if session.status in _GRADED and session.grade_revision:
                yield session, slot, grades[session.user_id, session.id, session.grade_revision]

    def _asked(self, exam_package_id: str, question_id: str) -> Iterator[tuple[ExamSession, ExamSlot]]:
        slots: Mapping[Any, ExamSlot] = self._store.tables["exam_slots"]
        for _, slot in sorted(slots.items()):
            session: ExamSession = self._store.tables["exam_sessions"][slot.user_id, slot.session_id]
            if session.exam_package_id == exam_package_id and slot.question_id == question_id:
                yield session, slot


def _keyed(tables: Tables, slot: ExamSlot, grade: Grade) -> GradedSlot:
    """With the key that the grade was made by."""
    version = next((each.key_version for each in grade.marks if each.slot == slot.slot), None)
    content = keyed_content(tables["asked_versions"][slot.question_id, version or slot.version])
    return GradedSlot(slot=slot, question=content.question, key_version=version)

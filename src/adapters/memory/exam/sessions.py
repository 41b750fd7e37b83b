"""Exam sessions in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.practice.drawing import PublishedQuestion
from adapters.memory.progress.activity import MemoryActivityWork
from adapters.memory.store import Tables
from application.exam.ports.sessions import ExamWork
from domain.auth.sessions import Session
from domain.exam.grading import Grade
from domain.exam.papers import AskedQuestion, AskedSlot, GradedSlot
from domain.exam.record import Entry, EntryKind, EntrySource
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus
from domain.exam.voiding import Asked, Void
from domain.progress.readiness import Prediction
from domain.question_bank.questions import KeyedQuestion

_SITTING_AT_MOST = timedelta(days=1)


class MemoryExamWork(MemoryActivityWork, ExamWork):
    """Units of work take turns, so whatever is read is held. What was ever published stays in `asked_versions`."""

    async def find_session(self, user_id: str, session_id: str) -> ExamSession | None:
        found: ExamSession | None = self._tables["exam_sessions"].get((user_id, session_id))
        return found

    async def hold_session(self, user_id: str, session_id: str) -> ExamSession | None:
        return await self.find_session(user_id, session_id)

    async def save_session(self, session: ExamSession) -> None:
        self._tables["exam_sessions"][session.user_id, session.id] = session

    async def save_snapshot(self, session: ExamSession, snapshot: bytes) -> None:
        await self.save_session(session)
        self._tables["exam_snapshots"][session.user_id, session.id] = snapshot

    async def hold_slot(self, session: ExamSession, slot: int) -> AskedSlot | None:
        found: ExamSlot | None = self._tables["exam_slots"].get((session.user_id, session.id, slot))
        return None if found is None else self._asked(found)

    async def hold_slots(self, session: ExamSession) -> tuple[AskedSlot, ...]:
        return tuple(self._asked(slot) for slot in self._slots_of(session))

    async def save_slot(self, slot: ExamSlot) -> None:
        key = slot.user_id, slot.session_id, slot.slot
        kept: ExamSlot = self._tables["exam_slots"][key]
        self._tables["exam_slots"][key] = replace(
            kept,
            response=slot.response,
            revision=slot.revision,
            certainty=slot.certainty,
            answered_at=slot.answered_at,
            flagged=slot.flagged,
        )

    async def save_slots(self, slots: Sequence[ExamSlot]) -> None:
        for slot in slots:
            await self.save_slot(slot)

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._tables["exam_records"][entry.user_id, entry.session_id, entry.position] = entry

    async def find_event(self, user_id: str, session_id: str, client_event_id: str) -> Entry | None:
        events = self._record_of(user_id, session_id)
        return next((entry for entry in events if entry.client_event_id == client_event_id), None)

    async def count_events(self, user_id: str, session_id: str, since: datetime) -> int:
        wanted = EntryKind.EVENT, EntrySource.STUDENT, None
        recent = [entry for entry in self._record_of(user_id, session_id) if entry.at > since]
        return min(60, sum((entry.kind, entry.source, entry.actor_id) == wanted for entry in recent))

    async def graded_slots(self, session: ExamSession) -> tuple[GradedSlot, ...]:
        return tuple(
            GradedSlot(
                slot=slot,
                question=KeyedQuestion(
                    kind=asked.question.kind,
                    choice_ids=slot.choice_order,
                    prompt_ids=tuple(prompt.id for prompt in asked.question.prompts),
                    key=asked.key,
                ),
            )
            for slot in self._slots_of(session)
            for asked in [self._version(slot)]
        )

    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        return keyed_contents(self._tables, asked)

    async def voids(self, exam_package_id: str) -> tuple[Void, ...]:
        rows: list[Void] = list(self._tables["exam_voids"].values())
        mine = (void for void in rows if void.exam_package_id == exam_package_id)
        return tuple(sorted(mine, key=lambda void: (void.created_at, void.id)))

    async def add_grade(self, grade: Grade) -> None:
        self._tables["exam_grades"][grade.user_id, grade.session_id, grade.revision] = grade
        for given in grade.marks:
            key = grade.user_id, grade.session_id, given.slot
            kept: ExamSlot = self._tables["exam_slots"][key]
            self._tables["exam_slots"][key] = replace(
                kept, mark=given.mark, certainty_mark=given.certainty_mark, correct=given.correct
            )

    async def find_grade(self, user_id: str, session_id: str, revision: int) -> Grade | None:
        found: Grade | None = self._tables["exam_grades"].get((user_id, session_id, revision))
        return found

    async def mark_sitting(self, user_id: str, auth_session_id: str, until: datetime | None) -> None:
        sessions: dict[Any, Session] = self._tables["auth_sessions"]
        session = sessions.get((user_id, auth_session_id))
        if session is not None:
            latest = until or self.now + _SITTING_AT_MOST
            sessions[user_id, auth_session_id] = replace(session, sits_exam_until=latest)

    async def move_sitting(self, session: ExamSession, until: datetime, *, everywhere: bool) -> None:
        exams: list[ExamSession] = list(self._tables["exam_sessions"].values())
        others = any(exam.user_id == session.user_id and exam.id != session.id and exam.is_live for exam in exams)
        rows: dict[Any, Session] = self._tables["auth_sessions"]
        for key, row in list(rows.items()):
            if row.user_id != session.user_id or row.revoked_at is not None:
                continue
            if everywhere or row.sits_exam_until is not None:
                latest = max(until, row.sits_exam_until or until) if others else until
                rows[key] = replace(row, sits_exam_until=latest)

    async def unmark_sitting(self, user_id: str) -> None:
        exams: list[ExamSession] = list(self._tables["exam_sessions"].values())
        if any(exam.user_id == user_id and exam.is_live for exam in exams):
            return
        sessions: dict[Any, Session] = self._tables["auth_sessions"]
        for key, session in list(sessions.items()):
            if session.user_id == user_id:
                sessions[key] = replace(session, sits_exam_until=None)

    async def judge_predictions(self, user_id: str, exam_package_id: str, session: ExamSession) -> None:
        """The table `readiness_outcomes` tells who passed, `readiness_judged` by which session."""
        rows: dict[tuple[str, str], Prediction] = self._tables["readiness_predictions"]
        outcomes, judged = self._tables["readiness_outcomes"], self._tables["readiness_judged"]
        began = session.started_at or session.created_at
        for key, row in rows.items():
            if (row.user_id, row.exam_package_id) != (user_id, exam_package_id) or row.shown_at >= began:
                continue
            if judged.get(key, session.id) != session.id:
                continue
            if session.status is ExamStatus.FINISHED:
                outcomes[key], judged[key] = session.passed, session.id
            else:
                outcomes.pop(key, None)
                judged.pop(key, None)

    def _slots_of(self, session: ExamSession) -> list[ExamSlot]:
        rows: list[ExamSlot] = list(self._tables["exam_slots"].values())
        mine = [row for row in rows if (row.user_id, row.session_id) == (session.user_id, session.id)]
        return sorted(mine, key=lambda slot: slot.slot)

    def _record_of(self, user_id: str, session_id: str) -> list[Entry]:
        rows: list[Entry] = list(self._tables["exam_records"].values())
        return [row for row in rows if (row.user_id, row.session_id) == (user_id, session_id)]

    def _version(self, slot: ExamSlot) -> PublishedQuestion:
        found: PublishedQuestion = self._tables["asked_versions"][slot.question_id, slot.version]
        return found

    def _asked(self, slot: ExamSlot) -> AskedSlot:
        question = self._version(slot).question
        prompts = tuple(prompt.id for prompt in question.prompts)
        return AskedSlot(
            slot=slot,
            question=AskedQuestion(kind=question.kind, choice_ids=slot.choice_order, prompt_ids=prompts),
        )


def keyed_contents(tables: Tables, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
    """Of every version that was ever published."""
    rows: Mapping[Any, PublishedQuestion] = tables["asked_versions"]
    return {key: keyed_content(rows[key]) for key in asked if key in rows}


def keyed_content(row: PublishedQuestion) -> KeyedContent:
    question = row.question
    keyed = KeyedQuestion(
        kind=question.kind,
        choice_ids=tuple(choice.id for choice in question.choices),
        prompt_ids=tuple(prompt.id for prompt in question.prompts),
        key=row.key,
    )
    return KeyedContent(question=keyed, choices=question.choices, prompts=question.prompts)

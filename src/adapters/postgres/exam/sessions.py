"""Moving exam sessions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Raw
from psycopg.types.json import Jsonb

from adapters.postgres.exam.columns import asked_slot, graded_slot, keyed_contents, pairs_of, session_record
from adapters.postgres.progress.activity import PostgresActivityWork
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.exam.ports.sessions import ExamWork
from domain.exam.grading import Grade
from domain.exam.papers import AskedSlot, GradedSlot
from domain.exam.record import Entry
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus
from domain.exam.voiding import Asked, Void

SQL = load("exam/sessions")
REGRADING = load("exam/regrading")
_SITTING_AT_MOST = timedelta(days=1)


class PostgresExamWork(PostgresActivityWork, ExamWork):
    """The student's row, then the session's, then its slots: in this order everybody takes hold of them."""

    async def find_session(self, user_id: str, session_id: str) -> ExamSession | None:
        row = await self._one(SQL["find_session"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, ExamSession)

    async def hold_session(self, user_id: str, session_id: str) -> ExamSession | None:
        row = await self._one(SQL["hold_session"], {"user_id": user_id, "session_id": session_id})
        if row is None:
            return None
        self._move_on(row["now"])
        return entity(row, ExamSession)

    async def save_session(self, session: ExamSession) -> None:
        await self._run(SQL["save_session"], session_record(session) | {"snapshot": None})

    async def save_snapshot(self, session: ExamSession, snapshot: bytes) -> None:
        await self._run(SQL["save_session"], session_record(session) | {"snapshot": Raw(snapshot)})

    async def hold_slot(self, session: ExamSession, slot: int) -> AskedSlot | None:
        params = {"user_id": session.user_id, "session_id": session.id, "slot": slot}
        row = await self._one(SQL["hold_slots"], params)
        return None if row is None else asked_slot(row)

    async def hold_slots(self, session: ExamSession) -> tuple[AskedSlot, ...]:
        params = {"user_id": session.user_id, "session_id": session.id, "slot": None}
        return tuple(asked_slot(row) for row in await self._all(SQL["hold_slots"], params))

    async def save_slot(self, slot: ExamSlot) -> None:
        await self.save_slots([slot])

    async def save_slots(self, slots: Sequence[ExamSlot]) -> None:
        if not slots:
            return
        answered = [
            {
                "slot": slot.slot,
                "response": slot.response,
                "revision": slot.revision,
                "certainty": slot.certainty,
                "answered_at": slot.answered_at,
                "flagged": slot.flagged,
            }
            for slot in slots
        ]
        params = {"user_id": slots[0].user_id, "session_id": slots[0].session_id, "slots": Jsonb(answered)}
        await self._run(SQL["save_slots"], params)

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        rows = [record(entry) for entry in entries]
        await self._run(SQL["add_entries"], {name: [row[name] for row in rows] for name in rows[0]})

    async def find_event(self, user_id: str, session_id: str, client_event_id: str) -> Entry | None:
        params = {"user_id": user_id, "session_id": session_id, "client_event_id": client_event_id}
        row = await self._one(SQL["find_event"], params)
        return None if row is None else entity(row, Entry)

    async def count_events(self, user_id: str, session_id: str, since: datetime) -> int:
        params = {"user_id": user_id, "session_id": session_id, "since": since}
        row = await self._one(SQL["count_events"], params)
        assert row is not None
        return int(row["count"])

    async def graded_slots(self, session: ExamSession) -> tuple[GradedSlot, ...]:
        params = {"user_id": session.user_id, "session_id": session.id}
        return tuple(graded_slot(row) for row in await self._all(SQL["graded_slots"], params))

    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        return keyed_contents(await self._all(REGRADING["contents"], pairs_of(asked)))

    async def voids(self, exam_package_id: str) -> tuple[Void, ...]:
        return entities(await self._all(SQL["voids"], {"exam_package_id": exam_package_id}), Void)

    async def add_grade(self, grade: Grade) -> None:
        await self._run(SQL["add_grade"], record(grade))

    async def find_grade(self, user_id: str, session_id: str, revision: int) -> Grade | None:
        params = {"user_id": user_id, "session_id": session_id, "revision": revision}
        row = await self._one(SQL["find_grade"], params)
        return None if row is None else entity(row, Grade)

    async def mark_sitting(self, user_id: str, auth_session_id: str, until: datetime | None) -> None:
        latest = until or self.now + _SITTING_AT_MOST
        params = {"user_id": user_id, "auth_session_id": auth_session_id, "until": latest}
        await self._run(SQL["mark_sitting"], params)

    async def move_sitting(self, session: ExamSession, until: datetime, *, everywhere: bool) -> None:
        params = {"user_id": session.user_id, "session_id": session.id, "until": until, "everywhere": everywhere}
        await self._run(SQL["move_sitting"], params)

    async def unmark_sitting(self, user_id: str) -> None:
        await self._run(SQL["unmark_sitting"], {"user_id": user_id})

    async def judge_predictions(self, user_id: str, exam_package_id: str, session: ExamSession) -> None:
        params = {
            "user_id": user_id,
            "exam_package_id": exam_package_id,
            "session_id": session.id,
            "began_at": session.started_at or session.created_at,
            "passed": session.passed if session.status is ExamStatus.FINISHED else None,
        }
        await self._run(SQL["judge_predictions"], params)

"""Moving practice sessions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from psycopg.types.json import Jsonb

from adapters.postgres.practice.drawing import PostgresDrawing
from adapters.postgres.practice.templates import PostgresTemplateSource
from adapters.postgres.progress.activity import PostgresActivityWork
from adapters.postgres.progress.evidence import PostgresEvidenceWork
from adapters.postgres.progress.repetition import PostgresRepetitionWork
from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from domain.errors import DomainError
from domain.practice.admission import Admission
from domain.practice.plans import PracticePlan
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.practice.templates import TemplateNotFound
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion

SQL = load("practice/sessions")


class PostgresPracticeWork(
    PostgresDrawing,
    PostgresTemplateSource,
    PostgresActivityWork,
    PostgresEvidenceWork,
    PostgresRepetitionWork,
    PracticeWork,
):
    """The session's row decides whose turn it is."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "practice_sessions_template_id_template_version_fkey": TemplateNotFound
    }

    async def hold_admission(self, user_id: str, exam_package_id: str) -> Admission | None:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "now": self.now}
        # Whoever changes the tier ends a row and adds another: having waited for the end, one has to look again.
        row = await self._one(SQL["hold_admission"], params) or await self._one(SQL["hold_admission"], params)
        return None if row is None else entity(row, Admission)

    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "now": self.now}
        row = await self._one(SQL["holds_enrollment"], params)
        return row is not None and row["held"] is True

    async def is_under_exam(self, user_id: str, session_id: str) -> bool:
        params = {"user_id": user_id, "session_id": session_id, "now": self.now}
        row = await self._one(SQL["is_under_exam"], params)
        return row is not None and row["under_exam"] is True

    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        params = {"user_id": user_id, "exam_package_id": exam_package_id, "nth": nth}
        row = await self._one(SQL["nth_latest_start"], params)
        return None if row is None else row["started_at"]

    async def find_untouched(self, user_id: str, plan: PracticePlan) -> str | None:
        if plan.time_limit_seconds is not None or plan.template is not None:
            return None
        params = record(plan) | {"user_id": user_id, "filter": Jsonb(plan.filter)}
        row = await self._one(SQL["find_untouched"], params)
        return None if row is None else row["id"]

    async def find_round(self, user_id: str, plan: PracticePlan) -> str | None:
        row = await self._one(SQL["find_round"], record(plan) | {"user_id": user_id, "now": self.now})
        return None if row is None else row["id"]

    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None:
        frozen = [
            {
                "slot": slot.slot,
                "question_id": slot.question_id,
                "version": slot.version,
                "topic_id": slot.topic_id,
                "choice_order": slot.choice_order,
                "max_mark": slot.max_mark,
            }
            for slot in slots
        ]
        await self._run(SQL["add_session"], record(session) | {"slots": Jsonb(frozen)})

    async def find_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        row = await self._one(SQL["find_session"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, PracticeSession)

    async def hold_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        row = await self._one(SQL["hold_session"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, PracticeSession)

    async def hold_slot(self, user_id: str, session_id: str, target: SlotTarget) -> HeldSlot | None:
        params = {"user_id": user_id, "session_id": session_id, "now": self.now} | record(target)
        row = await self._one(SQL["hold_slot"], params)
        if row is None:
            return None
        answer = {"session_id": row["id"], "feedback": row["revelation"], "certainty": row["said_certainty"]}
        slot = entity(row | answer, PracticeSlot)
        question = KeyedQuestion(
            kind=QuestionKind(row["kind"]),
            choice_ids=slot.choice_order,
            prompt_ids=tuple(row["prompt_ids"]),
            key=entity(row["answer_key"], AnswerKey),
        )
        return HeldSlot(
            session=entity(row, PracticeSession), slot=slot, question=question, enrolled=row["enrolled"] is True
        )

    async def save_session(self, session: PracticeSession) -> None:
        await self._run(SQL["save_session"], record(session))

    async def save_answer(self, session: PracticeSession, slot: PracticeSlot) -> None:
        """Of what both have by the same name, it is the slot's that is kept."""
        await self._run(SQL["save_answer"], record(session) | record(slot))

"""Practice in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.memory.store import MemoryWork
from application.practice.ports import HeldSlot, PracticeWork, SlotTarget
from domain.enrollment import Enrollment
from domain.practice.plans import PracticePlan
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.question_bank.questions import AnswerKey, KeyedQuestion, PublicQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedQuestion:
    """A published version as a package offers it; the table `published_questions` is keyed by package and question."""

    question: PublicQuestion
    key: AnswerKey
    topic_id: str | None = None
    difficulty_id: str | None = None

    def matches(self, plan: PracticePlan) -> bool:
        return (not plan.topic_ids or self.topic_id in plan.topic_ids) and (
            not plan.difficulty_ids or self.difficulty_id in plan.difficulty_ids
        )


class MemoryPracticeWork(MemoryWork, PracticeWork):
    """Units of work take turns, so whatever is read is held."""

    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        rows: list[Enrollment] = list(self._tables["enrollments"].values())
        return any(
            row.user_id == user_id and row.exam_package_id == exam_package_id and row.ended_at is None for row in rows
        )

    async def draw_questions(self, plan: PracticePlan, session_id: str) -> tuple[PublicQuestion, ...]:
        offered: list[PublishedQuestion] = [
            row
            for (package_id, _), row in self._tables["published_questions"].items()
            if package_id == plan.exam_package_id
        ]
        matching = [row.question for row in offered if row.matches(plan)]
        matching.sort(key=lambda question: hashlib.sha256((session_id + question.question_id).encode()).digest())
        return tuple(matching[: plan.count])

    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None:
        await self.save_session(session)
        for slot in slots:
            self._tables["practice_slots"][slot.user_id, slot.session_id, slot.slot] = slot

    async def hold_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        session: PracticeSession | None = self._tables["practice_sessions"].get((user_id, session_id))
        return session

    async def hold_slot(self, user_id: str, session_id: str, target: SlotTarget) -> HeldSlot | None:
        session = await self.hold_session(user_id, session_id)
        slot = self._slot(user_id, session_id, target)
        if session is None or slot is None:
            return None
        row: PublishedQuestion = self._tables["published_questions"][session.exam_package_id, slot.question_id]
        question = KeyedQuestion(
            kind=row.question.kind,
            choice_ids=slot.choice_order,
            prompt_ids=tuple(prompt.id for prompt in row.question.prompts),
            key=row.key,
        )
        enrolled = await self.holds_enrollment(user_id, session.exam_package_id)
        return HeldSlot(session=session, slot=slot, question=question, enrolled=enrolled)

    async def save_session(self, session: PracticeSession) -> None:
        self._tables["practice_sessions"][session.user_id, session.id] = session

    async def save_answer(self, session: PracticeSession, slot: PracticeSlot) -> None:
        await self.save_session(session)
        self._tables["practice_slots"][slot.user_id, slot.session_id, slot.slot] = slot

    def _slot(self, user_id: str, session_id: str, target: SlotTarget) -> PracticeSlot | None:
        rows: list[PracticeSlot] = list(self._tables["practice_slots"].values())
        for row in rows:
            if (row.user_id, row.session_id) == (user_id, session_id) and (
                target.slot in (None, row.slot) and target.question_id in (None, row.question_id)
            ):
                return row
        return None

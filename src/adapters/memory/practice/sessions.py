"""Practice in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from adapters.memory.practice.drawing import MemoryDrawing, PublishedQuestion
from adapters.memory.practice.templates import MemoryTemplateSource
from adapters.memory.progress.activity import MemoryActivityWork
from adapters.memory.progress.evidence import MemoryEvidenceWork
from adapters.memory.progress.repetition import MemoryRepetitionWork
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from domain.enrollment.enrolling import Enrollment
from domain.enrollment.packages import ExamPackage
from domain.practice.admission import Admission
from domain.practice.plans import PracticePlan
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus, lapse
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import KeyedQuestion
from domain.question_bank.scoring import STANDARD


class MemoryPracticeWork(
    MemoryDrawing, MemoryTemplateSource, MemoryActivityWork, MemoryEvidenceWork, MemoryRepetitionWork, PracticeWork
):
    """Units of work take turns, so whatever is read is held."""

    async def hold_admission(self, user_id: str, exam_package_id: str) -> Admission | None:
        enrolled = self._enrollment(user_id, exam_package_id)
        if enrolled is None:
            return None
        package: ExamPackage | None = self._tables["exam_packages"].get((exam_package_id,))
        tiers = package.tiers if package else ()
        tier = next((tier for tier in tiers if tier.id == enrolled.tier_id), None)
        return Admission(
            weekly_sessions=tier.weekly_practice_sessions if tier else None,
            policy=package.settings.scoring if package else STANDARD,
        )

    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        return self._enrollment(user_id, exam_package_id) is not None

    async def is_under_exam(self, user_id: str, session_id: str) -> bool:
        asked = {slot.question_id for slot in self._slots(user_id, session_id)}
        return not asked.isdisjoint(self._sitting(user_id))

    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        rows: list[PracticeSession] = list(self._tables["practice_sessions"].values())
        begun = [row.started_at for row in rows if (row.user_id, row.exam_package_id) == (user_id, exam_package_id)]
        return sorted(begun, reverse=True)[nth - 1] if len(begun) >= nth else None

    async def find_untouched(self, user_id: str, plan: PracticePlan) -> str | None:
        rows: list[PracticeSession] = list(self._tables["practice_sessions"].values())
        found = [row.id for row in rows if row.user_id == user_id and row.is_untouched_wish(plan)]
        return max(found, default=None)

    async def find_round(self, user_id: str, plan: PracticePlan) -> str | None:
        rows: list[PracticeSession] = list(self._tables["practice_sessions"].values())
        found = [
            row.id
            for row in rows
            if (row.user_id, row.feedback, row.certainty) == (user_id, plan.feedback, plan.certainty)
            and lapse(row, self.now).status is PracticeStatus.ACTIVE
            and self._asks_only(row, plan.kinds)
        ]
        return max(found, default=None)

    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None:
        await self.save_session(session)
        for slot in slots:
            self._tables["practice_slots"][slot.user_id, slot.session_id, slot.slot] = slot

    async def find_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        return await self.hold_session(user_id, session_id)

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
        for row in self._slots(user_id, session_id):
            if target.slot in (None, row.slot) and target.question_id in (None, row.question_id):
                return row
        return None

    def _slots(self, user_id: str, session_id: str) -> list[PracticeSlot]:
        rows: list[PracticeSlot] = list(self._tables["practice_slots"].values())
        return [row for row in rows if (row.user_id, row.session_id) == (user_id, session_id)]

    def _asks_only(self, session: PracticeSession, kinds: Collection[QuestionKind]) -> bool:
        offered: Mapping[tuple[str, str], PublishedQuestion] = self._tables["published_questions"]
        asked = (slot.question_id for slot in self._slots(session.user_id, session.id))
        return not kinds or all(
            offered[session.exam_package_id, question_id].question.kind in kinds for question_id in asked
        )

    def _enrollment(self, user_id: str, exam_package_id: str) -> Enrollment | None:
        rows: list[Enrollment] = list(self._tables["enrollments"].values())
        mine = (row for row in rows if (row.user_id, row.exam_package_id) == (user_id, exam_package_id))
        return next((row for row in mine if row.is_active(self.now)), None)

"""Beginning exams in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from adapters.memory.exam.sessions import MemoryExamWork
from application.exam.ports.sessions import Entitlement, StartWork
from domain.enrollment.enrolling import Enrollment
from domain.enrollment.packages import ExamPackage
from domain.exam.sessions import NO_ACCOMMODATION, Accommodation, ExamSession, ExamSlot
from domain.question_bank.questions import PublicQuestion


class MemoryStartWork(MemoryExamWork, StartWork):
    """Packages and enrolments are those of the other areas' tables."""

    async def live_session(self, user_id: str, exam_package_id: str) -> ExamSession | None:
        return next((session for session in self._mine(user_id, exam_package_id) if session.is_live), None)

    async def hold_entitlement(self, user_id: str, exam_package_id: str) -> Entitlement | None:
        enrolled = next((row for row in self._enrolled(user_id) if row.exam_package_id == exam_package_id), None)
        package: ExamPackage | None = self._tables["exam_packages"].get((exam_package_id,))
        if enrolled is None or package is None:
            return None
        tier = next(tier for tier in package.tiers if tier.id == enrolled.tier_id)
        return Entitlement(
            tier_id=tier.id,
            weekly_sessions=tier.weekly_exam_sessions,
            duration_seconds=package.duration_seconds,
            pass_mark=package.pass_mark,
            settings=package.settings,
            blueprint=package.blueprint,
        )

    async def enrolled_packages(self, user_id: str) -> tuple[str, ...]:
        return tuple(sorted(row.exam_package_id for row in self._enrolled(user_id)))

    async def attempts(self, user_id: str, exam_package_id: str) -> tuple[ExamSession, ...]:
        return tuple(sorted(self._mine(user_id, exam_package_id), key=lambda session: session.attempt_no))

    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        starts = [session.started_at for session in self._mine(user_id, exam_package_id) if session.started_at]
        return sorted(starts, reverse=True)[nth - 1] if len(starts) >= nth else None

    async def accommodation_of(self, user_id: str) -> Accommodation:
        row = self._tables["exam_accommodations"].get(user_id)
        if row is None:
            return NO_ACCOMMODATION
        return Accommodation(multiplier=row.multiplier, extra_seconds=row.extra_seconds)

    async def questions(self, session: ExamSession) -> tuple[PublicQuestion, ...]:
        return tuple(self._version(slot).question for slot in self._slots_of(session))

    async def add_session(self, session: ExamSession, slots: Sequence[ExamSlot]) -> None:
        await self.save_session(session)
        for slot in slots:
            self._tables["exam_slots"][slot.user_id, slot.session_id, slot.slot] = slot

    def _mine(self, user_id: str, exam_package_id: str) -> Iterator[ExamSession]:
        rows: list[ExamSession] = list(self._tables["exam_sessions"].values())
        return (row for row in rows if (row.user_id, row.exam_package_id) == (user_id, exam_package_id))

    def _enrolled(self, user_id: str) -> Iterator[Enrollment]:
        rows: list[Enrollment] = list(self._tables["enrollments"].values())
        return (row for row in rows if row.user_id == user_id and row.is_active(self.now))

"""Flagged questions in memory."""

from __future__ import annotations

from adapters.memory.store import MemoryWork
from application.progress.ports.flags import FlagWork
from domain.enrollment.enrolling import Enrollment
from domain.practice.sessions import PracticeSlot
from domain.progress.flags import FlagStanding


class MemoryFlagWork(MemoryWork, FlagWork):
    """The table `flagged_questions` holds the time of a flag, by student and question."""

    async def flag_standing(self, user_id: str, question_id: str) -> FlagStanding:
        flags = self._tables["flagged_questions"]
        return FlagStanding(
            visible=self._is_offered(user_id, question_id) or self._was_asked(user_id, question_id),
            flagged=(user_id, question_id) in flags,
            flags=sum(owner == user_id for owner, _ in flags),
        )

    async def add_flag(self, user_id: str, question_id: str) -> None:
        self._tables["flagged_questions"].setdefault((user_id, question_id), self._now)

    async def remove_flag(self, user_id: str, question_id: str) -> None:
        self._tables["flagged_questions"].pop((user_id, question_id), None)

    def _is_offered(self, user_id: str, question_id: str) -> bool:
        rows: list[Enrollment] = list(self._tables["enrollments"].values())
        packages = {row.exam_package_id for row in rows if row.user_id == user_id and row.is_active(self._now)}
        return any((package, question_id) in self._tables["published_questions"] for package in packages)

    def _was_asked(self, user_id: str, question_id: str) -> bool:
        rows: list[PracticeSlot] = list(self._tables["practice_slots"].values())
        return any((row.user_id, row.question_id) == (user_id, question_id) for row in rows)

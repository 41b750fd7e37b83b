"""Heartbeats and answers of exams in memory."""

from __future__ import annotations

from application.exam.ports.quick import KeptAnswer, KeptBeat, QuickAnswer, QuickBeat, QuickExam
from domain.exam.papers import FrozenPaper


class NoQuickExam(QuickExam):
    """Leaves everything to the unit of work: in memory there is no round trip to save."""

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        return None

    async def save_answer(self, answer: QuickAnswer) -> KeptAnswer | None:
        return None

    async def heartbeat(self, beat: QuickBeat) -> KeptBeat | None:
        return None

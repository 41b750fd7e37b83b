"""Answering in memory."""

from __future__ import annotations

from application.practice.ports.answering import FrozenPaper, QuickAnswers
from domain.practice.sessions import PracticeSession, PracticeSlot


class NoQuickAnswers(QuickAnswers):
    """Leaves every answer to the unit of work: in memory there is no round trip to save."""

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        return None

    async def keep(self, answered: PracticeSlot) -> PracticeSession | None:
        return None

"""Answering in memory."""

from __future__ import annotations

from application.auth.claimants import Claimant
from application.practice.ports.answering import FrozenPaper, QuickAnswers, Tally
from domain.practice.sessions import PracticeSlot


class NoQuickAnswers(QuickAnswers):
    """Leaves every answer to the unit of work: in memory there is no round trip to save."""

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        return None

    async def keep(self, answered: PracticeSlot, *, claim: Claimant | None = None) -> Tally | None:
        return None

"""Looking into practice as an administrator: whose sessions there are, and what became of each question."""

from __future__ import annotations

from dataclasses import dataclass

from application.practice.ports.reading import OversightReader, WantedSessions
from application.practice.views import OverseenPracticeView, SessionView
from domain.auth.people import Actor, UserNotFound
from domain.practice.refusals import PracticeSessionNotFound
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPracticeSessionsOf:
    """An admin sees the practice sessions of anybody as that student lists them, the latest first."""

    practice: OversightReader

    async def __call__(
        self, actor: Actor, user_id: str, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        require_admin(actor)
        found = await self.practice.sessions(user_id, wanted, before_id, limit)
        if not found and not await self.practice.has_person(user_id):
            raise UserNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OverseePractice:
    """An admin sees one session and what became of each of its questions, without their keys.

    What the student may not know yet is told: whether an answer is right is needed to decide about the session.
    """

    practice: OversightReader

    async def __call__(self, actor: Actor, user_id: str, session_id: str) -> OverseenPracticeView:
        require_admin(actor)
        found = await self.practice.overseen(user_id, session_id)
        if found is None:
            raise PracticeSessionNotFound
        return found

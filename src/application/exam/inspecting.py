"""Looking into exams as an administrator: which sessions there are, what became of them, and all that is on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.exam.overseen import AnswerEntryView, EventView, OverseenDetail, OverseenRow
from application.exam.ports.overseeing import OverseeReader, WantedOverseen
from domain.auth.people import Actor
from domain.exam.refusals import ExamSessionNotFound
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOverseenSessions:
    """An admin sees everybody's sessions, the latest first, with their students' names."""

    oversee_reader: OverseeReader

    async def __call__(
        self, actor: Actor, wanted: WantedOverseen, after: tuple[datetime, str, str] | None, limit: int
    ) -> tuple[OverseenRow, ...]:
        require_admin(actor)
        return await self.oversee_reader.sessions(wanted, after, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOverseenSession:
    """An admin sees one session with all that is kept of it: slots with answers and marks, grades, flags, and acts."""

    oversee_reader: OverseeReader

    async def __call__(self, actor: Actor, user_id: str, session_id: str) -> OverseenDetail:
        require_admin(actor)
        found = await self.oversee_reader.session(user_id, session_id)
        if found is None:
            raise ExamSessionNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionEvents:
    """An admin sees what happened in a session, the latest first: what its student, staff and the system did."""

    oversee_reader: OverseeReader

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, type_: str | None, before: int | None, limit: int
    ) -> tuple[EventView, ...]:
        require_admin(actor)
        found = await self.oversee_reader.events(user_id, session_id, type_, before, limit)
        if not found and not await self.oversee_reader.has_session(user_id, session_id):
            raise ExamSessionNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswerHistory:
    """An admin sees every answer that was accepted, the first first, also those that were replaced or taken back."""

    oversee_reader: OverseeReader

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, slot: int | None, after: int, limit: int
    ) -> tuple[AnswerEntryView, ...]:
        require_admin(actor)
        found = await self.oversee_reader.answers(user_id, session_id, slot, after, limit)
        if not found and not await self.oversee_reader.has_session(user_id, session_id):
            raise ExamSessionNotFound
        return found

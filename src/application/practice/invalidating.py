"""Declaring a practice session void."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports import AuditEntry, Transaction
from application.practice.ending import after_end
from application.practice.ports.sessions import PracticeWork
from application.practice.sitting import accepted, save_move
from application.practice.views import OverseenSessionView
from application.progress.crediting import take_back
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.errors import DomainError
from domain.practice.refusals import PracticeFinished, PracticeSessionNotFound
from domain.practice.sessions import PracticeSession, invalidate, lapse


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidatePractice:
    """An admin declares a session void before its end, and says why. What it counted for the student is taken back.

    Doing it again changes nothing and keeps the first reason; a session that is finished stays finished.
    """

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSessionView:
        if actor.role is not Role.ADMIN:
            raise Forbidden

        async def declare_void(work: PracticeWork) -> OverseenSessionView | DomainError:
            _found(await work.find_session(user_id, session_id))
            student = await work.hold_progress(user_id)
            held = _found(await work.hold_session(user_id, session_id))
            session = lapse(held, work.now)
            try:
                void = invalidate(session, reason, work.now)
            except PracticeFinished as refusal:
                await save_move(work, held, session)
                return refusal
            if void != held:
                await work.save_session(void)
                await take_back(work, student, answers=void.answered_count)
                await after_end(work, void)
                await work.audit(_entry(actor, held, void))
            return OverseenSessionView.of(void, work.now)

        return accepted(await self.transact(declare_void))


def _found(session: PracticeSession | None) -> PracticeSession:
    """Looked for before the student's row is taken hold of, which would be made for anybody."""
    if session is None:
        raise PracticeSessionNotFound
    return session


def _entry(actor: Actor, before: PracticeSession, after: PracticeSession) -> AuditEntry:
    return AuditEntry(
        actor_id=actor.user_id,
        action="practice_session.invalidated",
        subject=after.id,
        before={"status": before.status.value},
        after={"status": after.status.value, "user_id": after.user_id, "answered_count": after.answered_count},
        reason=after.invalidation_reason,
    )

"""Pausing an exam oneself, and going on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.exam.ports.sessions import ExamWork
from application.exam.settling import Note, accepted, hold, refused, settle
from application.exam.views import SessionView
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.moves import pause, resume
from domain.exam.record import EntrySource
from domain.exam.sessions import ExamSession


class _Move(Protocol):
    def __call__(self, session: ExamSession, now: datetime, *, by_staff: bool) -> ExamSession: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOwnExam:
    """A student pauses an exam: only where its package allows that, and where there is no time that could stop."""

    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return accepted(await self.transact(_unit(self.ids, actor, session_id, pause, "session_paused")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOwnExam:
    """A student goes on with an exam that they paused themselves; a pause that staff ordered is ended by staff."""

    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return accepted(await self.transact(_unit(self.ids, actor, session_id, resume, "session_resumed")))


def _unit(
    ids: IdGenerator, actor: Actor, session_id: str, step: _Move, told_as: str
) -> Callable[[ExamWork], Awaitable[SessionView | DomainError]]:
    """The unit of work that holds a session, lets time and then the step act on it, and keeps what changed."""

    def new_id() -> str:
        return ids.new("evt")

    async def move(work: ExamWork) -> SessionView | DomainError:
        held = await hold(work, new_id, actor.user_id, session_id)
        try:
            after = step(held.session, work.now, by_staff=False)
        except DomainError as refusal:
            return refused(held, refusal)
        note = Note(id=new_id(), type=told_as, source=EntrySource.STUDENT, actor_id=actor.user_id)
        settled = await settle(work, new_id, held, after, note)
        return SessionView.of(settled.session, work.now)

    return move

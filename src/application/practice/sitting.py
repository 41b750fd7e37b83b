"""Moving a practice session: pause, resume, finish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from application.idempotency import once_only, only_looking
from application.ports import Transaction
from application.practice.ending import after_end
from application.practice.ports.sessions import PracticeWork
from application.practice.views import SessionView
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired
from domain.errors import DomainError
from domain.practice.refusals import PracticeFinished, PracticeSessionNotFound
from domain.practice.results import refuse_during_exam
from domain.practice.sessions import PracticeSession, finish, lapse, pause, resume

ResultT = TypeVar("ResultT")
Unit = Callable[[PracticeWork], Awaitable[SessionView | DomainError]]


@dataclass(frozen=True, slots=True)
class PausePractice:
    """A student interrupts a session that has no time limit; the time of the pause does not count."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return accepted(await self.transact(moving(actor, session_id, pause)))


@dataclass(frozen=True, slots=True)
class ResumePractice:
    """A student goes on with a paused session, as long as the enrolment lasts."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return accepted(await self.transact(moving(actor, session_id, resume, enrolled_only=True)))


@dataclass(frozen=True, slots=True)
class FinishPractice:
    """A student ends a session early; ending it again changes nothing."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        await look_before_repeating(self.transact, actor.user_id, session_id)
        return accepted(await self.transact(moving(actor, session_id, finish)))


def moving(
    actor: Actor,
    session_id: str,
    step: Callable[[PracticeSession, datetime], PracticeSession],
    *,
    enrolled_only: bool = False,
) -> Unit:
    """The unit of work that holds a session, lets time and then the step act on it, and keeps what changed."""

    async def move(work: PracticeWork) -> SessionView | DomainError:
        held = await work.hold_session(actor.user_id, session_id)
        if held is None:
            raise PracticeSessionNotFound
        await refuse_asked_in_exam(work, actor.user_id, session_id)
        session = lapse(held, work.now)
        try:
            moved = step(session, work.now)
        except PracticeFinished as refusal:
            await save_move(work, held, session)
            return refusal
        if enrolled_only and not await work.holds_enrollment(held.user_id, held.exam_package_id):
            raise EnrollmentRequired
        await save_move(work, held, moved)
        return SessionView.of(moved, work.now)

    return move


async def refuse_asked_in_exam(work: PracticeWork, user_id: str, session_id: str) -> None:
    refuse_during_exam(await work.is_under_exam(user_id, session_id))


async def look_before_repeating(transact: Transaction[PracticeWork], user_id: str, session_id: str) -> None:
    """What was answered to an idempotency key may tell a result, so it is not told again while it is not to be told."""
    if once_only.get() is None:
        return

    async def look(work: PracticeWork) -> None:
        await refuse_asked_in_exam(work, user_id, session_id)

    with only_looking():
        await transact(look)


async def save_move(work: PracticeWork, before: PracticeSession, after: PracticeSession) -> None:
    """Keeps what changed. That time ran out stands even though the command that found it out is refused."""
    if after == before:
        return
    await work.save_session(after)
    if after.is_over:
        await after_end(work, after)


def accepted(outcome: ResultT | DomainError) -> ResultT:
    """A refusal that left something behind is raised once that is kept."""
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome

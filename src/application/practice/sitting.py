"""Moving a practice session: answer, pause, resume, finish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from application.ports import Transaction
from application.practice.ports import HeldSlot, PracticeWork, SlotTarget
from application.practice.views import AnswerView, SessionView
from domain.auth.people import Actor
from domain.errors import DomainError, FieldProblem, InvalidInput
from domain.practice.refusals import (
    EnrollmentRequired,
    PracticeFinished,
    PracticeSessionNotFound,
    SlotNotFound,
)
from domain.practice.sessions import Answered, PracticeSession, finish, give_answer, lapse, pause, resume
from domain.question_bank.ordering import shown_ids
from domain.question_bank.questions import Response

ResultT = TypeVar("ResultT")
Unit = Callable[[PracticeWork], Awaitable[SessionView | DomainError]]


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """A student answers a question of an active session and, with immediate feedback, learns at once what was right.

    The very same answer again is answered with the same result, so that a request whose reply was lost can be repeated.
    """

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str, target: SlotTarget, response: Response) -> AnswerView:
        _refuse_no_target(target)

        async def answer(work: PracticeWork) -> AnswerView | DomainError:
            held = await work.hold_slot(actor.user_id, session_id, target)
            if held is None:
                known = await work.hold_session(actor.user_id, session_id)
                raise SlotNotFound if known else PracticeSessionNotFound
            session = lapse(held.session, work.now)
            try:
                answered = _answered(held, session, _by_own_ids(held, response), work.now)
            except PracticeFinished as refusal:
                await _save_lapse(work, held.session, session)
                return refusal
            if answered.changed:
                await work.save_answer(answered.session, answered.slot)
            return AnswerView.of(answered.session, answered.slot, held.question.kind)

        return _accepted(await self.transact(answer))


@dataclass(frozen=True, slots=True)
class PausePractice:
    """A student interrupts a session that has no time limit; the time of the pause does not count."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return _accepted(await self.transact(_move(actor, session_id, pause)))


@dataclass(frozen=True, slots=True)
class ResumePractice:
    """A student goes on with a paused session, as long as the enrolment lasts."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return _accepted(await self.transact(_move(actor, session_id, resume, enrolled_only=True)))


@dataclass(frozen=True, slots=True)
class FinishPractice:
    """A student ends a session early; ending it again changes nothing."""

    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, session_id: str) -> SessionView:
        return _accepted(await self.transact(_move(actor, session_id, finish)))


def _move(
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
        session = lapse(held, work.now)
        try:
            moved = step(session, work.now)
        except PracticeFinished as refusal:
            await _save_lapse(work, held, session)
            return refusal
        if enrolled_only and not await work.holds_enrollment(held.user_id, held.exam_package_id):
            raise EnrollmentRequired
        if moved != held:
            await work.save_session(moved)
        return SessionView.of(moved, work.now)

    return move


def _answered(held: HeldSlot, session: PracticeSession, response: Response, now: datetime) -> Answered:
    answered = give_answer(session, held.slot, held.question, response, now)
    if answered.changed and not held.enrolled:
        raise EnrollmentRequired
    return answered


def _by_own_ids(held: HeldSlot, response: Response) -> Response:
    """The answer in the question's own names, whatever they are called in this session."""
    shown = shown_ids(held.question.kind, held.slot.choice_order)
    return response.renamed({name: choice for choice, name in shown.items()})


async def _save_lapse(work: PracticeWork, before: PracticeSession, after: PracticeSession) -> None:
    """That time ran out stands, even though the command that found it out is refused."""
    if after != before:
        await work.save_session(after)


def _refuse_no_target(target: SlotTarget) -> None:
    if target.slot is None and target.question_id is None:
        message = "Name the question by its slot or by its id."
        raise InvalidInput(message, problems=(FieldProblem(pointer="/slot", code="required", message=message),))


def _accepted(outcome: ResultT | DomainError) -> ResultT:
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome

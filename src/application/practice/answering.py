"""Answering a question of a practice session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from application.auth.claimants import Caller, claim_of, confirmed
from application.idempotency import once_only
from application.ports import Transaction
from application.practice.ending import after_end
from application.practice.ports.answering import FrozenPaper, OpenSlot, QuickAnswers
from application.practice.ports.sessions import HeldSlot, PracticeWork, SlotTarget
from application.practice.sitting import accepted, look_before_repeating, refuse_asked_in_exam, save_move
from application.practice.views import AnswerView
from application.progress.crediting import credit
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired
from domain.errors import DomainError, FieldProblem, InvalidInput
from domain.practice.judging import Answer
from domain.practice.refusals import PracticeFinished, PracticeSessionNotFound, SlotNotFound
from domain.practice.sessions import Answered, PracticeSession, PracticeSlot, give_answer, lapse, marked
from domain.progress.activity import Activity, ActivityKind
from domain.progress.students import StudentProgress
from domain.question_bank.ordering import keeps_ids, shown_ids
from domain.question_bank.questions import AnswerInvalid, KeyedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion:
    """A student answers a question of an active session and, with immediate feedback, learns at once what was right.

    The very same answer again is answered with the same result, so that a request whose reply was lost can be repeated.
    While an exam of the student asks a question of the session, nothing is taken or told.
    A claimant's session is asked for in the statement that keeps the answer, or before anything else is told.
    An answer that neither ends its session nor begins a day nor earns a badge takes one round trip. Whatever is not
    that plain is decided by the unit of work, to which the quick way leaves it without a trace.
    """

    transact: Transaction[PracticeWork]
    quick: QuickAnswers

    async def __call__(self, caller: Caller, session_id: str, target: SlotTarget, answer: Answer) -> AnswerView:
        quickly = await self._quickly(caller, session_id, target, answer)
        if quickly is not None:
            return quickly
        actor = await confirmed(caller)
        _refuse_no_target(target)
        return await self._carefully(actor, session_id, target, answer)

    async def _quickly(self, caller: Caller, session_id: str, target: SlotTarget, answer: Answer) -> AnswerView | None:
        if once_only.get() is not None:
            return None  # the answer to a key is kept by the unit of work
        paper = await self.quick.paper(caller.user_id, session_id)
        found = None if paper is None else _find(paper, target)
        if paper is None or found is None:
            return None
        try:
            answered = marked(paper.rules, found.slot, found.question, _by_own_ids(found.slot, found.question, answer))
        except AnswerInvalid:
            return None  # a session that is over says so first
        tally = await self.quick.keep(answered, claim=claim_of(caller))
        return None if tally is None else AnswerView.of_open(paper.rules, tally, answered, found.question.kind)

    async def _carefully(self, actor: Actor, session_id: str, target: SlotTarget, answer: Answer) -> AnswerView:
        await look_before_repeating(self.transact, actor.user_id, session_id)

        async def give(work: PracticeWork) -> AnswerView | DomainError:
            student = await work.hold_progress(actor.user_id)
            held = await hold_slot(work, actor, session_id, target)
            taken = await take(work, student, [GivenAnswer(held=held, answer=answer)])
            if isinstance(taken, DomainError):
                return taken
            return AnswerView.of(taken[0].session, taken[0].slot, held.question.kind)

        return accepted(await self.transact(give))


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """A slot that is held, and what a student answers to it."""

    held: HeldSlot
    answer: Answer


async def take(
    work: PracticeWork, student: StudentProgress, given: Sequence[GivenAnswer]
) -> tuple[Answered, ...] | DomainError:
    """Takes answers to one session, one after the other, with all that follows from each; or refuses them all.

    The student is held. Open slots come last, so that the session is not over before everything is taken. A refusal
    that is returned and not raised leaves behind that time ran out, and nothing else.
    """
    if given:
        await refuse_asked_in_exam(work, student.user_id, given[0].held.session.id)
    ordered = sorted(given, key=lambda each: each.held.slot.response is None)
    try:
        taken = _answered(ordered, work.now)
    except PracticeFinished as refusal:
        before = ordered[0].held.session
        await save_move(work, before, lapse(before, work.now))
        return refusal
    for each, answered in zip(ordered, taken, strict=True):
        if answered.changed:
            await work.save_answer(answered.session, answered.slot)
            student = await credit(work, student, _activity(each.held.slot))
            if answered.session.is_over:
                await after_end(work, answered.session)
    return taken


async def hold_slot(work: PracticeWork, actor: Actor, session_id: str, target: SlotTarget) -> HeldSlot:
    """Refuses a session that the student does not have, and a question that it does not ask."""
    held = await work.hold_slot(actor.user_id, session_id, target)
    if held is None:
        known = await work.hold_session(actor.user_id, session_id)
        raise SlotNotFound if known else PracticeSessionNotFound
    return held


def _answered(given: Sequence[GivenAnswer], now: datetime) -> tuple[Answered, ...]:
    """Each answer finds the session as the one before has left it."""
    taken: list[Answered] = []
    for each in given:
        session = taken[-1].session if taken else lapse(each.held.session, now)
        taken.append(_given(each.held, session, each.answer, now))
    return tuple(taken)


def _given(held: HeldSlot, session: PracticeSession, answer: Answer, now: datetime) -> Answered:
    answered = give_answer(session, held.slot, held.question, _by_own_ids(held.slot, held.question, answer), now)
    if answered.changed and not held.enrolled:
        raise EnrollmentRequired
    return answered


def _activity(before: PracticeSlot) -> Activity:
    """An answer that is changed is something done, but no further question."""
    first = before.answered_at is None
    return Activity(kind=ActivityKind.PRACTICE_ANSWER, source_id=before.session_id, answers=int(first))


def _by_own_ids(slot: PracticeSlot, question: KeyedQuestion, answer: Answer) -> Answer:
    """The answer in the question's own names, whatever they are called in this session."""
    if keeps_ids(question.kind):
        return answer
    own = {name: choice for choice, name in shown_ids(question.kind, slot.choice_order).items()}
    return replace(answer, response=answer.response.renamed(own))


def _find(paper: FrozenPaper, target: SlotTarget) -> OpenSlot | None:
    found = None if target.question_id is None else paper.by_question.get(target.question_id)
    if target.slot is None:
        return found
    placed = paper.by_slot.get(target.slot)
    return placed if target.question_id is None or placed is found else None


def _refuse_no_target(target: SlotTarget) -> None:
    if target.slot is None and target.question_id is None:
        message = "Name the question by its slot or by its id."
        raise InvalidInput(message, problems=(FieldProblem(pointer="/slot", code="required", message=message),))

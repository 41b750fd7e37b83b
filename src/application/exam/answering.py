"""Answering a question of an exam."""

from __future__ import annotations

from dataclasses import dataclass

from application.auth.claimants import Caller, claim_of, confirmed
from application.exam.ports.quick import QuickAnswer, QuickExam
from application.exam.ports.sessions import ExamWork
from application.exam.settling import NewId, accepted, hold, refused
from application.exam.views import AnswerSaved
from application.idempotency import once_only
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment.settings import Navigation
from domain.errors import DomainError
from domain.exam.answers import Given, Saved, fit, own_response, save_answer
from domain.exam.papers import AskedSlot
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import AnswerInvalid, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """An answer as a student gives it: choices by the names that the paper shows them by; None takes it back.

    `base_revision` is the revision that the student saw. `flagged`: to come back to; None leaves that as it is.
    """

    slot: int
    response: Response | None
    base_revision: int
    certainty: Certainty | None = None
    autosave: bool = False
    flagged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveAnswer:
    """A student answers a question of an active exam, as often as they like; each answer that differs from the last
    is a revision, and all of them stay in the record.

    Whoever answers says which revision they saw. If it was changed meanwhile, in another tab say, a real answer is
    refused and one that the browser saved by itself changes nothing. An answer in the plain case takes one round trip;
    whatever is not that plain is decided by the unit of work, to which the quick way leaves it without a trace.
    Whether a claimant's session stands is asked in the statement that keeps the answer, or before anything is told.
    """

    transact: Transaction[ExamWork]
    ids: IdGenerator
    quick: QuickExam

    async def __call__(self, caller: Caller, session_id: str, answer: GivenAnswer) -> AnswerSaved:
        quickly = await self._quickly(caller, session_id, answer)
        return quickly or await self._carefully(await confirmed(caller), session_id, answer)

    async def _quickly(self, caller: Caller, session_id: str, answer: GivenAnswer) -> AnswerSaved | None:
        if once_only.get() is not None:
            return None  # the answer to a key is kept by the unit of work
        paper = await self.quick.paper(caller.user_id, session_id)
        asked = None if paper is None else paper.slots.get(answer.slot)
        if paper is None or asked is None or paper.rules.navigation is Navigation.LINEAR:
            return None
        try:
            fitting = fit(paper.rules, asked, given(asked, answer))
        except AnswerInvalid:
            return None  # a session that is over says so first
        kept = await self.quick.save_answer(_quick(caller, session_id, answer.slot, fitting))
        return None if kept is None else AnswerSaved.of(kept.slot)

    async def _carefully(self, actor: Actor, session_id: str, answer: GivenAnswer) -> AnswerSaved:
        async def save(work: ExamWork) -> AnswerSaved | DomainError:
            held = await hold(work, self._new_id, actor.user_id, session_id)
            asked = await work.hold_slot(held.session, answer.slot)
            try:
                saved = save_answer(held.session, asked, given(asked, answer), work.now)
            except DomainError as refusal:
                return refused(held, refusal)
            await _keep(work, saved)
            return AnswerSaved.of(saved.slot, stale=saved.stale)

        return accepted(await self.transact(save))

    @property
    def _new_id(self) -> NewId:
        return lambda: self.ids.new("evt")


async def _keep(work: ExamWork, saved: Saved) -> None:
    if saved.changed:
        await work.save_slot(saved.slot)
    if saved.entry is not None:
        await work.add_entries([saved.entry])
        await work.save_session(saved.session)


def given(asked: AskedSlot | None, answer: GivenAnswer) -> Given:
    """The answer in the question's own names; of a slot that there is not, nothing is looked at but its number."""
    return Given(
        response=None if asked is None else own_response(asked, answer.response),
        base_revision=answer.base_revision,
        certainty=answer.certainty,
        autosave=answer.autosave,
        flagged=answer.flagged,
    )


def _quick(caller: Caller, session_id: str, slot: int, fitting: Given) -> QuickAnswer:
    return QuickAnswer(
        user_id=caller.user_id,
        session_id=session_id,
        slot=slot,
        response=fitting.response,
        base_revision=fitting.base_revision,
        certainty=fitting.certainty,
        autosave=fitting.autosave,
        flagged=fitting.flagged,
        claim=claim_of(caller),
    )

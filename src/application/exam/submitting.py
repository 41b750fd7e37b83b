"""Handing an exam in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from application.exam.answering import GivenAnswer, given
from application.exam.ports.sessions import ExamWork
from application.exam.settling import Held, Note, accepted, hold, refused, settle
from application.exam.views import SessionView
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.answers import Saved, placed, save_answer
from domain.exam.lifecycle import Command, taken
from domain.exam.moves import submit
from domain.exam.record import EntrySource
from domain.exam.sessions import ExamSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitExam:
    """A student hands an exam in, with the answers that were not saved yet, and it is graded at once.

    These answers obey the rules of every answer; if one of them does not, nothing is handed in and nothing of it is
    kept. Handing in again changes nothing, whatever comes with it, and is answered with what came of the first time.
    """

    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, session_id: str, answers: Sequence[GivenAnswer] = ()) -> SessionView:
        def new_id() -> str:
            return self.ids.new("evt")

        async def hand_in(work: ExamWork) -> SessionView | DomainError:
            held = await hold(work, new_id, actor.user_id, session_id)
            try:
                if taken(held.session.status, Command.SUBMIT) is None:
                    return SessionView.of(held.session, work.now)
                saves = await _judged(work, held.session, answers)
            except DomainError as refusal:
                return refused(held, refusal)
            session = await _kept(work, held.session, saves)
            after = submit(session, work.now)
            note = Note(id=new_id(), type="session_submitted", source=EntrySource.STUDENT, actor_id=actor.user_id)
            settled = await settle(work, new_id, Held(student=held.student, session=session), after, note)
            return SessionView.of(settled.session, work.now)

        return accepted(await self.transact(hand_in))


async def _judged(work: ExamWork, session: ExamSession, answers: Sequence[GivenAnswer]) -> list[Saved]:
    """What each answer makes of the session and its slot, one upon the other. Nothing is written yet, so that an
    answer that is refused leaves nothing of those before it.
    """
    slots = {each.slot.slot: each for each in await work.hold_slots(session)} if answers else {}
    saves: list[Saved] = []
    for place, answer in enumerate(answers):
        asked = slots.get(answer.slot)
        try:
            saved = save_answer(session, asked, given(asked, answer), work.now)
        except DomainError as refusal:
            raise placed(refusal, f"/answers/{place}") from refusal
        saves.append(saved)
        session = saved.session
        slots[answer.slot] = replace(slots[answer.slot], slot=saved.slot)
    return saves


async def _kept(work: ExamWork, session: ExamSession, saves: Sequence[Saved]) -> ExamSession:
    """The session with the answers in its record; it is saved when it is handed in."""
    changed = {saved.slot.slot: saved.slot for saved in saves if saved.changed}
    if changed:
        await work.save_slots(tuple(changed.values()))
    entries = [saved.entry for saved in saves if saved.entry is not None]
    if entries:
        await work.add_entries(entries)
    return saves[-1].session if saves else session

"""Exams that were sat, to be verified: what is stored of one, read from either store."""

from __future__ import annotations

from collections.abc import Iterable

from application.exam.ports.sessions import StartWork
from application.exam.starting import StartExam
from domain.auth.people import Actor
from domain.exam.deadlines import deadline, due_at
from domain.exam.record import Entry
from domain.exam.sessions import ExamSession, ExamSlot
from domain.exam.verifying import Finding, StoredExam, Verification
from domain.question_bank.ordering import shown_ids
from domain.question_bank.questions import Response
from tests.support.exam_builders import PACKAGE, PAPER, STUDENT, right, wrong
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamStore


async def started(store: ExamStore, actor: Actor = STUDENT) -> ExamSession:
    """A session that began as students begin one."""
    begun = await StartExam(ids=store.ids, transact=store.exams, paper_reader=store.papers)(actor, PACKAGE)
    return await store.session_of(actor.user_id, begun.session.id)


async def sat(store: ExamStore, actor: Actor = STUDENT) -> ExamSession:
    """Every question answered right, then one wrong and one taken back, and an event; handed in and graded."""
    session, sitting = await started(store, actor), Sitting(store)
    offers = {offer.id: offer for offer in PAPER}
    slots = await store.slots_of(actor.user_id, session.id)

    async def save(slot: ExamSlot, response: Response | None, base: int = 0) -> None:
        store.clock.advance(seconds=5)
        shown = response and response.renamed(shown_ids(offers[slot.question_id].kind, slot.choice_order))
        await sitting.save(slot.slot, shown, base, actor=actor, session_id=session.id)

    for slot in slots:
        await save(slot, right(offers[slot.question_id]))
    by_question = {slot.question_id: slot for slot in slots}
    await save(by_question["qst_single"], wrong(offers["qst_single"]), 1)
    await save(by_question["qst_multiple"], None, 1)
    await sitting.record(actor=actor, session_id=session.id)
    store.clock.advance(seconds=5)
    await sitting.submit(actor=actor, session_id=session.id)
    return await store.session_of(actor.user_id, session.id)


async def stored_exam(store: ExamStore, session: ExamSession) -> StoredExam:
    """As it is stored; only its record is apart."""

    async def read(work: StartWork) -> StoredExam:
        kept = await work.find_session(session.user_id, session.id)
        assert kept is not None
        return StoredExam(
            session=kept,
            slots=await work.graded_slots(kept),
            grades=tuple(await store.grades_of(session.user_id, session.id)),
            voids=await work.voids(kept.exam_package_id),
            contents={},
            deadline=None if kept.paused_at else deadline(kept, kept.created_at),
            due_at=due_at(kept),
        )

    return await store.exams(read)


def verified(stored: StoredExam, entries: Iterable[Entry]) -> tuple[Finding, ...]:
    verification = Verification(stored)
    for entry in entries:
        verification.read(entry)
    return verification.conclude()

"""Three students with the same exam: one on PostgreSQL may take the quick way, two never do, one of them in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.memory.exam.quick import NoQuickExam
from adapters.postgres.database import Database
from application.exam.answering import GivenAnswer, SaveAnswer
from application.exam.ports.quick import QuickExam
from application.exam.ports.sessions import StartWork
from application.exam.pulse import Beat, Heartbeat
from application.exam.settling import Note, hold, settle
from application.exam.starting import StartExam
from application.ports import Clock, IdGenerator
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.exam.record import Entry, microseconds
from domain.exam.sessions import ExamSession
from tests.support.exam_builders import PAPER, exam_session
from tests.support.exam_stores import ExamsInMemory, ExamStore, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import START, Offer

Move = Callable[[ExamSession], ExamSession]


@dataclass(frozen=True, slots=True)
class TimedIds(IdGenerator):
    """Ids that tell nothing but the instant, so that the same history makes the same ids however it is stored."""

    clock: Clock

    def new(self, prefix: str) -> str:
        return f"{prefix}_{microseconds(self.clock.now())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the three."""

    name: str
    store: ExamStore
    save_answer: SaveAnswer
    heartbeat: Heartbeat

    @property
    def actor(self) -> Actor:
        return Actor(user_id=f"usr_{self.name}", role=Role.STUDENT, session_id=f"ses_{self.name}")

    async def begin(self, session: ExamSession, paper: Sequence[Offer]) -> None:
        await self.store.begin(replace(session, user_id=self.actor.user_id), paper)

    async def answer(self, session_id: str, answer: GivenAnswer) -> Any:
        """The view, or what the refusal tells."""
        return await _told(self.save_answer(self.actor, session_id, answer))

    async def beat(self, session_id: str, beat: Beat) -> Any:
        return await _told(self.heartbeat(self.actor, session_id, beat))

    async def move(self, session_id: str, move: Move) -> Any:
        """Something that staff or the student do by the careful way."""

        async def carry_out(work: StartWork) -> object:
            held = await hold(work, lambda: "evt_x", self.actor.user_id, session_id)
            try:
                after = move(held.session)
            except DomainError as refusal:
                return type(refusal)
            note = Note(id=f"evt_{microseconds(work.now)}", type="moved")
            return (await settle(work, lambda: "evt_x", held, after, note)).session.status

        return await self.store.exams(carry_out)

    async def kept(self, session_id: str) -> dict[str, Any]:
        """All that there is of a session, without names."""
        user, store = self.actor.user_id, self.store
        session = await store.session_of(user, session_id)
        student = await store.exams(lambda work: work.hold_progress(user))
        return {
            "session": replace(session, user_id=""),
            "slots": [replace(slot, user_id="") for slot in await store.slots_of(user, session_id)],
            "record": [replace(entry, user_id="") for entry in await store.record_of(user, session_id)],
            "grades": [replace(grade, user_id="") for grade in await store.grades_of(user, session_id)],
            "snapshot": await store.snapshot_of(user, session_id),
            "student": replace(student, user_id=""),
        }

    async def record(self, session_id: str) -> Sequence[Entry]:
        return await self.store.record_of(self.actor.user_id, session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """All three and their common clock."""

    clock: SettableClock
    quick: Candidate
    careful: Candidate
    remembered: Candidate
    cloned: ClonedDatabase

    @property
    def all(self) -> tuple[Candidate, Candidate, Candidate]:
        return self.quick, self.careful, self.remembered

    async def begin(self, number: int, paper: Sequence[Offer] = PAPER, **changes: Any) -> str:
        """The same session for each; its id."""
        session = exam_session(
            session_id=f"exs_{number}", attempt_no=number, exam_package_id=_package(number), at=self.clock.now()
        )
        session = replace(session, tier_id=f"tie_{_package(number)[4:]}", **changes)
        for candidate in self.all:
            await candidate.begin(session, paper)
        return session.id


def _package(number: int) -> str:
    """One live session of a student is all that a package allows."""
    return f"pkg_{number}"


def candidates(
    cloned: ClonedDatabase, database: Database, clock: SettableClock, packages: Sequence[int] = range(1, 10)
) -> Candidates:
    """All are enrolled in a package for each session; questions of every kind are on offer."""
    clock.set(START)
    on_postgres, in_memory = exams_on_postgres(cloned, database, clock), ExamsInMemory(clock)
    for store in (on_postgres, in_memory):
        store.stock(paper=PAPER, package_id=_package(packages[0]))
    ids = TimedIds(clock)
    quick = _candidate("quick", on_postgres, on_postgres.quick_exam_by(ids), ids)
    careful = _candidate("careful", on_postgres, NoQuickExam(), ids)
    remembered = _candidate("remembered", in_memory, NoQuickExam(), ids)
    for each in (quick, careful, remembered):
        each.store.admit(each.actor)
        for number in packages:
            each.store.enroll(each.actor.user_id, _package(number))
    return Candidates(clock=clock, quick=quick, careful=careful, remembered=remembered, cloned=cloned)


def _candidate(name: str, store: ExamStore, quick: QuickExam, ids: IdGenerator) -> Candidate:
    start = StartExam(ids=ids, transact=store.exams, paper_reader=store.papers)
    return Candidate(
        name=name,
        store=store,
        save_answer=SaveAnswer(transact=store.exams, ids=ids, quick=quick),
        heartbeat=Heartbeat(transact=store.exams, ids=ids, quick=quick, start_exam=start),
    )


async def _told(asked: Any) -> Any:
    try:
        return await asked
    except DomainError as refusal:
        return type(refusal), [(each.pointer, each.code) for each in refusal.problems], dict(refusal.facts or {})

"""Any history of practice: both stores do what the table of the session says, and tell it alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from adapters.postgres.database import Database
from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from adapters.system.clock import TimeOrderedIds
from application.ports import IdGenerator
from application.practice.ports.reading import WantedSessions
from application.practice.ports.sessions import PracticeWork, SlotTarget
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.progress.repeating import ScheduleReviews
from domain.errors import DomainError
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeStatus
from domain.question_bank.certainty import Certainty
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import STUDENT, MemoryWorld, PostgresWorld, World, offers
from tests.support.practice_model import ModelSession, ModelStudent, Refusal
from tests.support.practice_worlds import give, invalidate, plan

QUESTIONS, WEEKLY = 3, 4
WHICH, SLOT = st.integers(0, 5), st.integers(1, QUESTIONS)
LETTERS = st.sampled_from("BBA")
SURE = st.sampled_from([None, None, *Certainty])
Ask = Callable[[World, str], Awaitable[Any]]


class Numbered(IdGenerator):
    """The same identifiers on both stores."""

    def __init__(self) -> None:
        self._last = 0

    def new(self, prefix: str) -> str:
        self._last += 1
        return f"{prefix}_{self._last:04}"


class Together:
    """One loop and one database for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class Practice(RuleBasedStateMachine):
    """A student with several sessions at a time, whom an administrator watches."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner, self.clock, self.cloned = together.runner, SettableClock(), together.cloned
        self.reader = PostgresPracticeReader(together.database, self.clock)
        transact = PostgresTransaction(together.database, PostgresPracticeWork, TimeOrderedIds(), self.clock)
        quick = PostgresQuickAnswers(together.database, self.clock)
        self.memory = MemoryWorld(self.clock)
        self.worlds: list[World] = [self.memory, PostgresWorld(together.cloned, transact, quick)]
        self.creating = [
            CreatePracticeSession(
                ids=Numbered(), transact=world.transact, schedule_reviews=ScheduleReviews(FsrsScheduler())
            )
            for world in self.worlds
        ]
        self.model, self.ids = ModelStudent(WEEKLY), list[str]()

    @initialize()
    def settle(self) -> None:
        for world in self.worlds:
            world.offer(offers(QUESTIONS, topic_id="top_risk"))
            world.enroll(STUDENT.user_id)
            world.allow(WEEKLY)

    # What happens.

    @rule(feedback=st.sampled_from(FeedbackMode), certainty=st.booleans(), limit=st.sampled_from([None, 60, 5000]))
    def begin(self, feedback: FeedbackMode, certainty: bool, limit: int | None) -> None:
        expected = self.model.begin(ModelSession(feedback, certainty, QUESTIONS, self.clock.now(), limit))
        wish = plan(feedback=feedback, certainty=certainty, time_limit_seconds=limit)
        told = [self.outcome(create(STUDENT, wish)) for create in self.creating]
        self.compare(told, expected)
        if expected is None:
            self.ids.append(told[0].session.id)

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, slot=SLOT, letter=LETTERS, certainty=SURE)
    def answer(self, which: int, slot: int, letter: str, certainty: Certainty | None) -> None:
        view = self.take(
            which,
            lambda session: session.answer(slot, letter, certainty),
            lambda world, session_id: give(world, session_id, slot, letter, certainty),
        )
        if view is not None:
            session = self.model.sessions[which % len(self.ids)]
            told = (view.status.value, view.answered_count, view.correct_count)
            assert told == (session.status, len(session.answers), session.right_as_told)
            assert (view.feedback is not None) == (session.feedback is FeedbackMode.IMMEDIATE)

    @precondition(lambda self: self.ids)
    @rule(which=WHICH)
    def pause(self, which: int) -> None:
        self.take(which, ModelSession.pause, lambda world, id_: PausePractice(world.transact)(STUDENT, id_))

    @precondition(lambda self: self.ids)
    @rule(which=WHICH)
    def resume(self, which: int) -> None:
        self.take(which, ModelSession.resume, lambda world, id_: ResumePractice(world.transact)(STUDENT, id_))

    @precondition(lambda self: self.ids)
    @rule(which=WHICH)
    def finish(self, which: int) -> None:
        self.take(which, ModelSession.finish, lambda world, id_: FinishPractice(world.transact)(STUDENT, id_))

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, reason=st.sampled_from(["by mistake", "again"]))
    def declare_void(self, which: int, reason: str) -> None:
        view = self.take(
            which, lambda session: session.invalidate(reason), lambda world, id_: invalidate(world, id_, reason)
        )
        if view is not None:
            assert view.session.invalidation_reason == self.model.sessions[which % len(self.ids)].reason

    @rule(seconds=st.sampled_from([1, 59, 400, 5000, 90_000, 700_000]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    def take(self, which: int, expect: Callable[[ModelSession], Refusal], ask: Ask) -> Any:
        """The view that both stores give alike, or None where both refuse as expected."""
        index = which % len(self.ids)
        session = self.model.sessions[index]
        session.look(self.clock.now())
        expected = expect(session)
        told = [self.outcome(ask(world, self.ids[index])) for world in self.worlds]
        self.compare(told, expected)
        return None if expected else told[0]

    def outcome(self, asked: Awaitable[Any]) -> Any:
        async def ask() -> Any:
            try:
                return await asked
            except DomainError as refusal:
                return type(refusal), refusal.retry_after_seconds

        return self.runner.run(ask())

    def compare(self, told: list[Any], expected: Refusal) -> None:
        assert told[0] == told[1]
        refusal = told[0][0] if isinstance(told[0], tuple) else None
        assert refusal is expected

    # What holds at all times.

    @invariant()
    def both_have_the_same(self) -> None:
        kept = [self.runner.run(world.transact(self.everything)) for world in self.worlds]
        assert kept[0] == kept[1]

    async def everything(self, work: PracticeWork) -> list[Any]:
        found: list[Any] = [await work.hold_progress(STUDENT.user_id), await work.study_days(STUDENT.user_id)]
        places = [(session_id, SlotTarget(slot=slot)) for session_id in self.ids for slot in range(1, QUESTIONS + 1)]
        found += [await work.hold_slot(STUDENT.user_id, *place) for place in places]
        assert found[0].questions_answered == self.model.questions_answered
        return found

    @invariant()
    def what_is_read_is_what_time_has_made_of_it(self) -> None:
        for session in self.model.sessions:
            session.look(self.clock.now())
        expected = dict(zip(self.ids, self.model.sessions, strict=True))

        async def read() -> None:
            open_ones = (PracticeStatus.ACTIVE, PracticeStatus.PAUSED)
            for statuses in ((), open_ones, *((status,) for status in PracticeStatus)):
                listed = await self.reader.sessions(STUDENT.user_id, WantedSessions(statuses=statuses), None, 100)
                of_status = [id_ for id_, each in expected.items() if not statuses or each.status in statuses]
                assert [view.id for view in listed] == of_status[::-1]
                for view in listed:
                    assert view.status.value == expected[view.id].status
                    assert view.correct_count == expected[view.id].right_as_told

        self.runner.run(read())

    @invariant()
    def every_end_is_followed_up_once_and_every_invalidation_audited(self) -> None:
        void = [session for session in self.model.sessions if session.status == "invalidated"]
        audited = [entry.reason for entry in self.memory.store.audit_log]
        kept = self.cloned.keeper.execute("select reason from audit_log order by id").fetchall()
        assert audited == [reason for (reason,) in kept]
        assert sorted(audited, key=str) == sorted((session.reason for session in void), key=str)
        (enqueued,) = self.cloned.keeper.execute("select count(*) from procrastinate_jobs").fetchone() or (0,)
        assert enqueued == len(self.memory.store.jobs) <= len(self.model.sessions)


def test_any_history_of_practice_is_the_same_everywhere(module_database: ClonedDatabase) -> None:
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        together = Together(runner, module_database, database)

        class Here(Practice):
            def __init__(self) -> None:
                super().__init__(together)

        try:
            run_machine(Here, settings=settings(stateful_step_count=20))
        finally:
            runner.run(database.close())

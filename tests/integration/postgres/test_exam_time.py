"""The time of what happens to an exam, by the database's own clock: who waited for a turn acts when it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapters.memory.exam.quick import NoQuickExam
from adapters.postgres.database import Database
from adapters.postgres.exam.quick import PostgresQuickExam
from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from application.exam.answering import GivenAnswer, SaveAnswer
from application.exam.ports.quick import QuickExam
from application.exam.ports.sessions import StartWork
from application.ports import IdGenerator, Transaction
from domain.exam.record import Draft, Entry, EntryKind, EntrySource, append, first_broken
from tests.support.exam_builders import PACKAGE, PAPER, ROOT, SESSION, STUDENT, exam_rules, exam_session, right, wrong
from tests.support.exam_gates import until_somebody_waits
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamsOnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock

USER = STUDENT.user_id
LATENCY = exam_rules().latency_seconds
HOLD_STUDENT = "select 1 from student_progress where user_id = %s for update"


@dataclass(slots=True)
class ExamsInRealTime(ExamsOnPostgres):
    """No clock stands in for the database's own."""

    def quick_exam_by(self, ids: IdGenerator) -> QuickExam:
        return PostgresQuickExam(self.database, ids)

    def unit(self, memory: type[Any], postgres: type[PostgresWork]) -> Transaction[Any]:
        return PostgresTransaction(self.database, postgres, self.ids)


@pytest.fixture
async def database(cloned: ClonedDatabase) -> AsyncIterator[Database]:
    """One in which somebody may wait for a lock until an exam is over, and for longer."""
    address = f"{cloned.urls.app}&options=-c%20lock_timeout%3D30s%20-c%20statement_timeout%3D30s"
    database = Database(address, pool_min=1, pool_max=4, deadline_seconds=30.0)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsInRealTime:
    """Enrolled in the package since a minute ago, signed in by now."""
    ids = TimeOrderedIds()
    practice = PostgresTransaction(database, PostgresPracticeWork, ids)
    store = ExamsInRealTime(cloned, practice, PostgresQuickAnswers(database), database=database, clock=clock)
    clock.set(_ago(60))
    store.stock(STUDENT)
    store.admit(ROOT)
    await store.exams(lambda work: work.hold_progress(USER))  # there is something to wait for
    return store


async def test_a_submission_that_waited_ends_the_exam_after_what_was_answered_meanwhile(
    store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    await store.begin(exam_session(at=_ago(10)))
    sitting = Sitting(store)
    with cloned.administration() as connection, connection.transaction():
        connection.execute(HOLD_STUDENT.encode(), [USER])
        submission = asyncio.create_task(sitting.submit())
        await until_somebody_waits(cloned)
        await sitting.save(1, right(PAPER[0]))
    result = (await submission).result
    assert result is not None
    assert result.mark == 1
    await _assert_in_order(store)


async def test_a_lapse_that_waited_is_told_after_what_came_meanwhile(
    store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    """The end itself stays the deadline."""
    began = exam_session(at=_ago(3600 + LATENCY - 3))
    await store.begin(began)
    with cloned.administration() as connection, connection.transaction():
        connection.execute(HOLD_STUDENT.encode(), [USER])
        sweep = asyncio.create_task(Sitting(store).lapse_exam(USER, SESSION))
        await until_somebody_waits(cloned)
        await Sitting(store).save(1, right(PAPER[0]))
        await asyncio.sleep(3.2)
    assert await sweep, "it was due when the sweeper got hold of it"
    sealed = (await store.session_of(USER, SESSION)).sealed_at
    assert began.started_at is not None
    assert sealed == began.started_at + timedelta(hours=1)
    await _assert_in_order(store)


@pytest.mark.parametrize("how", ["answer", "silence"])
async def test_a_statement_that_waited_happens_after_what_it_waited_for(
    how: str, store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    await store.begin(exam_session(at=_ago(60), last_heartbeat_at=_ago(30)))
    sitting, told = Sitting(store), Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id="evt_meanwhile", type="x")
    await store.quick_exam.paper(USER, SESSION)

    async def meanwhile(work: StartWork) -> Any:
        session = await work.hold_session(USER, SESSION)
        assert session is not None
        act = sitting.save(1, right(PAPER[0])) if how == "answer" else sitting.beat(seq=1)
        waiting = asyncio.create_task(act)
        await until_somebody_waits(cloned)
        session, entry = append(session, told, datetime.now(UTC))
        await work.add_entries([entry])
        await work.save_session(session)
        return waiting

    await (await store.exams(meanwhile))
    record = await _assert_in_order(store)
    assert [entry.type for entry in record] == ["x", None if how == "answer" else "connection_gap"]


async def test_an_answer_that_waited_until_it_was_too_late_is_not_kept(
    store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    """Nobody has written down that the exam is over: what comes next does, by the time at which it has its turn."""
    await store.begin(exam_session(at=_ago(3600 + LATENCY - 1)))
    with cloned.administration() as connection, connection.transaction():
        connection.execute(b"select 1 from exam_sessions where user_id = %s for update", [USER])
        late = asyncio.create_task(_told(Sitting(store).save(1, right(PAPER[0]))))
        await until_somebody_waits(cloned)
        await asyncio.sleep(1.2)
    assert await late == "ExamAlreadySubmitted"
    assert [entry.type for entry in await _assert_in_order(store)] == ["session_submitted", "grade_recorded"]


async def test_an_attempt_that_waited_begins_after_what_it_waited_for(
    store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    """There is no live session, but there may have been one when it began to wait."""

    async def begin(work: StartWork) -> datetime:
        await work.hold_progress(USER)
        assert await work.live_session(USER, PACKAGE) is None
        return work.now

    with cloned.administration() as connection, connection.transaction():
        connection.execute(HOLD_STUDENT.encode(), [USER])
        waiting = asyncio.create_task(store.exams(begin))
        await until_somebody_waits(cloned)
        released = datetime.now(UTC)
    assert await waiting >= released


async def test_a_session_that_is_live_is_found_at_the_time_of_finding_it(
    store: ExamsInRealTime, cloned: ClonedDatabase
) -> None:
    await store.begin(exam_session(at=_ago(10)))

    async def begin(work: StartWork) -> datetime:
        assert await work.live_session(USER, PACKAGE) is not None
        return work.now

    with cloned.administration() as connection, connection.transaction():
        connection.execute(b"select 1 from exam_sessions where user_id = %s for update", [USER])
        waiting = asyncio.create_task(store.exams(begin))
        await until_somebody_waits(cloned)
        released = datetime.now(UTC)
    assert await waiting >= released


async def test_whatever_comes_at_once_is_on_record_in_the_order_of_time(store: ExamsInRealTime) -> None:
    await store.begin(exam_session(at=_ago(60), last_heartbeat_at=_ago(30)))
    sitting, careful = Sitting(store), SaveAnswer(transact=store.exams, ids=store.ids, quick=NoQuickExam())
    await store.quick_exam.paper(USER, SESSION)

    async def carefully(slot: int, base: int) -> Any:
        response = wrong(PAPER[slot - 1]) if base else right(PAPER[slot - 1])
        return await careful(STUDENT, SESSION, GivenAnswer(slot=slot, response=response, base_revision=base))

    slots = range(1, len(PAPER) + 1)
    acts = [
        *(sitting.save(slot, right(PAPER[slot - 1])) for slot in slots),
        *(sitting.beat(seq=seq) for seq in range(1, 9)),
        *(carefully(slot, 0) for slot in slots),
        *(sitting.record("focus_lost", client_event_id=f"cev_{number}") for number in range(8)),
        *(sitting.save(slot, wrong(PAPER[slot - 1]), 1) for slot in slots),
    ]
    half = len(acts) // 2
    await asyncio.gather(*(_told(each) for each in (*acts[:half], sitting.submit(), *acts[half:])))
    record = await _assert_in_order(store)
    assert {EntryKind.ANSWER, EntryKind.EVENT} == {entry.kind for entry in record}


async def _assert_in_order(store: ExamsInRealTime) -> Sequence[Entry]:
    """Nothing on record happened before what stands before it, and no answer counts for later than the end."""
    record, session = await store.record_of(USER, SESSION), await store.session_of(USER, SESSION)
    assert first_broken(record) is None
    assert [later.position for former, later in pairwise(record) if later.at < former.at] == []
    answers = [entry for entry in record if entry.kind is EntryKind.ANSWER]
    if session.sealed_at is not None:
        assert all(entry.effective_at <= session.sealed_at for entry in answers)
    return record


async def _told(act: Any) -> str:
    try:
        return type(await act).__name__
    except Exception as refusal:
        return type(refusal).__name__


def _ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)

"""Sweepers and students who meet over exams whose time is over: together they leave what either alone leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.exam.reading import PostgresExamReader
from application.exam.reading import ReadExamSession
from application.exam.sweeping import Swept
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.exam.record import first_broken
from tests.support.exam_builders import PAPER, SESSION, STUDENT, exam_session, later, right
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

STUDENTS = 90  # a multiple of the three policies and of what is left running
_CLONE_PEOPLE = """
insert into users
select (jsonb_populate_record(u, jsonb_build_object('id', u.id || n, 'email', u.id || n || '@example.org'))).*
  from users u, generate_series(0, %(count)s::integer - 1) n
 where u.id = %(user_id)s
"""
_CLONE_ROWS = """
insert into {table}
select (jsonb_populate_record(t, jsonb_build_object('user_id', t.user_id || n))).*
  from {table} t, generate_series(0, %(count)s::integer - 1) n
 where t.user_id = %(user_id)s
"""
_POLICIES = """
update exam_sessions
   set rules = jsonb_set(rules, '{overdue_policy}',
                         to_jsonb((array['auto_submit', 'grace', 'abandon'])[1 + substr(user_id, 8)::integer %% 3])),
       due_at = due_at + (substr(user_id, 8)::integer %% 10 = 9)::integer * interval '1 day',
       deadline = deadline + (substr(user_id, 8)::integer %% 10 = 9)::integer * interval '1 day',
       adjust_seconds = case when substr(user_id, 8)::integer %% 10 = 9 then 86400 else 0 end
 where user_id <> %(user_id)s
"""
_STATE = """
select s.user_id, s.status, s.seal_reason, s.sealed_at, s.late, s.mark, s.max_mark, s.passed, s.grade_revision,
       s.graded_at, s.due_at, s.record_count, p.questions_answered,
       (select jsonb_agg(jsonb_build_array(r.position, r.type, r.slot, r.at, r.effective_at, r.source)
                         order by r.position)
          from exam_records r where r.user_id = s.user_id) as record,
       (select jsonb_agg(jsonb_build_array(g.revision, g.mark, g.marks, g.graded_at)) from exam_grades g
         where g.user_id = s.user_id) as grades
  from exam_sessions s left join student_progress p on p.user_id = s.user_id
 where s.user_id <> %(user_id)s
 order by s.user_id
"""
State = list[dict[str, Any]]


def _of(number: int) -> Actor:
    return Actor(user_id=f"{STUDENT.user_id}{number}", role=Role.STUDENT, session_id="ses_none")


async def _settle(store: ExamsOnPostgres) -> None:
    """Students who all answered two questions of an hour that is over; every tenth has a day more."""
    store.clock.set(later())
    store.stock(STUDENT)
    await store.begin(exam_session())
    sitting = Sitting(store)
    await sitting.save(1, right(PAPER[0]))
    await sitting.save(2, right(PAPER[1]))
    keeper, params = store.cloned.keeper, {"user_id": STUDENT.user_id, "count": STUDENTS}
    keeper.execute(_CLONE_PEOPLE, params)
    for table in ("exam_sessions", "exam_slots", "exam_records"):
        keeper.execute(_CLONE_ROWS.format(table=table).encode(), params)
    keeper.execute(_POLICIES, params)
    await sitting.submit()
    store.clock.set(later(hours=2))


async def _state(store: ExamsOnPostgres) -> State:
    for number in range(STUDENTS):
        assert first_broken(await store.record_of(_of(number).user_id, SESSION)) is None
    return await store.database.fetch_all(_STATE, {"user_id": STUDENT.user_id})


async def _sweep(store: ExamsOnPostgres) -> Swept:
    return await Sitting(store).sweep()


async def _come_back(store: ExamsOnPostgres) -> list[Any]:
    """Every student at once, each in another way, but for those who have time left."""
    sitting = Sitting(store)
    read = ReadExamSession(exams=PostgresExamReader(store.database, store.clock), lapse_exam=sitting.lapse_exam)
    ways: list[Callable[[Actor], Awaitable[object]]] = [
        lambda actor: read(actor, SESSION),
        lambda actor: sitting.save(3, right(PAPER[2]), actor=actor),
        lambda actor: sitting.beat(seq=1, actor=actor),
        lambda actor: sitting.lapse_exam(actor.user_id, SESSION),
    ]

    async def one(number: int) -> object:
        try:
            return await ways[number % len(ways)](_of(number))
        except DomainError as refusal:
            return refusal.code

    return await asyncio.gather(*(one(number) for number in range(STUDENTS) if number % 10 != 9))


@pytest.fixture
async def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    store = exams_on_postgres(cloned, database, clock)
    await _settle(store)
    return store


@pytest.fixture
async def elsewhere(store: ExamsOnPostgres) -> AsyncIterator[ExamsOnPostgres]:
    """The same exams as another process sees them: it does not wait in the first one's queue for a connection."""
    database = Database(store.cloned.urls.app, pool_min=4, pool_max=4)
    await database.open()
    yield exams_on_postgres(store.cloned, database, store.clock)
    await database.close()


async def _again(store: ExamsOnPostgres) -> None:
    store.cloned.empty()
    await _settle(store)


async def test_sweepers_and_students_who_come_back_leave_together_what_either_leaves_alone(
    store: ExamsOnPostgres, elsewhere: ExamsOnPostgres
) -> None:
    due = STUDENTS - STUDENTS // 10
    assert await _sweep(store) == Swept(due=due, ended=due)
    swept = await _state(store)
    counts = Counter((row["status"], row["seal_reason"]) for row in swept)
    assert counts == {
        ("active", None): STUDENTS // 10,
        ("finished", "timeout"): due // 3,
        ("overdue", None): due // 3,
        ("abandoned", "timeout"): due // 3,
    }
    assert {row["mark"] for row in swept if row["status"] == "finished"} == {2}

    await _again(store)
    await _come_back(store)
    assert await _state(store) == swept, "students alone"

    await _again(store)
    both = await asyncio.gather(_sweep(elsewhere), _come_back(store), _sweep(elsewhere))
    assert await _state(store) == swept, "two sweepers and every student at once"
    assert not both[0].failed + both[2].failed
    assert 0 < both[0].ended + both[2].ended < due, "they met"
    assert await _sweep(store) == Swept(), "nothing is left"


async def test_one_session_that_cannot_be_ended_stops_no_other(store: ExamsOnPostgres) -> None:
    """Whose answers cannot be read, say."""
    broken = {"user_id": _of(0).user_id}
    store.cloned.keeper.execute("update exam_sessions set rules = '7' where user_id = %(user_id)s", broken)
    due = STUDENTS - STUDENTS // 10
    assert await _sweep(store) == Swept(due=due, ended=due - 1, failed=1)
    assert await _sweep(store) == Swept(due=1, failed=1)

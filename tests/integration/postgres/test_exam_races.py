"""Exams where many things happen at once: rows are taken hold of in one order, and the database has the last word."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.postgres.database import Database
from application.exam.answering import GivenAnswer
from application.exam.pulse import Beat
from application.exam.starting import StartExam
from application.exam.views import AnswerSaved, Pulse
from domain.errors import StoreConflict
from domain.exam import moves
from domain.exam.record import EntryKind, first_broken
from domain.exam.sessions import ExamStatus
from tests.support.exam_builders import PACKAGE, PAPER, STUDENT, exam_session, right, wrong
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.exam_twins import Candidate, Candidates, candidates
from tests.support.postgres import ClonedDatabase, SettableClock

_ANOTHER_TIER = (
    """
    insert into exam_package_tiers (id, exam_package_id, name, weekly_exam_sessions)
    values ('tie_better', 'pkg_security', 'Better', 5)
    """,
    "update enrollments set status = 'ended', ended_at = started_at, end_reason = 'tier_change'",
    """
    insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at)
    values ('usr_ada', 'enr_new', 'pkg_security', 'tie_better', 'active', '2030-01-01')
    """,
)


@pytest.fixture
async def three(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Candidates:
    """Each has an exam of an hour, ten seconds old."""
    found = candidates(cloned, database, clock)
    await found.begin(1)
    clock.advance(seconds=10)
    return found


@pytest.fixture
def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    """A student who is enrolled and has not begun."""
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    return store


def starting(store: ExamsOnPostgres) -> StartExam:
    return StartExam(ids=store.ids, transact=store.exams, paper_reader=store.papers)


async def test_whatever_happens_to_a_session_at_once_waits_its_turn(three: Candidates, cloned: ClonedDatabase) -> None:
    """Nobody waits in a circle, nothing is lost, and nothing follows what ended the session but its grade."""
    deadlocks = _deadlocks(cloned)
    quick = three.quick
    await quick.store.quick_exam.paper(quick.actor.user_id, "exs_1")  # so that answers come as soon as the others

    async def hand_in() -> None:
        await asyncio.sleep(0.03)
        await quick.move("exs_1", lambda session: moves.submit(session, three.clock.now()))

    told = await asyncio.gather(
        *_answers(quick, base=0),
        *(quick.beat("exs_1", Beat(seq=seq, snapshot=b'{"n": %d}' % seq)) for seq in range(1, 9)),
        *(quick.move("exs_1", lambda session: moves.adjust_time(session, 1, three.clock.now())) for _ in range(6)),
        *_answers(quick, base=1, careful=three),
        hand_in(),
        *_answers(quick, base=1),
        *(quick.beat("exs_1", Beat(seq=seq)) for seq in range(9, 15)),
    )
    assert _deadlocks(cloned) == deadlocks
    kept, record = await quick.kept("exs_1"), await quick.record("exs_1")
    assert kept["session"].status is ExamStatus.FINISHED
    assert first_broken(record) is None
    assert [entry.position for entry in record] == list(range(1, len(record) + 1))
    assert kept["session"].record_hash == record[-1].hash
    assert record[-1].type == "grade_recorded"
    assert record[-2].type == "moved"
    answers = [entry for entry in record if entry.kind is EntryKind.ANSWER]
    acknowledged = [each for each in told if isinstance(each, AnswerSaved) and not each.stale]
    assert len(answers) == len(acknowledged) == sum(slot.revision for slot in kept["slots"])


async def test_another_student_does_not_wait(three: Candidates, cloned: ClonedDatabase) -> None:
    """What is held of one session is held of no other."""
    with cloned.administration() as connection, connection.transaction():
        user = three.quick.actor.user_id
        connection.execute("select 1 from exam_sessions where user_id = %s for update", [user])
        connection.execute("select 1 from student_progress where user_id = %s for update", [user])
        answer = GivenAnswer(slot=1, response=right(PAPER[0]), base_revision=0)
        assert isinstance(await three.careful.answer("exs_1", answer), AnswerSaved)
        assert isinstance(await three.careful.beat("exs_1", Beat(seq=1)), Pulse)


async def test_a_heartbeat_does_not_wait_for_what_else_its_student_does(
    three: Candidates, cloned: ClonedDatabase
) -> None:
    """Their practice, say, which holds the student's own row."""
    with cloned.administration() as connection, connection.transaction():
        connection.execute("select 1 from student_progress where user_id = %s for update", [three.quick.actor.user_id])
        assert isinstance(await three.quick.beat("exs_1", Beat(seq=1)), Pulse)
        answer = GivenAnswer(slot=1, response=right(PAPER[0]), base_revision=0)
        assert isinstance(await three.quick.answer("exs_1", answer), AnswerSaved)


async def test_a_start_that_waited_for_another_tier_is_by_that_tier(
    store: ExamsOnPostgres, cloned: ClonedDatabase
) -> None:
    with cloned.administration() as connection, connection.transaction():
        for statement in _ANOTHER_TIER:
            connection.execute(statement.encode())
        waiting = asyncio.create_task(starting(store)(STUDENT, PACKAGE))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    started = await waiting
    assert (await store.session_of(STUDENT.user_id, started.session.id)).tier_id == "tie_better"


async def test_of_starts_under_many_names_one_begins_a_session(store: ExamsOnPostgres) -> None:
    """However many names a client makes up."""
    started = await asyncio.gather(
        *(starting(store)(STUDENT, PACKAGE, session_id=f"exs_{number}") for number in range(12)),
    )
    assert len({each.session.id for each in started}) == 1
    assert sum(each.new for each in started) == 1
    assert len(await store.exams(lambda work: work.attempts(STUDENT.user_id, PACKAGE))) == 1


async def test_sessions_that_are_added_past_all_guards_collide(store: ExamsOnPostgres) -> None:
    """The index decides, not the order of the code."""

    async def add(number: int) -> Any:
        try:
            return await store.begin(exam_session(session_id=f"exs_{number}", attempt_no=number))
        except StoreConflict:
            return None

    added = await asyncio.gather(*(add(number) for number in range(1, 9)))
    assert sum(each is not None for each in added) == 1


def _answers(candidate: Candidate, *, base: int, careful: Candidates | None = None) -> list[Any]:
    """An answer to each slot, by the quick way or, of the same student, by the careful one.

    Those of one revision differ from each other: an exact repeat would be acknowledged without being another answer.
    """
    asked = candidate
    if careful is not None:
        asked = Candidate(
            name=candidate.name,
            store=candidate.store,
            save_answer=careful.careful.save_answer,
            heartbeat=candidate.heartbeat,
        )
    return [
        asked.answer(
            "exs_1",
            GivenAnswer(
                slot=slot,
                response=right(offer) if not base else None if careful else wrong(offer),
                base_revision=base,
                autosave=True,
            ),
        )
        for slot, offer in enumerate(PAPER, start=1)
    ]


def _deadlocks(cloned: ClonedDatabase) -> int:
    row = cloned.keeper.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])

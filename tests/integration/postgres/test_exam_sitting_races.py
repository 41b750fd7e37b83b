"""Many at once on PostgreSQL: what is acknowledged is graded, what comes after the end is refused, all ends once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from adapters.memory.exam.overseeing import MemoryOverseeWork
from adapters.memory.exam.quick import NoQuickExam
from adapters.postgres.database import Database
from adapters.postgres.exam.overseeing import PostgresOverseeWork
from application.exam.answering import GivenAnswer, SaveAnswer
from application.exam.overseeing import ForceSubmitExam
from application.exam.submitting import SubmitExam
from application.exam.sweeping import LapseExam
from application.exam.views import AnswerSaved, SessionView
from domain.exam.record import EntryKind, first_broken
from domain.exam.refusals import ExamAlreadySubmitted, StaleWrite
from domain.exam.sessions import ExamStatus, SealReason
from domain.question_bank.questions import Response
from tests.support.exam_builders import PAPER, ROOT, SESSION, STUDENT, exam_session, later, right, wrong
from tests.support.exam_gates import Gate, stopping, until_somebody_waits
from tests.support.exam_sitting import Sitting, final
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

MANY = 12
ROUNDS = 6
RIGHT, WRONG = right(PAPER[0]), wrong(PAPER[0])


@pytest.fixture
async def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(later())
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    store.admit(ROOT)
    await store.begin(exam_session())
    return store


@pytest.fixture(params=["quickly", "carefully"])
def sitting(store: ExamsOnPostgres, request: pytest.FixtureRequest) -> Sitting:
    """Answers in one round trip, and answers that the unit of work decides."""
    if request.param == "carefully":
        store.quick_exam = NoQuickExam()
    return Sitting(store)


async def _at_once(*acts: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*acts, return_exceptions=True)


async def _assert_sound(store: ExamsOnPostgres, session_id: str = SESSION) -> None:
    """The record holds together, ends where the session says, and nothing was answered after the end."""
    record = await store.record_of(STUDENT.user_id, session_id)
    session = await store.session_of(STUDENT.user_id, session_id)
    assert first_broken(record) is None
    assert (session.record_count, session.record_hash) == (len(record), record[-1].hash)
    assert [each.type for each in record][-2:] == ["session_submitted", "grade_recorded"]
    assert len(await store.grades_of(STUDENT.user_id, session_id)) == session.grade_revision == 1
    assert session.status is ExamStatus.FINISHED


async def test_an_answer_that_meets_the_submission_waits_and_is_refused(
    store: ExamsOnPostgres, sitting: Sitting, cloned: ClonedDatabase
) -> None:
    gate = Gate()
    slow = SubmitExam(transact=stopping(store, gate, "add_grade"), ids=store.ids)
    submission = asyncio.create_task(slow(STUDENT, SESSION))
    await asyncio.wait_for(gate.reached.wait(), 30)
    answer = asyncio.create_task(sitting.save(1, RIGHT, autosave=True))
    await until_somebody_waits(cloned)
    gate.go.set()
    handed_in = await submission
    with pytest.raises(ExamAlreadySubmitted):
        await answer
    assert handed_in.result is not None
    assert handed_in.result.mark == 0
    assert (await store.slots_of(STUDENT.user_id, SESSION))[0].revision == 0
    await _assert_sound(store)


async def test_a_submission_that_meets_an_answer_waits_and_counts_it(
    store: ExamsOnPostgres, cloned: ClonedDatabase
) -> None:
    gate = Gate()
    slow = SaveAnswer(transact=stopping(store, gate, "save_slot"), ids=store.ids, quick=NoQuickExam())
    given = GivenAnswer(slot=1, response=RIGHT, base_revision=0, autosave=True)
    answer = asyncio.create_task(slow(STUDENT, SESSION, given))
    await asyncio.wait_for(gate.reached.wait(), 30)
    submission = asyncio.create_task(Sitting(store).submit())
    await until_somebody_waits(cloned)
    gate.go.set()
    assert (await answer).revision == 1
    result = (await submission).result
    assert result is not None
    assert result.mark == 1
    await _assert_sound(store)


async def test_what_was_acknowledged_is_what_is_graded_however_answers_and_submission_meet(
    store: ExamsOnPostgres, sitting: Sitting
) -> None:
    refused = 0
    for number in range(ROUNDS):
        session_id = f"exs_round_{number}"
        if number == 0:
            await sitting.submit()
        await store.begin(exam_session(session_id=session_id, attempt_no=number + 2))
        saves = [
            sitting.save(slot, right(offer), session_id=session_id, autosave=True)
            for slot, offer in enumerate(PAPER, start=1)
        ]
        half = len(saves) // 2
        outcomes = await _at_once(*saves[:half], sitting.submit(session_id=session_id), *saves[half:])
        handed_in = outcomes.pop(half)
        assert isinstance(handed_in, SessionView)
        assert {type(each) for each in outcomes} <= {AnswerSaved, ExamAlreadySubmitted}
        acknowledged = [each.slot for each in outcomes if isinstance(each, AnswerSaved)]
        refused += len(outcomes) - len(acknowledged)
        slots = await store.slots_of(STUDENT.user_id, session_id)
        assert [slot.slot for slot in slots if slot.revision] == acknowledged
        assert handed_in.result is not None
        assert handed_in.result.mark == sum(PAPER[slot - 1].points for slot in acknowledged)
        await _assert_sound(store, session_id)
    assert refused > 0, "they never met"


async def test_of_many_answers_from_the_same_revision_one_is_accepted(store: ExamsOnPostgres, sitting: Sitting) -> None:
    for base in range(ROUNDS):
        letters = "AB" if base % 2 else "CD"  # none of them is what stands: that would change nothing
        given = [Response.choosing(letters[turn // 2 % 2]) for turn in range(MANY)]
        saves = [sitting.save(1, each, base=base, autosave=turn % 2 == 0) for turn, each in enumerate(given)]
        outcomes = await _at_once(*saves)
        (slot, *_) = await store.slots_of(STUDENT.user_id, SESSION)
        told = Counter("stale" if isinstance(each, StaleWrite) or each.stale else "saved" for each in outcomes)
        # Who sent what stands may have sent it again, as far as anybody can tell.
        assert told["saved"] == given.count(slot.response or Response())
        assert slot.revision == base + 1
        saved = [turn for turn, each in enumerate(outcomes) if isinstance(each, AnswerSaved) and not each.stale]
        assert all(slot.response == given[turn] for turn in saved)
    record = await store.record_of(STUDENT.user_id, SESSION)
    assert first_broken(record) is None
    assert [each.revision for each in record] == list(range(1, ROUNDS + 1))


async def test_however_often_an_exam_is_handed_in_at_once_it_is_handed_in_once(
    store: ExamsOnPostgres, sitting: Sitting
) -> None:
    await sitting.answer_all()
    ways = [[], [final(1, WRONG, base=1)], [final(1, None, base=1)]]
    outcomes = await _at_once(*(sitting.submit(ways[turn % 3]) for turn in range(MANY)))
    first = outcomes[0]
    assert isinstance(first, SessionView)
    assert all(each == first for each in outcomes), "the second hears what the first heard"
    await _assert_sound(store)
    progress = await store.exams(lambda work: work.hold_progress(STUDENT.user_id))
    assert progress.questions_answered == len(PAPER), "credited once"


async def test_of_student_and_staff_who_hand_in_at_once_one_does(store: ExamsOnPostgres) -> None:
    sitting, oversee = Sitting(store), store.unit(MemoryOverseeWork, PostgresOverseeWork)
    force = ForceSubmitExam(transact=oversee, ids=store.ids)
    for number in range(ROUNDS):
        session_id = f"exs_round_{number}"
        if number == 0:
            await sitting.submit()
        await store.begin(exam_session(session_id=session_id, attempt_no=number + 2))
        acts = [sitting.submit(session_id=session_id), force(ROOT, STUDENT.user_id, session_id, "time is up")]
        outcomes = await _at_once(*(acts if number % 2 else reversed(acts)))
        assert not [each for each in outcomes if isinstance(each, BaseException)]
        await _assert_sound(store, session_id)
        session = await store.session_of(STUDENT.user_id, session_id)
        by_staff = session.seal_reason is SealReason.FORCED
        assert session.sealed_by == (ROOT.user_id if by_staff else None)
        audited = [each for each in await store.audit_log() if session_id in each.subject]
        assert len(audited) == by_staff, "what staff did not do is not on record"


async def test_of_many_heartbeats_at_once_the_highest_stands(store: ExamsOnPostgres, sitting: Sitting) -> None:
    beats = [sitting.beat(seq=seq, snapshot=b'{"seq": %d}' % seq) for seq in (5, 1, 9, 3, 8, 2, 7, 4, 6, 9)]
    outcomes = await _at_once(*beats)
    assert not [each for each in outcomes if isinstance(each, BaseException)]
    assert (await store.session_of(STUDENT.user_id, SESSION)).last_seq == 9
    assert await store.snapshot_of(STUDENT.user_id, SESSION) == {"seq": 9}


async def test_heartbeats_with_an_unknown_id_begin_one_exam(store: ExamsOnPostgres, sitting: Sitting) -> None:
    await sitting.submit()
    beats = [sitting.beat(session_id=f"mine-{turn % 3}", seq=turn + 1) for turn in range(MANY)]
    outcomes = await _at_once(*beats)
    assert not [each for each in outcomes if isinstance(each, BaseException)]
    assert len({each.id for each in outcomes}) == 1
    row = await store.database.fetch_one("select count(*) as live from exam_sessions where status = 'active'")
    assert row == {"live": 1}


async def test_an_event_that_is_sent_many_times_at_once_is_recorded_once(
    store: ExamsOnPostgres, sitting: Sitting
) -> None:
    outcomes = await _at_once(*(sitting.record(client_event_id="one") for _ in range(MANY)))
    (created,) = (each for each in outcomes if each.created)
    assert [replace(each, created=True) for each in outcomes] == [created] * MANY
    events = [each for each in await store.record_of(STUDENT.user_id, SESSION) if each.kind is EntryKind.EVENT]
    assert len(events) == 1


async def test_what_is_being_written_about_a_session_is_not_overwritten_when_its_time_is_over(
    store: ExamsOnPostgres, cloned: ClonedDatabase
) -> None:
    """The statements of one round trip hold the session and not its student."""
    store.clock.advance(hours=2)
    with psycopg.connect(cloned.superuser) as other:
        other.execute("update exam_sessions set last_seq = 99")
        lapsing = asyncio.create_task(Sitting(store).lapse_exam(STUDENT.user_id, SESSION))
        await until_somebody_waits(cloned)
    assert await lapsing
    session = await store.session_of(STUDENT.user_id, SESSION)
    assert (session.last_seq, session.status) == (99, ExamStatus.FINISHED)


@pytest.mark.parametrize("by", ["a command", "the sweeper"])
async def test_the_student_is_held_before_the_session(store: ExamsOnPostgres, cloned: ClonedDatabase, by: str) -> None:
    """Everybody takes hold of them in this order, so that nobody waits for somebody who waits."""
    await store.exams(lambda work: work.hold_progress(STUDENT.user_id))
    store.clock.advance(hours=2)
    gate = Gate()
    transact = stopping(store, gate, "hold_session")
    command, sweeper = SubmitExam(transact=transact, ids=store.ids), LapseExam(transact=transact, ids=store.ids)
    act = command(STUDENT, SESSION) if by == "a command" else sweeper(STUDENT.user_id, SESSION)
    holding = asyncio.gather(act)
    await asyncio.wait_for(gate.reached.wait(), 30)
    students = cloned.keeper.execute("select 1 from student_progress for update skip locked").fetchall()
    sessions = cloned.keeper.execute("select 1 from exam_sessions for update skip locked").fetchall()
    gate.go.set()
    await holding
    assert (len(students), len(sessions)) == (0, 1)

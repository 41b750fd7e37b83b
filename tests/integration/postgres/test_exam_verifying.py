"""Verifying exams on the real database: whatever is changed by SQL is told, and exams that go on are left in peace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapters.memory.exam.overseeing import MemoryOverseeWork
from adapters.postgres.database import Database
from adapters.postgres.exam.overseeing import PostgresOverseeWork
from adapters.postgres.exam.verifying import PostgresVerifyTransaction, PostgresVerifyWork
from application.exam import verifying
from application.exam.accommodating import SetAccommodation
from application.exam.overseeing import (
    AdjustTime,
    InvalidateExam,
    PauseExam,
    ReinstateExam,
    ReopenExam,
    ResumeExam,
    TerminateExam,
)
from application.exam.ports.verifying import ChosenExams
from application.exam.starting import AuthoriseExam
from application.exam.verifying import VerifiedExam, VerifyExams
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.regrading import RegradeMode
from domain.exam.sessions import ExamSession, ExamStatus
from domain.exam.verifying import Fault
from domain.exam.voiding import Void, VoidMode
from entrypoints.cli.exam import exam
from tests.support.exam_builders import PACKAGE, PAPER, ROOT, STRANGER, STUDENT
from tests.support.exam_regrading import Regrading
from tests.support.exam_sitting import Sitting
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.exam_verified import sat, started
from tests.support.postgres import ClonedDatabase, SettableClock

LONG_AGO = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
Ace = Callable[..., Awaitable[Result]]


@pytest.fixture
def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(LONG_AGO)
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT, STRANGER)
    store.admit(ROOT)
    return store


@pytest.fixture
def verify(store: ExamsOnPostgres) -> VerifyExams:
    return VerifyExams(transact=PostgresVerifyTransaction(store.database, PostgresVerifyWork, store.ids))


@pytest.fixture
async def session(store: ExamsOnPostgres) -> ExamSession:
    """Sat and graded, and graded once more: a question was dropped, another one was marked by its corrected key."""
    session, regrading = await sat(store), Regrading(store)
    single = next(offer for offer in PAPER if offer.id == "qst_single")
    regrading.correct(single, "A")
    await regrading.regrade(
        ROOT, session.user_id, session.id, mode=RegradeMode.LATEST_VERSIONS, reason="a wrong key", dry_run=False
    )
    store.clock.advance(minutes=5)
    await _void(store, "qst_text")
    await regrading.regrade(
        ROOT, session.user_id, session.id, mode=RegradeMode.AS_ASKED, reason="nobody could know", dry_run=False
    )
    return await store.session_of(session.user_id, session.id)


async def _void(store: ExamsOnPostgres, question_id: str) -> None:
    store.void(
        Void(
            id="vod_1",
            exam_package_id=PACKAGE,
            question_id=question_id,
            version=1,
            mode=VoidMode.DROP,
            reason="nobody could know",
            created_at=store.clock.now(),
            created_by=ROOT.user_id,
        )
    )


def _told(exam: VerifiedExam) -> set[tuple[Fault, str]]:
    return {(found.fault, found.where) for found in exam.findings}


async def test_what_was_graded_three_times_is_as_its_record_says(verify: VerifyExams, session: ExamSession) -> None:
    assert session.grade_revision == 3
    found = await verify.one(session.user_id, session.id)
    assert found.findings == ()
    assert (found.grades, found.entries) == (3, session.record_count)


# Each is one statement, as somebody with rights on the tables could send it.
_TAMPERING = {
    "an answer in the record": (
        """update exam_records set content = '{"choiceIds":["D"]}' where session_id = %(id)s and position = 2""",
        {(Fault.ENTRY_CHANGED, "entry 2")},
    ),
    "the time of an answer": (
        """update exam_records set effective_at = effective_at - interval '1 hour'
           where session_id = %(id)s and position = 3""",
        {(Fault.ENTRY_CHANGED, "entry 3")},
    ),
    "an event": (
        "update exam_records set type = 'focus_gained' where session_id = %(id)s and type = 'focus_lost'",
        {(Fault.ENTRY_CHANGED, "entry 11")},
    ),
    "a dropped entry": (
        "delete from exam_records where session_id = %(id)s and position = 11",
        {(Fault.ENTRIES_MISSING, "entry 11")},
    ),
    "the last entry dropped": (
        """delete from exam_records where session_id = %(id)s
              and position = (select max(position) from exam_records where session_id = %(id)s)""",
        {(Fault.RECORD_LENGTH, "session"), (Fault.GRADE_UNTOLD, "grade 3")},
    ),
    "an inserted entry": (
        """insert into exam_records
           select (jsonb_populate_record(r, jsonb_build_object('id', 'evt_new', 'client_event_id', 'new', 'position',
                       (select max(position) + 1 from exam_records where session_id = %(id)s)))).*
             from exam_records r where session_id = %(id)s and position = 11""",
        {(Fault.ENTRY_CHANGED, "entry 16"), (Fault.RECORD_LENGTH, "session")},
    ),
    "the head": (
        "update exam_sessions set record_hash = sha256('x') where id = %(id)s",
        {(Fault.RECORD_HEAD, "session")},
    ),
    "the length": (
        "update exam_sessions set record_count = record_count + 1 where id = %(id)s",
        {(Fault.RECORD_LENGTH, "session")},
    ),
    "an answer on the paper": (
        """update exam_slots set response = '{"choice_ids": ["A"]}' where session_id = %(id)s
           and question_id = 'qst_true_false'""",
        {(Fault.ANSWER_CHANGED, "slot {qst_true_false}")},
    ),
    "a mark on the paper": (
        "update exam_slots set mark = 0.5 where session_id = %(id)s and question_id = 'qst_true_false'",
        {(Fault.RESULT_CHANGED, "slot {qst_true_false}")},
    ),
    "the result": ("update exam_sessions set mark = 1 where id = %(id)s", {(Fault.RESULT_CHANGED, "session")}),
    "the total of an old grade": (
        "update exam_grades set mark = 1 where session_id = %(id)s and revision = 1",
        {(Fault.GRADE_CHANGED, "grade 1"), (Fault.GRADE_TOLD_OTHERWISE, "grade 1")},
    ),
    "a mark of a grade": (
        """update exam_grades set marks = jsonb_set(marks, '{0,mark}', '"0.25"')
           where session_id = %(id)s and revision = 2""",
        {(Fault.MARK_CHANGED, "grade 2, slot 1")},
    ),
    "a grade that nobody gave": (
        """insert into exam_grades select (jsonb_populate_record(g, '{"revision": 4}')).* from exam_grades g
           where session_id = %(id)s and revision = 3""",
        {(Fault.GRADE_UNTOLD, "grade 4")},
    ),
    "a key": (
        """update question_versions set answer_key = jsonb_set(answer_key, '{correct}', '["A"]')
           where question_id = 'qst_true_false'""",
        {(Fault.MARK_CHANGED, f"grade {number}, slot {{qst_true_false}}") for number in (1, 2, 3)},
    ),
    "a corrected key": (
        """update question_versions set answer_key = jsonb_set(answer_key, '{correct}', '["D"]')
           where question_id = 'qst_single' and version = 2""",
        {(Fault.MARK_CHANGED, "grade 2, slot {qst_single}")},
    ),
    "a void that is gone": ("delete from exam_voids", {(Fault.MARK_CHANGED, "grade 3, slot {qst_text}")}),
    "the status": (
        "update exam_sessions set status = 'terminated' where id = %(id)s",
        {(Fault.STATUS_CHANGED, "session")},
    ),
    "the time allowed": (
        "update exam_sessions set adjust_seconds = 600, deadline = deadline + interval '10 minutes' where id = %(id)s",
        {(Fault.TIME_CHANGED, "adjusted")},
    ),
    "what a place asks": (
        "update exam_slots set version = 2 where session_id = %(id)s and question_id = 'qst_single'",
        {(Fault.FORM_CHANGED, "session")},
    ),
    "the order of choices": (
        """update exam_slots set choice_order = array['C', 'B', 'A'] where session_id = %(id)s
           and question_id = 'qst_true_false'""",
        {(Fault.FORM_CHANGED, "session")},
    ),
    "the pass mark": (
        """update exam_sessions set rules = jsonb_set(rules, '{pass_mark}', '"1"') where id = %(id)s""",
        {(Fault.FORM_CHANGED, "session")},
    ),
    "the latency": (
        "update exam_sessions set rules = jsonb_set(rules, '{latency_seconds}', '999') where id = %(id)s",
        {(Fault.FORM_CHANGED, "session")},
    ),
    "the number of the attempt": (
        "update exam_sessions set attempt_no = 7 where id = %(id)s",
        {(Fault.FORM_CHANGED, "session")},
    ),
    "who ended it, and that it was late": (
        "update exam_sessions set sealed_by = user_id, seal_note = 'x', late = true where id = %(id)s",
        {(Fault.ENDING_CHANGED, "late"), (Fault.ENDING_CHANGED, "sealedBy"), (Fault.ENDING_CHANGED, "sealNote")},
    ),
    "the deadline": (
        "update exam_sessions set deadline = deadline + interval '10 minutes' where id = %(id)s",
        {(Fault.DEADLINE_CHANGED, "deadline")},
    ),
}


@pytest.mark.parametrize("what", _TAMPERING)
async def test_whatever_is_changed_by_sql_is_told_and_where(
    store: ExamsOnPostgres, verify: VerifyExams, session: ExamSession, cloned: ClonedDatabase, what: str
) -> None:
    statement, expected = _TAMPERING[what]
    assert cloned.keeper.execute(statement.encode(), {"id": session.id}).rowcount > 0
    slots = {slot.question_id: slot.slot for slot in await store.slots_of(session.user_id, session.id)}
    found = _told(await verify.one(session.user_id, session.id))
    assert {(fault, where.format(**slots)) for fault, where in expected} <= found


async def test_nothing_is_found_wherever_staff_have_led_a_session(store: ExamsOnPostgres, verify: VerifyExams) -> None:
    """Every move there is, and the record agrees after each of them."""
    session, sitting = await started(store), Sitting(store)
    oversee: dict[str, Any] = {"transact": store.unit(MemoryOverseeWork, PostgresOverseeWork), "ids": store.ids}
    who = (ROOT, session.user_id, session.id)

    async def passes(status: ExamStatus) -> None:
        found = await verify.one(session.user_id, session.id)
        assert found.findings == ()
        assert (await store.session_of(session.user_id, session.id)).status is status
        store.clock.advance(seconds=7)

    await passes(ExamStatus.ACTIVE)
    await sitting.beat(session_id=session.id, seq=1)
    store.clock.advance(seconds=40)
    await sitting.beat(session_id=session.id, seq=2)
    await passes(ExamStatus.ACTIVE)
    await PauseExam(**oversee)(*who, "a fire")
    await passes(ExamStatus.PAUSED)
    await ResumeExam(**oversee)(*who, "put out")
    await AdjustTime(**oversee)(*who, 300, "for the fire")
    await passes(ExamStatus.ACTIVE)
    await TerminateExam(**oversee)(*who, "a phone")
    await passes(ExamStatus.TERMINATED)
    await ReopenExam(**oversee)(*who, "it was a calculator", 60)
    await passes(ExamStatus.PAUSED)
    await InvalidateExam(**oversee)(*who, "a phone after all")
    await passes(ExamStatus.INVALIDATED)
    await ReinstateExam(**oversee)(*who, "no")
    await passes(ExamStatus.FINISHED)


async def test_more_time_for_a_student_is_as_the_record_says_whenever_it_is_granted(
    store: ExamsOnPostgres, verify: VerifyExams, cloned: ClonedDatabase
) -> None:
    grant = SetAccommodation(transact=store.unit(MemoryOverseeWork, PostgresOverseeWork), ids=store.ids)
    await grant(ROOT, STUDENT.user_id, Decimal("1.50"), 60, "a certificate")
    session, sitting = await started(store), Sitting(store)
    assert (await verify.one(session.user_id, session.id)).findings == ()
    await grant(ROOT, STUDENT.user_id, Decimal(2), 60, "another one", apply_to_live=True)
    assert (await store.session_of(session.user_id, session.id)).accommodation.multiplier == 2
    assert (await verify.one(session.user_id, session.id)).findings == ()
    store.clock.advance(hours=3)
    await sitting.sweep()
    assert (await verify.one(session.user_id, session.id)).findings == ()
    changed = """update exam_sessions set accommodation = '{"multiplier": "3", "extra_seconds": 60}' where id = %s"""
    cloned.keeper.execute(changed, (session.id,))
    assert (Fault.TIME_CHANGED, "accommodation") in _told(await verify.one(session.user_id, session.id))


async def test_an_exam_that_waited_and_was_handed_in_late_is_as_its_record_says(
    store: ExamsOnPostgres, verify: VerifyExams, cloned: ClonedDatabase
) -> None:
    settings = {"authorised_start": True, "overdue_policy": "grace"}
    cloned.keeper.execute("update exam_packages set settings = settings || %s::jsonb", (json.dumps(settings),))
    session, sitting = await started(store), Sitting(store)
    assert (await verify.one(session.user_id, session.id)).findings == ()
    await AuthoriseExam(ids=store.ids, transact=store.exams)(ROOT, session.user_id, session.id)
    assert (await verify.one(session.user_id, session.id)).findings == ()
    store.clock.advance(hours=1, minutes=5)
    await sitting.submit(session_id=session.id)
    assert (await store.session_of(session.user_id, session.id)).late
    assert (await verify.one(session.user_id, session.id)).findings == ()


async def test_what_time_has_ended_is_as_its_record_says(store: ExamsOnPostgres, verify: VerifyExams) -> None:
    session, sitting = await started(store), Sitting(store)
    store.clock.advance(hours=2)
    await sitting.sweep()
    assert (await verify.one(session.user_id, session.id)).findings == ()


async def test_an_exam_that_goes_on_meanwhile_is_never_taken_for_broken(
    store: ExamsOnPostgres, verify: VerifyExams
) -> None:
    """Each look sees one instant, however the record grows between its statements."""
    session, sitting = await started(store), Sitting(store)
    under_way = True

    async def go_on() -> None:
        for seq in range(1, 60):
            await sitting.beat(session_id=session.id, seq=seq)
            store.clock.advance(seconds=16)
        nonlocal under_way
        under_way = False

    async def look() -> int:
        looks = 0
        while under_way:
            assert (await verify.one(session.user_id, session.id)).findings == ()
            looks += 1
        return looks

    _, looks = await asyncio.gather(go_on(), look())
    assert looks > 1


async def test_long_records_and_many_sessions_are_read_in_batches(
    store: ExamsOnPostgres, verify: VerifyExams, session: ExamSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "ENTRIES_AT_ONCE", 4)
    monkeypatch.setattr(verifying, "SESSIONS_AT_ONCE", 1)
    other = await sat(store, STRANGER)
    told: list[VerifiedExam] = []
    for chosen in (ChosenExams(), ChosenExams(exam_package_id=PACKAGE)):
        told.clear()
        verified = await verify.all(chosen, told.append)
        assert [(exam.session_id, exam.findings) for exam in told] == [(session.id, ()), (other.id, ())]
        assert (verified.sessions, verified.broken, verified.grades) == (2, 0, 4)
        assert verified.entries == session.record_count + other.record_count
    assert (await verify.all(ChosenExams(exam_package_id="pkg_of_nobody"), told.append)).sessions == 0


async def test_a_session_that_there_is_not_is_refused(verify: VerifyExams) -> None:
    with pytest.raises(ExamSessionNotFound):
        await verify.one(STUDENT.user_id, "exs_none")


@pytest.fixture
def ace(cloned: ClonedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ace:
    """The command, in a thread because it has its own event loop. It does not take the signals of the process."""
    monkeypatch.setattr("entrypoints.cli.support.stop_on_signals", lambda: None)
    environ = {
        "DATABASE_URL": cloned.urls.app,
        "ACE_OWNER_DATABASE_URL": cloned.urls.owner,
        "ACE_DATA_DIR": str(tmp_path),
    }

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner(env=environ).invoke, exam, arguments)

    return run


@pytest.mark.parametrize("chosen", ["--all", "--package", "--package slug", "--session"])
async def test_the_operator_is_told_that_all_is_well_or_what_is_not(
    session: ExamSession, ace: Ace, cloned: ClonedDatabase, chosen: str
) -> None:
    slug = cloned.keeper.execute("select slug from exam_packages where id = %s", (PACKAGE,)).fetchall()[0][0]
    one = f"{session.user_id}/{session.id}"
    which = {"--all": (), "--package": (PACKAGE,), "--package slug": (slug,), "--session": (one,)}[chosen]
    chosen = chosen.removesuffix(" slug")
    well = await ace("verify", chosen, *which)
    assert (well.exit_code, well.output) == (0, f"1 sessions, {session.record_count} entries, 3 grades: none broken\n")
    cloned.keeper.execute("update exam_sessions set mark = 1 where id = %s", (session.id,))
    broken = await ace("verify", chosen, *which)
    assert broken.exit_code == 1
    assert f"{session.user_id}/{session.id}: result_changed at session: expected" in broken.stdout
    assert broken.stderr.startswith("exam.record_broken: 1 of 1 sessions")


async def test_scripts_get_a_document(session: ExamSession, ace: Ace, cloned: ClonedDatabase) -> None:
    cloned.keeper.execute("update exam_sessions set record_hash = sha256('x') where id = %s", (session.id,))
    broken = await ace("verify", "--all", "--json")
    assert broken.exit_code == 1
    document = json.loads(broken.stdout)
    assert (document["sessions"], document["broken"], document["grades"]) == (1, 1, 3)
    (found,) = document["found"]
    assert (found["userId"], found["sessionId"], found["examPackageId"]) == (session.user_id, session.id, PACKAGE)
    (finding,) = found["findings"]
    assert (finding["fault"], finding["where"], finding["expected"]) == (
        "record_head",
        "session",
        session.record_hash.hex(),
    )

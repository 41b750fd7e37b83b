"""Grading exams again and declaring questions void, on dictionaries and on the real database: both do the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from application.exam.settling import hold, settle
from application.exam.voiding import VoidRequest
from domain.auth.sessions import Forbidden
from domain.exam.moves import Intervention, invalidate, reinstate, reopen
from domain.exam.record import first_broken
from domain.exam.refusals import ExamNotGraded, ExamSessionNotFound, ReasonRequired
from domain.exam.regrading import RegradeMode
from domain.exam.sessions import ExamSession, ExamStatus, SealReason
from domain.exam.voiding import VoidMode
from domain.progress.readiness import Prediction
from tests.support.exam_builders import PACKAGE, PAPER, ROOT, START, STRANGER, STUDENT, later, right, wrong
from tests.support.exam_regrading import FOUR_RIGHT, MULTIPLE, NUMBER, ORDER, SINGLE, TEXT, TRUTH, WHY, Regrading
from tests.support.exam_stores import exam_store_of
from tests.support.postgres import SettableClock

ALL_RIGHT = {each.id: right(each) for each in PAPER}
AS_ASKED, LATEST = RegradeMode.AS_ASKED, RegradeMode.LATEST_VERSIONS


@pytest.fixture(params=["memory", "postgres"])
def exams(request: pytest.FixtureRequest, clock: SettableClock) -> Regrading:
    """Two students who are enrolled in a package with a question of each kind, and an admin."""
    store = exam_store_of(request, clock)
    store.stock(STUDENT, STRANGER)
    store.admit(ROOT)
    return Regrading(store)


async def moved(
    exams: Regrading, session: ExamSession, move: Callable[[ExamSession, Intervention, Any], ExamSession]
) -> None:
    async def unit(work: Any) -> None:
        held = await hold(work, lambda: exams.store.ids.new("evt"), session.user_id, session.id)
        after = move(held.session, Intervention(actor_id=ROOT.user_id, reason=WHY), work.now)
        await settle(work, lambda: exams.store.ids.new("evt"), held, after, None)

    await exams.transact(unit)


async def test_grading_again_by_the_same_keys_is_a_revision_that_changes_nothing_else(exams: Regrading) -> None:
    session = await exams.begun()
    first = await exams.handed_in(session, FOUR_RIGHT)
    progress, badges = await exams.progress(), await exams.badges()
    assert (progress.exams_finished, progress.exams_passed, set(badges)) == (1, 1, {"first_exam", "first_pass"})
    second = await exams.again(session)
    assert replace(second, revision=1, graded_at=first.graded_at, graded_by=None, reason=None) == first
    assert list(await exams.store.grades_of(session.user_id, session.id)) == [first, second]
    assert (second.revision, second.graded_by, second.reason) == (2, ROOT.user_id, WHY)
    assert (await exams.progress(), await exams.badges()) == (progress, badges)
    stored = await exams.store.session_of(session.user_id, session.id)
    assert (stored.grade_revision, stored.mark, stored.status) == (2, first.mark, ExamStatus.FINISHED)
    record = await exams.store.record_of(session.user_id, session.id)
    assert [entry.type for entry in record] == ["grade_recorded", "grade_recorded"]
    assert first_broken(record) is None
    assert stored.record_hash == record[-1].hash


async def test_every_new_grade_is_in_the_audit_log_with_before_and_after(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    await exams.again(session, dry_run=True)
    assert not await exams.store.audit_log()
    await exams.again(session)
    (entry,) = await exams.store.audit_log()
    assert (entry.actor_id, entry.action, entry.subject, entry.reason) == (
        ROOT.user_id,
        "exam_session.regraded",
        session.id,
        WHY,
    )
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["revision"], entry.after["revision"], entry.after["mode"]) == (1, 2, "as_asked")
    assert entry.after["user_id"] == session.user_id


async def test_a_dry_run_tells_what_would_come_of_it_and_leaves_no_trace(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    before = await exams.store.session_of(session.user_id, session.id)
    exams.correct(SINGLE, "A")
    assert (await exams.again(session, LATEST, dry_run=True)).mark == 3
    assert await exams.store.session_of(session.user_id, session.id) == before
    assert len(await exams.store.grades_of(session.user_id, session.id)) == 1


async def test_corrected_keys_count_where_the_published_version_asks_the_same(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, {SINGLE.id: wrong(SINGLE), MULTIPLE.id: right(MULTIPLE), TRUTH.id: right(TRUTH)})
    exams.correct(SINGLE, wrong(SINGLE).choice_ids[0])
    exams.correct(TRUTH, wrong(TRUTH).choice_ids[0], texts=True)
    corrected = await exams.again(session, LATEST)
    marks = {each.slot: each for each in corrected.marks}
    assert (marks[1].mark, marks[1].key_version, marks[1].correct) == (Decimal(1), 2, True)
    assert (marks[3].mark, marks[3].key_version) == (Decimal(1), None), "other texts: as asked"
    assert {marks[slot].key_version for slot in (2, 4, 5, 6, 7)} == {None}
    slots = await exams.store.slots_of(session.user_id, session.id)
    assert (slots[0].mark, slots[0].correct) == (Decimal(1), True)


async def test_what_was_graded_by_corrected_keys_and_goes_on_is_graded_by_them_when_it_is_handed_in_again(
    exams: Regrading,
) -> None:
    session = await exams.begun()
    await exams.handed_in(session, {SINGLE.id: wrong(SINGLE), MULTIPLE.id: right(MULTIPLE)})
    exams.correct(SINGLE, wrong(SINGLE).choice_ids[0])
    corrected = await exams.again(session, LATEST)
    await moved(exams, session, lambda kept, _by, _now: replace(kept, seal_reason=SealReason.TIMEOUT))
    await moved(exams, session, lambda kept, by, now: reopen(kept, by, now, extra_seconds=2 * 24 * 3600))
    handed_in = await exams.handed_in(session, {MULTIPLE.id: wrong(MULTIPLE)})
    marks = {each.slot: each for each in handed_in.marks}
    assert (handed_in.revision, handed_in.mode) == (3, corrected.mode)
    assert (marks[1].mark, marks[1].key_version, marks[2].mark) == (Decimal(1), 2, Decimal(0))


async def test_what_was_live_and_declared_invalid_keeps_the_corrected_keys_when_it_is_reinstated(
    exams: Regrading,
) -> None:
    session = await exams.begun()
    await moved(exams, session, invalidate)
    exams.correct(SINGLE, "A")
    await exams.again(session, LATEST)
    await moved(exams, session, reinstate)
    grade = await exams.grade_of(session)
    assert (grade.revision, grade.mode, grade.marks[0].key_version) == (2, "latest_versions", 2)


async def test_what_the_exam_counts_for_its_student_follows_its_grade_both_ways(exams: Regrading) -> None:
    prediction = Prediction(
        user_id=STUDENT.user_id,
        id="rdy_1",
        exam_package_id=PACKAGE,
        shown_at=later(days=-1),
        p_pass=0.5,
        expected=4.0,
        lowest=1,
        highest=7,
        need=4,
        questions=8,
        coverage=1.0,
    )
    exams.store.foretell(prediction)
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    day = (await exams.progress()).last_day
    exams.correct(SINGLE, "A")
    failed = await exams.again(session, LATEST)
    progress = await exams.progress()
    assert (failed.passed, progress.exams_finished, progress.exams_passed) == (False, 1, 0)
    assert set(await exams.badges()) == {"first_exam"}
    assert await exams.store.outcome_of(prediction) == (session.id, False)
    passed = await exams.again(session, AS_ASKED)
    progress = await exams.progress()
    assert (passed.passed, progress.exams_passed, progress.last_day) == (True, 1, day)
    assert set(await exams.badges()) == {"first_exam", "first_pass"}
    assert await exams.store.outcome_of(prediction) == (session.id, True)


async def test_a_perfect_exam_is_one_by_its_latest_grade(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, ALL_RIGHT | {ORDER.id: wrong(ORDER)})
    assert "perfect_exam" not in await exams.badges()
    exams.store.clock.set(later(hours=1))
    await exams.declare(ORDER.id, VoidMode.DROP)
    assert (await exams.progress()).perfect_exams == 1
    assert "perfect_exam" in await exams.badges()


async def test_an_invalid_exam_gets_its_new_grade_which_counts_for_nothing_until_it_is_reinstated(
    exams: Regrading,
) -> None:
    session = await exams.begun()
    await exams.handed_in(session, {SINGLE.id: right(SINGLE), MULTIPLE.id: right(MULTIPLE)})
    await moved(exams, session, invalidate)
    report = await exams.declare(NUMBER.id, VoidMode.CREDIT_ALL)
    assert (report.affected, report.regraded, report.failed_to_passed) == (1, 1, 0)
    assert (await exams.progress()).exams_passed == 0
    stored = await exams.store.session_of(session.user_id, session.id)
    assert (stored.status, stored.grade_revision, stored.mark) == (ExamStatus.INVALIDATED, 2, Decimal(4))
    await moved(exams, session, reinstate)
    stored = await exams.store.session_of(session.user_id, session.id)
    assert (stored.status, stored.passed, (await exams.progress()).exams_passed) == (ExamStatus.FINISHED, True, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_badges_go_with_the_last_exam_that_earns_them_in_whatever_order_exams_are_declared_invalid(
    exams: Regrading, order: tuple[int, int]
) -> None:
    sessions = []
    for number in (1, 2):
        sessions.append(await exams.begun(session_id=f"exs_{number}", attempt_no=number))
        await exams.handed_in(sessions[-1], ALL_RIGHT)
    first, second = (sessions[number] for number in order)
    await moved(exams, first, invalidate)
    assert set(await exams.badges()) == {"first_exam", "first_pass", "perfect_exam"}
    await moved(exams, second, invalidate)
    assert await exams.badges() == {}
    await moved(exams, first, reinstate)
    assert set(await exams.badges()) == {"first_exam", "first_pass", "perfect_exam"}


async def test_what_was_declared_invalid_before_it_was_graded_gets_its_first_grade(exams: Regrading) -> None:
    session = await exams.begun()
    await moved(exams, session, invalidate)
    assert (await exams.declare(TEXT.id, VoidMode.DROP)).affected == 0
    done = await exams.regrade(ROOT, session.user_id, session.id, mode=LATEST, reason=WHY, dry_run=False)
    assert (done.before, done.after.revision, done.after.max_mark) == (None, 1, Decimal(7))
    assert (await exams.progress()).exams_finished == 0


@pytest.mark.parametrize("status", [ExamStatus.ACTIVE, ExamStatus.PAUSED])
async def test_what_has_no_grade_is_not_graded_again(exams: Regrading, status: ExamStatus) -> None:
    session = await exams.begun(status=status, paused_at=START if status is ExamStatus.PAUSED else None)
    exams.store.clock.set(START)
    with pytest.raises(ExamNotGraded):
        await exams.regrade(ROOT, session.user_id, session.id, mode=AS_ASKED, reason=WHY, dry_run=False)
    with pytest.raises(ExamSessionNotFound):
        await exams.regrade(ROOT, STRANGER.user_id, session.id, mode=AS_ASKED, reason=WHY, dry_run=False)
    with pytest.raises(ReasonRequired):
        await exams.regrade(ROOT, session.user_id, session.id, mode=AS_ASKED, reason=" ", dry_run=False)
    with pytest.raises(Forbidden):
        await exams.regrade(STUDENT, session.user_id, session.id, mode=AS_ASKED, reason=WHY, dry_run=False)
    with pytest.raises(Forbidden):
        await exams.void(STUDENT, PACKAGE, VoidRequest(question_id=SINGLE.id, mode=VoidMode.DROP, reason=WHY))


async def test_an_exam_whose_time_ran_out_unseen_is_ended_before_it_is_graded_again(exams: Regrading) -> None:
    session = await exams.begun()
    exams.store.clock.set(later(days=1))
    done = await exams.regrade(ROOT, session.user_id, session.id, mode=AS_ASKED, reason=WHY, dry_run=False)
    assert done.before is not None
    assert (done.before.revision, done.after.revision) == (1, 2)

"""What exams tell of a student, and what they hold on to: on dictionaries and on the real database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.memory.enrollment.enrolling import MemoryEnrollmentWork
from adapters.memory.progress.evidence import MemoryFacilityWork, MemoryReadinessWork
from adapters.postgres.database import Database
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentWork
from adapters.postgres.enrollment.packages import PostgresPackageWork
from adapters.postgres.progress.evidence import PostgresFacilityWork, PostgresReadinessWork
from adapters.postgres.progress.history import PostgresHistoryReader
from adapters.postgres.question_bank.authoring import PostgresAuthoringWork
from application.enrollment.enrolling import CancelEnrollment
from application.exam.settling import hold, settle
from application.progress.estimating import CountFacilities
from domain.enrollment.package_refusals import PackageInUse, TierInUse
from domain.enrollment.refusals import EnrollmentNotFound, LiveExam
from domain.enrollment.settings import OverduePolicy
from domain.exam.moves import Intervention, invalidate
from domain.exam.sessions import ExamSession, ExamStatus
from domain.exam.voiding import Void, VoidMode
from domain.progress.evidence import PackageEvidence
from tests.support.exam_builders import (
    AN_HOUR,
    PACKAGE,
    ROOT,
    START,
    STUDENT,
    TIER,
    exam_rules,
    exam_session,
    later,
    right,
    wrong,
)
from tests.support.exam_overseeing import Oversight
from tests.support.exam_regrading import Regrading
from tests.support.exam_stores import ExamsOnPostgres, exam_store_of, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import Offer

PAPER = [Offer(id=f"qst_{number}", topic_id="top_1" if number < 4 else "top_2") for number in range(6)]


@pytest.fixture(params=["memory", "postgres"])
def exams(request: pytest.FixtureRequest, clock: SettableClock) -> Regrading:
    store = exam_store_of(request, clock)
    store.stock(STUDENT, paper=PAPER)
    store.admit(ROOT)
    return Regrading(store)


@pytest.fixture
def stored(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    """On the real database only."""
    clock.set(START)
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT, paper=PAPER)
    return store


async def evidence(exams: Regrading) -> PackageEvidence:
    transact = exams.store.unit(MemoryReadinessWork, PostgresReadinessWork)
    found: PackageEvidence | None = await transact(lambda work: work.evidence(STUDENT.user_id, PACKAGE))
    assert found is not None
    return found


async def sat(exams: Regrading) -> ExamSession:
    """Two right, one wrong, three blank; all of it half an hour ago."""
    session = await exams.begun(paper=PAPER)
    exams.store.clock.set(later(minutes=10))
    await exams.handed_in(
        session, {PAPER[0].id: right(PAPER[0]), PAPER[1].id: right(PAPER[1]), PAPER[4].id: wrong(PAPER[4])}
    )
    exams.store.clock.set(later(minutes=40))
    return session


async def test_every_question_of_a_finished_exam_tells_of_its_topic_a_blank_one_that_nothing_was_known(
    exams: Regrading,
) -> None:
    session = await exams.begun(paper=PAPER)
    assert (await evidence(exams)).answers == ()
    exams.store.clock.set(later(minutes=10))
    await exams.handed_in(session, {PAPER[0].id: right(PAPER[0])})
    answers = (await evidence(exams)).answers
    assert sorted((each.question_id, each.fraction) for each in answers) == [
        (each.id, float(each is PAPER[0])) for each in PAPER
    ]
    assert {each.topic_id for each in answers} == {"top_1", "top_2"}
    assert {each.answered_at for each in answers} == {later(minutes=10)}


async def test_an_exam_that_counts_again_is_no_day_of_study_of_its_student(exams: Regrading) -> None:
    """They studied when they handed it in; it is the staff that acts now."""
    session = await sat(exams)
    days = await exams.transact(lambda work: work.study_days(STUDENT.user_id))
    assert len(days) == 1
    before = await exams.progress()
    staff, whose = Oversight(exams.store), {"user_id": session.user_id, "session_id": session.id}
    await staff.act("invalidate", **whose)
    exams.store.clock.set(later(days=3))
    await staff.act("reinstate", **whose)
    assert await exams.transact(lambda work: work.study_days(STUDENT.user_id)) == days
    assert await exams.progress() == before


async def test_what_was_dropped_or_credited_tells_nothing_and_what_is_accepted_as_well_tells_what_it_earned(
    exams: Regrading,
) -> None:
    await sat(exams)
    for number, (offer, mode) in enumerate(
        ((PAPER[0], VoidMode.DROP), (PAPER[2], VoidMode.CREDIT_ALL), (PAPER[4], VoidMode.ACCEPT_ALSO))
    ):
        void = Void(
            id=f"vod_{number}",
            exam_package_id=PACKAGE,
            question_id=offer.id,
            version=1,
            mode=mode,
            accepted=tuple(wrong(offer).choice_ids) if mode is VoidMode.ACCEPT_ALSO else (),
            reason="why",
            created_at=later(minutes=41),
            created_by=ROOT.user_id,
        )
        exams.store.void(void)
        exams.store.clock.set(later(minutes=42))
        assert await exams.regard(void) == 1
    told = {each.question_id: each.fraction for each in (await evidence(exams)).answers}
    assert told == {PAPER[1].id: 1.0, PAPER[3].id: 0.0, PAPER[4].id: 1.0, PAPER[5].id: 0.0}


async def test_an_exam_that_does_not_count_tells_nothing(exams: Regrading) -> None:
    session = await sat(exams)
    assert len((await evidence(exams)).answers) == 6

    async def void(work: Any) -> None:
        held = await hold(work, lambda: exams.store.ids.new("evt"), session.user_id, session.id)
        by = Intervention(actor_id=ROOT.user_id, reason="why")
        await settle(work, lambda: exams.store.ids.new("evt"), held, invalidate(held.session, by, work.now), None)

    await exams.transact(void)
    assert (await evidence(exams)).answers == ()


async def test_how_all_do_on_a_topic_is_counted_with_exams(exams: Regrading) -> None:
    await sat(exams)
    await CountFacilities(transact=exams.store.unit(MemoryFacilityWork, PostgresFacilityWork))({})
    topics = {topic.id: topic.facility for topic in (await evidence(exams)).topics}
    assert (topics["top_1"].responses, topics["top_1"].earned) == (4, 2.0)
    assert (topics["top_2"].responses, topics["top_2"].earned) == (2, 0.0)


def leave(exams: Regrading) -> CancelEnrollment:
    return CancelEnrollment(transact=exams.store.unit(MemoryEnrollmentWork, PostgresEnrollmentWork))


async def test_nobody_leaves_a_package_while_sitting_an_exam_of_it(exams: Regrading) -> None:
    session = await exams.begun(paper=PAPER)
    with pytest.raises(LiveExam):
        await leave(exams)(STUDENT, PACKAGE)
    with pytest.raises(EnrollmentNotFound):
        await leave(exams)(STUDENT, "pkg_other")
    await exams.handed_in(session, {})
    assert (await leave(exams)(STUDENT, PACKAGE)).ended_at is not None


@pytest.mark.parametrize(("seconds", "leaves"), [(AN_HOUR + 60, False), (AN_HOUR + 61, True)])
async def test_an_exam_that_time_has_ended_keeps_nobody_although_nobody_swept(
    exams: Regrading, seconds: int, leaves: bool
) -> None:
    await exams.begun(paper=PAPER)
    exams.store.clock.set(later(seconds=seconds))
    if leaves:
        assert (await leave(exams)(STUDENT, PACKAGE)).ended_at == later(seconds=seconds)
    else:
        with pytest.raises(LiveExam):
            await leave(exams)(STUDENT, PACKAGE)


async def test_an_exam_that_can_still_be_handed_in_late_is_under_way(exams: Regrading) -> None:
    await exams.begun(paper=PAPER, rules=exam_rules(overdue_policy=OverduePolicy.GRACE, grace_seconds=AN_HOUR))
    exams.store.clock.set(later(seconds=AN_HOUR + 1800))
    with pytest.raises(LiveExam):
        await leave(exams)(STUDENT, PACKAGE)


async def test_the_history_of_progress_tells_exams_with_their_results(
    stored: ExamsOnPostgres, database: Database, clock: SettableClock
) -> None:
    exams = Regrading(stored)
    first = await sat(exams)
    await stored.begin(exam_session(session_id="exs_2", at=later(minutes=45), attempt_no=2), PAPER)
    clock.set(later(minutes=50))
    reader = PostgresHistoryReader(database, clock)
    weeks = [START - timedelta(days=7), START - timedelta(days=1)]
    found = await reader.records(STUDENT.user_id, PACKAGE, now=clock.now(), weeks=weeks)
    running, finished = found.exams
    assert (running.id, running.percent, running.passed, running.finished_at) == ("exs_2", None, None, None)
    assert (finished.id, finished.percent, finished.passed) == (first.id, Decimal("33.33"), False)
    assert finished.finished_at == later(minutes=10)
    elsewhere = await reader.records(STUDENT.user_id, "pkg_other", now=clock.now(), weeks=weeks)
    assert elsewhere.exams == ()


async def test_what_exams_need_cannot_be_deleted_whatever_became_of_the_enrolment(stored: ExamsOnPostgres) -> None:
    await stored.begin(exam_session(status=ExamStatus.ACTIVE), PAPER)
    stored.cloned.keeper.execute("delete from enrollments")
    packages = stored.unit(object, PostgresPackageWork)
    with pytest.raises(PackageInUse):
        await packages(lambda work: work.drop_package(PACKAGE))
    with pytest.raises(TierInUse):
        await packages(lambda work: work.drop_tier(PACKAGE, TIER))
    authoring = stored.unit(object, PostgresAuthoringWork)
    assert await authoring(lambda work: work.was_served(PAPER[0].id))
    assert not await authoring(lambda work: work.was_served("qst_other"))


async def test_a_package_with_a_void_question_is_kept(stored: ExamsOnPostgres) -> None:
    void = Void(
        id="vod_1",
        exam_package_id=PACKAGE,
        question_id=PAPER[0].id,
        version=1,
        mode=VoidMode.DROP,
        reason="why",
        created_at=START,
        created_by=ROOT.user_id,
    )
    stored.void(void)
    stored.cloned.keeper.execute("delete from enrollments")
    with pytest.raises(PackageInUse):
        await stored.unit(object, PostgresPackageWork)(lambda work: work.drop_package(PACKAGE))
    authoring = stored.unit(object, PostgresAuthoringWork)
    assert await authoring(lambda work: work.was_served(PAPER[0].id))

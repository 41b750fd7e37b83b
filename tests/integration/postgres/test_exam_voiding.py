"""Declaring questions void, on dictionaries and on the real database: both do the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.memory.exam.regrading import MemoryRegradeWork
from adapters.postgres.exam.regrading import PostgresRegradeWork
from application.exam.regrading import keep_revision
from application.exam.settling import latest_grade
from application.exam.voiding import VoidRequest
from application.jobs import FINISHING_SECONDS, JobName
from domain.auth.sessions import Forbidden
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError
from domain.exam.grading import Grade, grade
from domain.exam.refusals import VoidNotApplicable
from domain.exam.regrading import RegradeMode
from domain.exam.voiding import Void, VoidMode
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from domain.question_bank.questions import Response
from tests.support.exam_builders import PACKAGE, ROOT, START, STRANGER, STUDENT, later, right, wrong
from tests.support.exam_regrading import FOUR_RIGHT, MULTIPLE, NUMBER, SINGLE, TEXT, TRUTH, WHY, Regrading
from tests.support.exam_stores import ExamsInMemory, exam_store_of
from tests.support.postgres import SettableClock

LATEST = RegradeMode.LATEST_VERSIONS


@pytest.fixture(params=["memory", "postgres"])
def exams(request: pytest.FixtureRequest, clock: SettableClock) -> Regrading:
    """Two students who are enrolled in a package with a question of each kind, and an admin."""
    store = exam_store_of(request, clock)
    store.stock(STUDENT, STRANGER)
    store.admit(ROOT)
    return Regrading(store)


async def test_voiding_is_foreseen_as_it_then_comes(exams: Regrading) -> None:
    """Whoever passes and fails by it, in one package; what is under way takes it when it is graded."""
    just, short = await exams.begun(), await exams.begun(user_id=STRANGER.user_id)
    await exams.handed_in(just, FOUR_RIGHT)
    await exams.handed_in(short, {SINGLE.id: right(SINGLE), MULTIPLE.id: right(MULTIPLE), TRUTH.id: right(TRUTH)})
    for mode, question in (
        (VoidMode.DROP, NUMBER.id),
        (VoidMode.DROP, SINGLE.id),
        (VoidMode.CREDIT_ALL, TEXT.id),
        (VoidMode.CREDIT_ALL, NUMBER.id),
        (VoidMode.DROP, NUMBER.id),
    ):
        grades = {each.user_id: await exams.grade_of(each) for each in (just, short)}
        foreseen = await exams.declare(question, mode, dry_run=True)
        done = await exams.declare(question, mode)
        then = {each.user_id: await exams.grade_of(each) for each in (just, short)}
        pairs = [(grades[user], then[user]) for user in grades]
        changed = sum((old.mark, old.max_mark) != (new.mark, new.max_mark) for old, new in pairs)
        fails = sum(old.passed and not new.passed for old, new in pairs)
        passes = sum(new.passed and not old.passed for old, new in pairs)
        told = (changed, fails, passes)
        assert (foreseen.marks_changed, foreseen.passed_to_failed, foreseen.failed_to_passed) == told
        assert (done.marks_changed, done.passed_to_failed, done.failed_to_passed) == told
        assert (foreseen.affected, foreseen.pending, foreseen.regraded) == (2, 0, 0)
        assert (done.affected, done.pending, done.regraded) == (2, 0, 2)


async def test_an_exam_under_way_takes_the_void_when_it_is_graded(exams: Regrading) -> None:
    session = await exams.begun()
    report = await exams.declare(NUMBER.id, VoidMode.DROP)
    assert (report.affected, report.live, report.regraded) == (0, 1, 0)
    given = await exams.handed_in(session, FOUR_RIGHT)
    assert (given.mark, given.max_mark, given.voids) == (Decimal(2), Decimal(6), (report.voids[0].id,))
    assert await exams.regard(report.voids[0]) == 0


async def test_a_grade_that_was_under_way_meanwhile_is_made_again_by_the_job_once(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    void = Void(
        id="vod_1",
        exam_package_id=PACKAGE,
        question_id=NUMBER.id,
        version=1,
        mode=VoidMode.DROP,
        reason=WHY,
        created_at=START,
        created_by=ROOT.user_id,
    )
    exams.store.void(void)
    await exams.regard.job({"void_id": void.id})
    await exams.regard.job({"void_id": void.id})
    await exams.regard.job({"void_id": "vod_none"})
    grades = await exams.store.grades_of(session.user_id, session.id)
    assert [each.voids for each in grades] == [(), (void.id,)]
    assert (grades[1].graded_by, grades[1].reason, grades[1].mode) == (ROOT.user_id, WHY, "as_asked")


async def test_declaring_a_question_void_orders_the_job_and_is_in_the_audit_log_once(exams: Regrading) -> None:
    first = await exams.declare(SINGLE.id, VoidMode.ACCEPT_ALSO, "AA")
    second = await exams.declare(SINGLE.id, VoidMode.ACCEPT_ALSO, "A")
    third = await exams.declare(SINGLE.id, VoidMode.DROP)
    assert first.voids == second.voids != third.voids
    entries = [each for each in await exams.store.audit_log() if each.action == "exam_package.question_voided"]
    assert [(each.subject, each.reason, each.actor_id) for each in entries] == [(PACKAGE, WHY, ROOT.user_id)] * 2
    told = {"question_id": SINGLE.id, "version": 1, "mode": "accept_also", "accepted": ["A"]}
    assert [(each.before, each.after) for each in entries] == [
        (None, told),
        (told, told | {"mode": "drop", "accepted": []}),
    ]
    if isinstance(exams.store, ExamsInMemory):
        jobs = [(job.name, job.payload, job.delay_seconds) for job in exams.store.store.jobs]
        assert jobs == [
            (JobName.REGRADE_EXAMS, {"void_id": each.voids[0].id}, FINISHING_SECONDS) for each in (first, third)
        ]


async def test_what_is_declared_once_more_is_pending_only_where_a_grade_is_outdated(exams: Regrading) -> None:
    for user in (STUDENT, STRANGER):
        await exams.handed_in(await exams.begun(user_id=user.user_id), FOUR_RIGHT)
    done = await exams.declare(SINGLE.id, VoidMode.DROP)
    assert (done.affected, done.regraded, done.pending) == (2, 2, 0)
    again = await exams.declare(SINGLE.id, VoidMode.DROP)
    assert (again.voids, again.affected, again.regraded, again.pending) == (done.voids, 2, 0, 0)


async def test_the_voids_of_a_package_are_listed_page_by_page_the_latest_first(exams: Regrading) -> None:
    assert await exams.list_voids(ROOT, PACKAGE) == ()
    declared: list[Void] = []
    for number, mode in enumerate((VoidMode.DROP, VoidMode.CREDIT_ALL, VoidMode.DROP)):
        exams.store.clock.set(later(minutes=number // 2))
        declared += (await exams.declare(SINGLE.id, mode)).voids
    exams.store.clock.set(later(minutes=5))
    declared += (await exams.declare(MULTIPLE.id, VoidMode.ACCEPT_ALSO, "D")).voids
    latest = tuple(sorted(declared, key=lambda void: (void.created_at, void.id), reverse=True))
    assert await exams.list_voids(ROOT, PACKAGE) == latest
    assert await exams.list_voids(ROOT, PACKAGE, limit=2) == latest[:2]
    after = latest[1].created_at, latest[1].id
    assert await exams.list_voids(ROOT, PACKAGE, after=after, limit=2) == latest[2:]
    assert latest[0].accepted == ("D",)


async def test_voids_are_listed_for_admins_and_of_packages_that_there_are(exams: Regrading) -> None:
    with pytest.raises(Forbidden):
        await exams.list_voids(STUDENT, PACKAGE)
    for nowhere in ("pkg_none", "no id"):
        with pytest.raises(PackageNotFound):
            await exams.list_voids(ROOT, nowhere)


async def test_a_void_keeps_every_other_key_that_the_grade_was_made_by(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, {SINGLE.id: wrong(SINGLE), MULTIPLE.id: right(MULTIPLE)})
    exams.correct(SINGLE, wrong(SINGLE).choice_ids[0])
    await exams.again(session, LATEST)
    foreseen = await exams.declare(SINGLE.id, VoidMode.ACCEPT_ALSO, "D", dry_run=True)
    assert foreseen.marks_changed == 0
    await exams.declare(TEXT.id, VoidMode.DROP)
    given = await exams.grade_of(session)
    assert (given.mode, given.mark, given.max_mark) == ("latest_versions", Decimal(2), Decimal(7))
    assert given.marks[0].key_version == 2


async def test_a_later_declaration_takes_the_place_of_the_one_before(exams: Regrading) -> None:
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    dropped = await exams.declare(SINGLE.id, VoidMode.DROP)
    exams.store.clock.set(later(minutes=1))
    credited = await exams.declare(SINGLE.id, VoidMode.CREDIT_ALL)
    given = await exams.grade_of(session)
    assert (given.mark, given.max_mark, given.voids) == (Decimal(4), Decimal(8), (credited.voids[0].id,))
    assert await exams.regard(dropped.voids[0]) == 0, "what no longer counts grades nothing again"


async def test_without_a_version_every_one_that_was_asked_is_void(exams: Regrading) -> None:
    await exams.handed_in(await exams.begun(), FOUR_RIGHT)
    exams.correct(SINGLE, "A")
    assert (await exams.declare(SINGLE.id, VoidMode.DROP, dry_run=True)).versions == (1,)
    assert (await exams.declare(SINGLE.id, VoidMode.DROP, dry_run=True, version=2)).versions == (2,)
    assert (await exams.declare(SINGLE.id, VoidMode.DROP, dry_run=True, version=2)).affected == 0


async def test_a_question_that_was_never_asked_can_be_void_for_the_exams_to_come(exams: Regrading) -> None:
    assert (await exams.declare(SINGLE.id, VoidMode.DROP)).versions == (1,)
    with pytest.raises(VoidNotApplicable):
        await exams.declare(NUMBER.id, VoidMode.ACCEPT_ALSO, "A")
    given = await exams.handed_in(await exams.begun(), FOUR_RIGHT)
    assert (given.mark, given.max_mark) == (Decimal(3), Decimal(7))


@pytest.mark.parametrize(
    ("package", "question", "version", "refusal"),
    [
        ("pkg_none", SINGLE.id, None, PackageNotFound),
        ("no id", SINGLE.id, None, PackageNotFound),
        (PACKAGE, "no id", None, QuestionNotFound),
        (PACKAGE, "qst_none", None, QuestionNotFound),
        (PACKAGE, SINGLE.id, 7, QuestionNotFound),
    ],
)
async def test_only_what_a_package_asks_can_be_void_in_it(
    exams: Regrading, package: str, question: str, version: int | None, refusal: type[DomainError]
) -> None:
    request = VoidRequest(question_id=question, version=version, mode=VoidMode.DROP, reason=WHY)
    with pytest.raises(refusal):
        await exams.void(ROOT, package, request, dry_run=False)


async def test_a_question_that_is_published_no_more_can_be_void_where_it_was_asked_only(exams: Regrading) -> None:
    exams.store.withdraw(SINGLE.id)
    with pytest.raises(QuestionNotFound):
        await exams.declare(SINGLE.id, VoidMode.DROP)
    await exams.handed_in(await exams.begun(), FOUR_RIGHT)
    assert (await exams.declare(SINGLE.id, VoidMode.DROP)).regraded == 1


async def test_a_request_leaves_to_the_job_what_it_has_no_time_for(
    exams: Regrading, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT)
    monkeypatch.setattr("application.exam.voiding._LOOKING_SECONDS", 0.0)
    monkeypatch.setattr("application.exam.voiding._REGRADING_SECONDS", 0.0)
    tried = await exams.declare(SINGLE.id, VoidMode.DROP, dry_run=True)
    assert (tried.affected, tried.pending, tried.marks_changed) == (1, 1, 0)
    report = await exams.declare(SINGLE.id, VoidMode.DROP)
    assert (report.affected, report.regraded, report.pending) == (1, 0, 1)
    await exams.regard.job({"void_id": report.voids[0].id})
    assert (await exams.grade_of(session)).voids == (report.voids[0].id,)


async def test_one_that_cannot_be_graded_again_stops_no_other(
    exams: Regrading, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (STUDENT, STRANGER):
        await exams.handed_in(await exams.begun(user_id=user.user_id), FOUR_RIGHT)
    failing: Callable[..., Awaitable[Any]] = keep_revision

    async def fail_once(work: Any, new_id: Any, held: Any, before: Any, after: Any) -> Any:
        if held.session.user_id == STRANGER.user_id:
            raise LookupError("out of order")
        return await failing(work, new_id, held, before, after)

    monkeypatch.setattr("application.exam.regrading.keep_revision", fail_once)
    report = await exams.declare(NUMBER.id, VoidMode.DROP)
    assert (report.affected, report.regraded, report.pending) == (2, 1, 1)
    with pytest.raises(RuntimeError):
        await exams.regard.job({"void_id": report.voids[0].id})
    monkeypatch.undo()
    await exams.regard.job({"void_id": report.voids[0].id})
    for user in (STUDENT, STRANGER):
        assert len(await exams.store.grades_of(user.user_id, "exs_1")) == 2


async def test_a_grade_depends_on_nothing_but_what_is_stored(exams: Regrading) -> None:
    """As it is verified: by the key of the version and the voids that each revision names."""
    session = await exams.begun()
    await exams.handed_in(session, FOUR_RIGHT | {TEXT.id: Response.writing("nonsense")})
    await exams.declare(TEXT.id, VoidMode.CREDIT_ALL)

    async def recomputed(work: Any) -> tuple[Grade, Grade]:
        stored = await work.find_session(session.user_id, session.id)
        kept = await latest_grade(work, stored)
        assert kept is not None
        slots, voids = await work.graded_slots(stored), await work.voids(PACKAGE)
        made = grade(
            replace(stored, grade_revision=kept.revision - 1),
            slots,
            [void for void in voids if void.id in kept.voids],
            kept.graded_at,
            mode=kept.mode,
            by=kept.graded_by,
            reason=kept.reason,
        )
        return made, kept

    made, kept = await exams.transact(recomputed)
    assert made == kept


async def test_what_moved_on_before_its_turn_is_left_alone(exams: Regrading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between being found and being held a session may be reopened; one that there is not is none."""
    session = await exams.begun()
    void = (await exams.declare(SINGLE.id, VoidMode.DROP)).voids[0]
    found = [((session.user_id, session.id), (session.user_id, "exs_none"))]

    async def without(*_: object, **__: object) -> tuple[tuple[str, str], ...]:
        return found.pop() if found else ()

    monkeypatch.setattr(type(exams.affected), "without", without)
    assert await exams.regard(void) == 0
    assert not await exams.store.grades_of(session.user_id, session.id)


async def test_nothing_is_void_in_a_package_that_is_gone_by_then(
    exams: Regrading, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> bool:
        return False

    for work in (MemoryRegradeWork, PostgresRegradeWork):
        monkeypatch.setattr(work, "hold_package", gone)
    with pytest.raises(PackageNotFound):
        await exams.declare(SINGLE.id, VoidMode.DROP)

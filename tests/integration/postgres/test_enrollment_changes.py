"""Changes, ends and sweeps of enrolments: the same suite on memory and on PostgreSQL, where they also race."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentReader
from adapters.system.clock import TimeOrderedIds
from application.enrollment.administering import Terms
from application.enrollment.ports.enrolling import EnrollmentWork, WantedEnrollments
from domain.auth.people import Actor, Role, UserNotFound
from domain.auth.sessions import Forbidden
from domain.enrollment.enrolling import Enrollment, EnrollmentEnd, EnrollmentStatus, Spell, Until, cancel
from domain.enrollment.refusals import (
    AccessUsedUp,
    EnrollmentNotFound,
    NotAnUpgrade,
    PackageNotFound,
    StudentsOnly,
    TierUnknown,
)
from domain.errors import DomainError, InvalidInput
from tests.support.enrollment_builders import ALL_TIERS, CORPORATE, GOLD, MONTHLY, OPEN, STANDARD, a_package, a_student
from tests.support.enrollment_stores import EnrollmentStore, InMemory, OnPostgres
from tests.support.postgres import SettableClock

PACKAGE = a_package(tiers=ALL_TIERS)
ADA = a_student()
ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_1")


async def settled(store: EnrollmentStore) -> EnrollmentStore:
    """One package with every kind of tier, and two students."""
    await store.add_package(PACKAGE)
    for user_id in ("usr_ada", "usr_grace"):
        await store.add_student(user_id)
    return store


@pytest.fixture(params=["memory", "postgres"])
def empty_store(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> EnrollmentStore:
    if request.param == "memory":
        return InMemory(clock=clock, ids=ids)
    return OnPostgres(database=request.getfixturevalue("database"), clock=clock, ids=ids)


@pytest.fixture
async def store(empty_store: EnrollmentStore) -> EnrollmentStore:
    return await settled(empty_store)


@pytest.fixture
async def postgres(database: Database, clock: SettableClock, ids: TimeOrderedIds) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock, ids=ids)
    await settled(store)
    return store


async def outcomes(*asked: Awaitable[Any]) -> list[str]:
    """What becomes of several that ask at once: the code of a refusal, or `done`."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
            raise answer
    return [answer.code if isinstance(answer, DomainError) else "done" for answer in answers]


def assert_one_line(rows: Sequence[Enrollment]) -> None:
    """At most the last row is active, and each begins when or after the one before it ended."""
    line = sorted(rows, key=lambda row: (row.started_at, row.ended_at is None, row.ended_at))
    for earlier, later in pairwise(line):
        assert earlier.ended_at is not None
        assert earlier.started_at <= earlier.ended_at <= later.started_at


async def test_one_row_gives_way_to_the_other_in_the_same_instant(store: EnrollmentStore, clock: SettableClock) -> None:
    await store.enroll(ADA, PACKAGE.id)
    clock.advance(days=1)
    changed = await store.upgrade(ADA, PACKAGE.id, MONTHLY.id)
    clock.advance(days=1)
    moved = await store.change(ROOT, "usr_ada", PACKAGE.id, Terms(until=Until(at=None)))
    first, second, third = await store.history()
    assert (first.end_reason, second.end_reason, third.end_reason) == ("tier_change", "admin", None)
    assert (first.ended_at, second.ended_at) == (second.started_at, third.started_at)
    assert second.expires_at == second.started_at + timedelta(days=30)
    assert (second.id, third) == (changed.id, moved)


async def test_a_lapsed_row_is_written_down_by_whoever_enrols_anew(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    lapsed = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    clock.advance(days=45)
    await store.enroll(ADA, PACKAGE.id)
    first, second = await store.history()
    assert (first.id, first.end_reason, first.ended_at) == (lapsed.id, EnrollmentEnd.EXPIRED, lapsed.expires_at)
    assert second.started_at == clock.now()


async def test_leaving_and_coming_back_does_not_renew_the_days_of_a_tier(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    """Whichever way back, and whether or not another tier lies between."""
    first = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    clock.advance(days=10)
    await store.cancel(ADA, PACKAGE.id)
    clock.advance(days=10)
    again = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    await store.cancel(ADA, PACKAGE.id)
    await store.enroll(ADA, PACKAGE.id)
    back = await store.upgrade(ADA, PACKAGE.id, MONTHLY.id)
    assert first.expires_at == again.expires_at == back.expires_at == first.started_at + timedelta(days=30)
    assert (await store.enroll(a_student("usr_grace"), PACKAGE.id, MONTHLY.id)).enrollment.expires_at == (
        clock.now() + timedelta(days=30)
    )


async def test_days_that_are_used_up_come_from_an_administrator_only(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    await store.enroll(ADA, PACKAGE.id, MONTHLY.id)
    clock.advance(days=30)
    with pytest.raises(AccessUsedUp):
        await store.enroll(ADA, PACKAGE.id, MONTHLY.id)
    await store.enroll(ADA, PACKAGE.id)
    with pytest.raises(AccessUsedUp):
        await store.upgrade(ADA, PACKAGE.id, MONTHLY.id)
    assert [row.tier_id for row in await store.history()] == [MONTHLY.id, STANDARD.id]
    await store.upgrade(ADA, PACKAGE.id, GOLD.id)
    await store.cancel(ADA, PACKAGE.id)
    given = (await store.enroll_student(ROOT, "usr_ada", PACKAGE.id, Terms(tier_id=MONTHLY.id))).enrollment
    assert given.expires_at == clock.now() + timedelta(days=30)


async def test_what_somebody_had_of_each_tier_is_known(store: EnrollmentStore, clock: SettableClock) -> None:
    start = clock.now()
    for tier in (OPEN, MONTHLY, OPEN):
        await store.enroll(ADA, PACKAGE.id, tier.id)
        await store.cancel(ADA, PACKAGE.id)
        clock.advance(hours=1)
    last = start + timedelta(days=9)
    await store.enroll_student(ROOT, "usr_ada", PACKAGE.id, Terms(tier_id=OPEN.id, until=Until(at=last)))
    await store.enroll(a_student("usr_grace"), PACKAGE.id, GOLD.id)
    begun = await store.enrollments(lambda work: work.begun("usr_ada", PACKAGE.id))
    since = start + timedelta(hours=1)
    assert begun == {
        OPEN.id: Spell(since=start, until=last),
        MONTHLY.id: Spell(since=since, until=since + timedelta(days=30)),
    }
    assert await store.enrollments(lambda work: work.begun("usr_ada", "pkg_other")) == {}


async def test_an_end_that_an_administrator_named_outlasts_leaving(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    """Whether it is sooner or later than what the tier says."""
    tomorrow = clock.now() + timedelta(days=1)
    await store.enroll(ADA, PACKAGE.id)
    await store.change(ROOT, "usr_ada", PACKAGE.id, Terms(until=Until(at=tomorrow)))
    await store.cancel(ADA, PACKAGE.id)
    await store.enroll(ADA, PACKAGE.id, OPEN.id)
    await store.cancel(ADA, PACKAGE.id)
    assert (await store.enroll(ADA, PACKAGE.id)).enrollment.expires_at == tomorrow
    later = clock.now() + timedelta(days=90)
    terms = Terms(tier_id=MONTHLY.id, until=Until(at=later))
    await store.enroll_student(ROOT, "usr_grace", PACKAGE.id, terms)
    await store.cancel(a_student("usr_grace"), PACKAGE.id)
    clock.advance(days=40)
    again = (await store.enroll(a_student("usr_grace"), PACKAGE.id, MONTHLY.id)).enrollment
    assert again.expires_at == later


async def test_the_sweeper_ends_what_is_over_and_nothing_else_however_many_there_are(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    """More than a batch; the end is that of its time, whenever the sweeper comes, and it comes as often as it likes."""
    for number in range(5):
        await store.add_student(f"usr_{number}")
        await store.enroll(a_student(f"usr_{number}"), PACKAGE.id, MONTHLY.id)
    clock.advance(seconds=1)
    await store.enroll(ADA, PACKAGE.id, MONTHLY.id)
    await store.enroll(a_student("usr_grace"), PACKAGE.id, GOLD.id)
    clock.advance(days=30, seconds=-1)
    for _ in range(2):
        await store.sweep({})
        rows = await store.history()
        assert [row.end_reason for row in rows] == [EnrollmentEnd.EXPIRED] * 5 + [None, None]
        assert all(row.ended_at == row.expires_at for row in rows[:5])
        clock.advance(microseconds=1)
    clock.advance(days=400)
    await store.sweep({})
    assert [row.end_reason for row in await store.history()] == [EnrollmentEnd.EXPIRED] * 6 + [None]
    assert not await store.audited()


async def test_only_living_students_are_enrolled(store: EnrollmentStore) -> None:
    await store.add_student("usr_root", role=Role.ADMIN)
    await store.add_student("usr_gone", deleted=True)
    for user_id, refusal in (("usr_root", StudentsOnly), ("usr_gone", UserNotFound), ("usr_none", UserNotFound)):
        with pytest.raises(refusal):
            await store.enroll(a_student(user_id), PACKAGE.id)
        with pytest.raises(refusal):
            await store.enroll_student(ROOT, user_id, PACKAGE.id, Terms())
        with pytest.raises(refusal):
            await store.upgrade(a_student(user_id), PACKAGE.id, GOLD.id)
        with pytest.raises(refusal):
            await store.change(ROOT, user_id, PACKAGE.id, Terms(tier_id=GOLD.id))
    with pytest.raises(UserNotFound):
        await store.end(ROOT, "usr_gone", PACKAGE.id)
    assert not await store.history()


@pytest.mark.parametrize("role", [Role.STUDENT, Role.INSTRUCTOR])
async def test_only_administrators_enrol_others(store: EnrollmentStore, role: Role) -> None:
    await store.enroll(ADA, PACKAGE.id)
    other = Actor(user_id="usr_grace", role=role, session_id="ses_1")
    with pytest.raises(Forbidden):
        await store.enroll_student(other, "usr_grace", PACKAGE.id, Terms())
    with pytest.raises(Forbidden):
        await store.change(other, "usr_ada", PACKAGE.id, Terms(until=Until(at=None)))
    with pytest.raises(Forbidden):
        await store.end(other, "usr_ada", PACKAGE.id)
    assert [row.ended_at for row in await store.history()] == [None]


async def test_a_refused_act_leaves_neither_a_row_nor_a_record(store: EnrollmentStore, clock: SettableClock) -> None:
    await store.enroll(ADA, PACKAGE.id, GOLD.id)
    before = await store.history()
    past = Terms(until=Until(at=clock.now()))
    for refusal, asked in (
        (InvalidInput, store.change(ROOT, "usr_ada", PACKAGE.id, past)),
        (InvalidInput, store.change(ROOT, "usr_ada", PACKAGE.id, Terms())),
        (TierUnknown, store.change(ROOT, "usr_ada", PACKAGE.id, Terms(tier_id="tier_none"))),
        (EnrollmentNotFound, store.change(ROOT, "usr_grace", PACKAGE.id, Terms(tier_id=GOLD.id))),
        (NotAnUpgrade, store.upgrade(ADA, PACKAGE.id, MONTHLY.id)),
        (PackageNotFound, store.enroll_student(ROOT, "usr_grace", "pkg_none", Terms())),
        (InvalidInput, store.enroll_student(ROOT, "usr_grace", PACKAGE.id, past)),
        (EnrollmentNotFound, store.end(ROOT, "usr_grace", PACKAGE.id)),
    ):
        with pytest.raises(refusal):
            await asked
    assert await store.history() == before
    assert not await store.audited()


async def test_twenty_admins_and_students_who_enrol_at_once_get_one_row(postgres: OnPostgres) -> None:
    as_admin = [postgres.enroll_student(ROOT, "usr_ada", PACKAGE.id, Terms()) for _ in range(10)]
    as_student = [postgres.enroll(ADA, PACKAGE.id) for _ in range(10)]
    results = await asyncio.gather(*as_admin, *as_student)
    (row,) = await postgres.history()
    assert sorted(result.created for result in results) == [False] * 19 + [True]
    assert {result.enrollment for result in results} == {row}
    assert len(await postgres.audited()) == sum(result.created for result in results[:10])


async def test_of_two_tiers_changed_to_at_once_both_come_one_after_the_other(postgres: OnPostgres) -> None:
    await postgres.enroll(ADA, PACKAGE.id)
    wanted = [Terms(tier_id=CORPORATE.id), Terms(tier_id=OPEN.id)] * 5
    told = await outcomes(*(postgres.change(ROOT, "usr_ada", PACKAGE.id, terms) for terms in wanted))
    assert told == ["done"] * 10
    rows = await postgres.history()
    assert_one_line(rows)
    assert len(await postgres.audited()) == len(rows) - 1
    assert {row.end_reason for row in rows} == {EnrollmentEnd.TIER_CHANGE, None}


async def test_enrolling_leaving_changing_and_ending_at_once_leave_one_line_of_rows(postgres: OnPostgres) -> None:
    """Every answer is one that some order of the requests would give."""
    expected = {"done", "enrollment.not_found", "enrollment.exists", "enrollment.not_an_upgrade"}
    for _ in range(6):
        told = await outcomes(
            postgres.enroll(ADA, PACKAGE.id),
            postgres.cancel(ADA, PACKAGE.id),
            postgres.enroll_student(ROOT, "usr_ada", PACKAGE.id, Terms(tier_id=GOLD.id)),
            postgres.upgrade(ADA, PACKAGE.id, MONTHLY.id),
            postgres.end(ROOT, "usr_ada", PACKAGE.id),
            postgres.enroll(ADA, PACKAGE.id, MONTHLY.id),
            postgres.change(ROOT, "usr_ada", PACKAGE.id, Terms(until=Until(at=None))),
        )
        assert set(told) <= expected
        rows = await postgres.history()
        assert_one_line(rows)
        assert sum(row.ended_at is None for row in rows) <= 1


async def test_the_sweeper_does_not_wait_for_whoever_holds_a_row_nor_end_it_twice(
    postgres: OnPostgres, clock: SettableClock
) -> None:
    """Somebody is about to change an enrolment whose time is over a moment later, as the sweeper already knows."""
    active = (await postgres.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    other = (await postgres.enroll(a_student("usr_grace"), PACKAGE.id, MONTHLY.id)).enrollment
    clock.advance(days=29)
    holds, go_on = asyncio.Event(), asyncio.Event()

    async def change(work: EnrollmentWork) -> None:
        await work.hold_person("usr_ada")
        held = await work.hold_last_enrollment("usr_ada", PACKAGE.id)
        assert held is not None
        holds.set()
        await go_on.wait()
        await work.end_enrollment(cancel(held, work.now))

    changing = asyncio.create_task(postgres.enrollments(change))
    await holds.wait()
    clock.advance(days=2)
    async with asyncio.timeout(30):
        await postgres.sweep({})
    assert {row.id: row.end_reason for row in await postgres.history()} == {active.id: None, other.id: "expired"}
    go_on.set()
    await changing
    await postgres.sweep({})
    reasons = {row.id: row.end_reason for row in await postgres.history()}
    assert reasons == {active.id: EnrollmentEnd.CANCELLED, other.id: EnrollmentEnd.EXPIRED}


async def test_two_sweepers_and_whoever_enrols_anew_agree_on_the_end(
    postgres: OnPostgres, clock: SettableClock
) -> None:
    for number in range(8):
        await postgres.add_student(f"usr_{number}")
        await postgres.enroll(a_student(f"usr_{number}"), PACKAGE.id, MONTHLY.id)
    clock.advance(days=31)
    anew = [postgres.enroll(a_student(f"usr_{number}"), PACKAGE.id) for number in range(8)]
    assert set(await outcomes(postgres.sweep({}), *anew, postgres.sweep({}))) == {"done"}
    rows = await postgres.history()
    ended = [row for row in rows if row.ended_at is not None]
    assert [(row.end_reason, row.ended_at) for row in ended] == [("expired", row.expires_at) for row in ended]
    assert (len(ended), len(rows)) == (8, 16)


async def test_a_package_or_tier_that_is_deleted_meanwhile_is_told_as_such(postgres: OnPostgres) -> None:
    """Its foreign key refuses what was decided before."""

    async def add(work: EnrollmentWork, package_id: str, tier_id: str) -> None:
        row = Enrollment(
            id="enr_1", user_id="usr_ada", exam_package_id=package_id, tier_id=tier_id, started_at=work.now
        )
        await work.add_enrollment(row)

    with pytest.raises(PackageNotFound):
        await postgres.enrollments(lambda work: add(work, "pkg_gone", STANDARD.id))
    with pytest.raises(TierUnknown):
        await postgres.enrollments(lambda work: add(work, PACKAGE.id, "tier_gone"))


async def test_lists_show_what_is_over_as_ended_whether_or_not_it_was_written_down(
    postgres: OnPostgres, clock: SettableClock
) -> None:
    await postgres.enroll(ADA, PACKAGE.id, MONTHLY.id)
    await postgres.enroll(a_student("usr_grace"), PACKAGE.id, GOLD.id)
    reader = PostgresEnrollmentReader(postgres.database, clock)
    for days, status in ((29, EnrollmentStatus.ACTIVE), (1, EnrollmentStatus.ENDED)):
        clock.advance(days=days)
        (mine,) = await reader.enrollments("usr_ada", WantedEnrollments(), after=None, limit=9)
        assert mine.status is status
    seen = []
    for _ in range(2):
        lists = [
            await reader.enrolled(PACKAGE.id, status=status, after=None, limit=9)
            for status in (None, EnrollmentStatus.ACTIVE, EnrollmentStatus.ENDED)
        ]
        seen.append((await reader.enrollments("usr_ada", WantedEnrollments(), after=None, limit=9), lists))
        await postgres.sweep({})
    assert seen[0] == seen[1]
    assert [[row.user_id for row in rows] for rows in seen[0][1]] == [
        ["usr_grace", "usr_ada"],
        ["usr_grace"],
        ["usr_ada"],
    ]

"""A student's own enrolment as one statement tells it, with its package, its upgrades and this week's practice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.postgres.database import Database
from adapters.postgres.enrollment.enrolling import PostgresEnrollmentReader
from adapters.postgres.enrollment.packages import PostgresPackageReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.enrollment.administering import Terms
from application.enrollment.current import ReadCurrentEnrollment
from application.enrollment.ports.enrolling import WantedEnrollments
from application.enrollment.views import CurrentEnrollment
from domain.auth.people import Actor, Role
from domain.enrollment.enrolling import EnrollmentEnd, EnrollmentStatus, Until
from domain.enrollment.practice_week import PracticeWeek
from domain.enrollment.refusals import EnrollmentNotFound
from domain.practice.refusals import WeeklyPracticeLimit
from tests.support.enrollment_builders import ALL_TIERS, CORPORATE, GOLD, MONTHLY, STANDARD, a_package, a_student
from tests.support.enrollment_stores import OnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE as PRACTISED
from tests.support.practice_builders import STRANGER, STUDENT, PostgresWorld, offers
from tests.support.practice_worlds import create, creating, invalidate, plan, stocked

PACKAGE = a_package(tiers=ALL_TIERS)
OTHER = replace(a_package("pkg_other", slug="other"), tiers=(replace(STANDARD, id="tier_other"),))
ADA, GRACE = a_student(), a_student("usr_grace")
ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_1")


@pytest.fixture
async def store(database: Database, clock: SettableClock, ids: TimeOrderedIds) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock, ids=ids)
    for package in (PACKAGE, OTHER):
        await store.add_package(package)
    for actor in (ADA, GRACE):
        await store.add_student(actor.user_id)
    return store


@pytest.fixture
def read(database: Database, clock: SettableClock) -> ReadCurrentEnrollment:
    return ReadCurrentEnrollment(reader=PostgresEnrollmentReader(database, clock))


@pytest.fixture
def world(cloned: ClonedDatabase, database: Database, clock: SettableClock, ids: TimeOrderedIds) -> PostgresWorld:
    return PostgresWorld(cloned, PostgresTransaction(database, PostgresPracticeWork, ids, clock))


async def hide(store: OnPostgres) -> None:
    await store.database.fetch_all("update exam_packages set visibility = 'hidden' returning id")


def names(found: CurrentEnrollment) -> Sequence[str]:
    return [tier.id for tier in found.upgrades]


@pytest.mark.parametrize("package_id", [PACKAGE.id, "pkg_unknown", "pkg\0", PACKAGE.slug, "", "x" * 5000])
async def test_who_never_enrolled_has_none(store: OnPostgres, read: ReadCurrentEnrollment, package_id: str) -> None:
    await store.enroll(GRACE, PACKAGE.id)
    await store.enroll(ADA, OTHER.id)
    with pytest.raises(EnrollmentNotFound):
        await read(ADA, package_id)


async def test_the_package_is_as_the_list_shows_it_and_stays_so_for_the_enrolled_when_it_is_hidden(
    store: OnPostgres, read: ReadCurrentEnrollment
) -> None:
    row = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    listed = await PostgresPackageReader(store.database).visible_package(PACKAGE.id)
    for _ in range(2):
        found = await read(ADA, PACKAGE.id)
        assert (found.enrollment, found.tier, found.package) == (row, MONTHLY, listed)
        assert found.practice == PracticeWeek(weekly_limit=None, used=0, next_free_at=None)
        await hide(store)


async def test_the_active_enrolment_is_shown_and_else_the_one_that_ended_last(
    store: OnPostgres, read: ReadCurrentEnrollment, clock: SettableClock
) -> None:
    await store.enroll(ADA, PACKAGE.id, GOLD.id)
    clock.advance(hours=1)
    ended = await store.cancel(ADA, PACKAGE.id)
    assert (await read(ADA, PACKAGE.id)).enrollment == ended
    active = (await store.enroll(ADA, PACKAGE.id)).enrollment
    assert (await read(ADA, PACKAGE.id)).enrollment == active
    clock.advance(hours=1)
    await store.end(ROOT, ADA.user_id, PACKAGE.id)
    found = await read(ADA, PACKAGE.id)
    assert (found.enrollment.id, found.enrollment.end_reason) == (active.id, EnrollmentEnd.ADMIN)
    assert (found.upgrades, found.practice) == ((), None)


async def test_one_whose_time_is_over_is_shown_as_ended_whether_or_not_that_was_written_down(
    store: OnPostgres, read: ReadCurrentEnrollment, clock: SettableClock
) -> None:
    row = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment
    clock.advance(days=30, seconds=-1)
    assert (await read(ADA, PACKAGE.id)).enrollment == row
    clock.advance(seconds=1)
    seen = []
    for _ in range(2):
        seen.append(await read(ADA, PACKAGE.id))
        await store.sweep({})
    assert seen[0] == seen[1]
    assert (seen[0].enrollment.ended_at, seen[0].enrollment.end_reason) == (row.expires_at, EnrollmentEnd.EXPIRED)
    assert (seen[0].tier, seen[0].upgrades, seen[0].practice) == (MONTHLY, (), None)


async def test_upgrades_are_those_that_the_student_can_still_have(
    store: OnPostgres, read: ReadCurrentEnrollment, clock: SettableClock
) -> None:
    """A tier whose days are used up is none, and one that is not offered to all never was."""
    await store.enroll(ADA, PACKAGE.id)
    assert names(await read(ADA, PACKAGE.id)) == [GOLD.id, MONTHLY.id]
    await store.upgrade(ADA, PACKAGE.id, MONTHLY.id)
    assert names(await read(ADA, PACKAGE.id)) == [GOLD.id]
    clock.advance(days=30)
    await store.enroll(ADA, PACKAGE.id)
    assert names(await read(ADA, PACKAGE.id)) == [GOLD.id]
    await store.enroll(GRACE, PACKAGE.id)
    assert names(await read(GRACE, PACKAGE.id)) == [GOLD.id, MONTHLY.id]
    await store.change(
        ROOT, ADA.user_id, PACKAGE.id, Terms(tier_id=MONTHLY.id, until=Until(at=clock.now() + timedelta(days=90)))
    )
    await store.cancel(ADA, PACKAGE.id)
    await store.enroll(ADA, PACKAGE.id)
    clock.advance(days=40)
    assert names(await read(ADA, PACKAGE.id)) == [GOLD.id, MONTHLY.id]
    await store.change(ROOT, ADA.user_id, PACKAGE.id, Terms(tier_id=CORPORATE.id))
    assert names(await read(ADA, PACKAGE.id)) == []


async def test_the_week_is_counted_as_the_cap_counts_it(
    world: PostgresWorld, read: ReadCurrentEnrollment, clock: SettableClock
) -> None:
    """Whatever becomes of the sessions, and whoever else practises."""
    stocked(world, offers(1))
    world.enroll(STRANGER.user_id)
    await creating(world)(STRANGER, plan())

    async def week() -> PracticeWeek:
        found = (await read(STUDENT, PRACTISED)).practice
        assert found is not None
        return found

    assert await week() == PracticeWeek(weekly_limit=None, used=0, next_free_at=None)
    world.allow(2)
    first = clock.now()
    await invalidate(world, (await create(world)).session.id)
    clock.advance(days=1)
    assert (await week()).remaining == 1
    await create(world)
    with pytest.raises(WeeklyPracticeLimit) as refusal:
        await create(world)
    full = PracticeWeek(weekly_limit=2, used=2, next_free_at=first + timedelta(days=7))
    assert await week() == full
    assert refusal.value.retry_after_seconds == (first + timedelta(days=7) - clock.now()).total_seconds()
    world.allow(1)
    assert (await week()).next_free_at == first + timedelta(days=8)
    world.allow(2)
    clock.set(first + timedelta(days=7, microseconds=-1))
    assert await week() == full
    clock.set(first + timedelta(days=7))
    assert await week() == PracticeWeek(weekly_limit=2, used=1, next_free_at=None)
    await create(world)
    world.allow(0)
    assert await week() == PracticeWeek(weekly_limit=0, used=2, next_free_at=None)


async def test_a_list_of_enrolments_is_narrowed_by_package_and_by_what_they_are_now(
    store: OnPostgres, clock: SettableClock
) -> None:
    """An end that nobody has written down is an end."""
    lapsed = (await store.enroll(ADA, PACKAGE.id, MONTHLY.id)).enrollment.id
    other = (await store.enroll(ADA, OTHER.id)).enrollment.id
    reader = PostgresEnrollmentReader(store.database, clock)

    async def ids(status: EnrollmentStatus | None = None, package_id: str | None = None) -> list[str]:
        wanted = WantedEnrollments(status=status, exam_package_id=package_id)
        return [row.id for row in await reader.enrollments(ADA.user_id, wanted, after=None, limit=9)]

    assert await ids(EnrollmentStatus.ACTIVE) == [other, lapsed]
    clock.advance(days=30)
    for _ in range(2):
        assert await ids(EnrollmentStatus.ACTIVE) == [other]
        assert await ids(EnrollmentStatus.ENDED) == [lapsed]
        assert await ids(package_id=PACKAGE.id) == [lapsed]
        assert await ids(EnrollmentStatus.ACTIVE, PACKAGE.id) == await ids(package_id="pkg_none") == []
        await store.sweep({})

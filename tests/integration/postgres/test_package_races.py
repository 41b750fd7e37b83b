"""Somebody deletes a package or a tier while others enrol in it, on PostgreSQL and through two pools.

Either they came first and it stays, or it is gone and nobody is enrolled in it: never an enrolment in nothing, and
never an answer that is not one of the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import SystemClock, TimeOrderedIds
from application.enrollment.enrolling import Enroll, Enrolled
from application.enrollment.managing import DeletePackage
from application.enrollment.tiers import DeleteTier
from domain.enrollment.package_refusals import PackageInUse, TierInUse
from domain.enrollment.refusals import PackageNotFound, TierUnknown
from tests.support.enrollment_builders import OPEN, STANDARD, a_package, a_student
from tests.support.package_builders import ADMIN
from tests.support.package_stores import PackagesOnPostgres, Waiting
from tests.support.postgres import ClonedDatabase

PACKAGE = a_package(tiers=(STANDARD, OPEN))
STUDENTS = [f"usr_{number}" for number in range(4)]
_BLOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture
async def here(database: Database) -> PackagesOnPostgres:
    """One server; a package with two tiers and some students."""
    store = PackagesOnPostgres(database=database, clock=SystemClock(), ids=TimeOrderedIds())
    await store.add_package(PACKAGE)
    for user_id in STUDENTS:
        await store.add_student(user_id)
    return store


@pytest.fixture
async def there(cloned: ClonedDatabase) -> AsyncIterator[PackagesOnPostgres]:
    """Another server on the same database."""
    database = Database(cloned.urls.app, pool_min=1, pool_max=6)
    await database.open()
    yield PackagesOnPostgres(database=database, clock=SystemClock(), ids=TimeOrderedIds())
    await database.close()


async def until_somebody_waits(cloned: ClonedDatabase) -> None:
    for _ in range(3_000):
        (blocked,) = cloned.keeper.execute(_BLOCKED).fetchone() or (0,)
        if blocked:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


async def behind(
    first: Coroutine[Any, Any, Any], waiting: Waiting, second: Coroutine[Any, Any, Any], cloned: ClonedDatabase
) -> tuple[Any, Any]:
    """What becomes of both when the second comes while the first has not committed."""
    ahead = asyncio.create_task(first)
    await asyncio.wait_for(waiting.reached.wait(), 30)
    later = asyncio.create_task(second)
    await until_somebody_waits(cloned)
    waiting.go.set()
    found = await asyncio.gather(ahead, later, return_exceptions=True)
    return found[0], found[1]


async def test_a_deletion_waits_for_whoever_enrols_and_then_sees_them(
    here: PackagesOnPostgres, there: PackagesOnPostgres, cloned: ClonedDatabase
) -> None:
    slow = Waiting(here.enrollments)
    enrolling = Enroll(slow, here.ids)(a_student(STUDENTS[0]), PACKAGE.id)
    enrolled, deleted = await behind(enrolling, slow, there.delete(ADMIN, PACKAGE.id), cloned)
    assert isinstance(enrolled, Enrolled)
    assert isinstance(deleted, PackageInUse)
    assert await here.stored(PACKAGE.id) == PACKAGE


async def test_whoever_enrols_waits_for_a_deletion_and_then_finds_no_package(
    here: PackagesOnPostgres, there: PackagesOnPostgres, cloned: ClonedDatabase
) -> None:
    slow = Waiting(here.packages)
    deleting = DeletePackage(transact=slow)(ADMIN, PACKAGE.id)
    deleted, enrolled = await behind(deleting, slow, there.enroll(a_student(STUDENTS[0]), PACKAGE.id), cloned)
    assert deleted is None
    assert isinstance(enrolled, PackageNotFound)
    assert not await here.history()


async def test_the_deletion_of_a_tier_waits_for_whoever_enrols_in_it(
    here: PackagesOnPostgres, there: PackagesOnPostgres, cloned: ClonedDatabase
) -> None:
    slow = Waiting(here.enrollments)
    enrolling = Enroll(slow, here.ids)(a_student(STUDENTS[0]), PACKAGE.id, OPEN.id)
    enrolled, deleted = await behind(enrolling, slow, there.delete_tier(ADMIN, PACKAGE.id, OPEN.id), cloned)
    assert isinstance(enrolled, Enrolled)
    assert isinstance(deleted, TierInUse)
    assert await here.stored(PACKAGE.id) == PACKAGE


async def test_whoever_enrols_waits_for_the_deletion_of_the_tier(
    here: PackagesOnPostgres, there: PackagesOnPostgres, cloned: ClonedDatabase
) -> None:
    slow = Waiting(here.packages)
    deleting = DeleteTier(transact=slow)(ADMIN, PACKAGE.id, OPEN.id)
    enrolling = there.enroll(a_student(STUDENTS[0]), PACKAGE.id, OPEN.id)
    deleted, enrolled = await behind(deleting, slow, enrolling, cloned)
    assert OPEN not in deleted.tiers
    assert isinstance(enrolled, TierUnknown)
    assert not await here.history()


@pytest.mark.parametrize("round_", range(5))
async def test_of_many_at_once_all_are_told_the_same_story(
    here: PackagesOnPostgres, there: PackagesOnPostgres, round_: int
) -> None:
    enrolling = [there.enroll(a_student(user_id), PACKAGE.id) for user_id in STUDENTS]
    enrolling.insert(round_ % len(enrolling), here.delete(ADMIN, PACKAGE.id))  # type: ignore[arg-type]
    results: list[Any] = list(await asyncio.gather(*enrolling, return_exceptions=True))
    deleted = results.pop(round_ % len(STUDENTS))
    rows = await here.history()
    if deleted is None:
        assert [type(result) for result in results] == [PackageNotFound] * len(STUDENTS)
        assert not rows
        assert await here.stored(PACKAGE.id) is None
    else:
        assert isinstance(deleted, PackageInUse)
        assert sorted(result.enrollment.id for result in results) == [row.id for row in rows]
        assert len(rows) == len(STUDENTS)

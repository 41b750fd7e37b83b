"""What those are told who change a package: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from application.enrollment.changes import PackageChange, TierChange
from application.enrollment.managing import NewPackage
from domain.enrollment.package_refusals import TierNameTaken
from tests.support.enrollment_builders import OPEN, STANDARD, StoredBank, a_package
from tests.support.package_builders import ADMIN
from tests.support.package_stores import PackagesInMemory, PackagesOnPostgres, PackageStore
from tests.support.postgres import SettableClock

PACKAGE = a_package(tiers=(STANDARD, OPEN))
NEW = NewPackage(slug="routing", title="Routing", question_bank_ids=("qbk_5",))


@pytest.fixture(params=["memory", "postgres"])
def empty_store(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> PackageStore:
    if request.param == "memory":
        return PackagesInMemory(clock=clock, ids=ids)
    database: Database = request.getfixturevalue("database")
    return PackagesOnPostgres(database=database, clock=clock, ids=ids)


@pytest.fixture
async def store(empty_store: PackageStore) -> PackageStore:
    """A store with one package, an administrator and three banks, of which one is hidden."""
    await empty_store.add_package(PACKAGE)
    await empty_store.add_student(ADMIN.user_id, role=ADMIN.role)
    await empty_store.add_bank(StoredBank(id="qbk_5", slug="five", published_count=5))
    await empty_store.add_bank(StoredBank(id="qbk_6", slug="hidden", published_count=60, visible=False))
    await empty_store.add_bank(StoredBank(id="qbk_7", slug="seven", published_count=7))
    return empty_store


async def test_whoever_changes_a_package_is_told_what_it_can_draw_and_since_when(
    store: PackageStore, clock: SettableClock
) -> None:
    begun = clock.now()
    made = await store.create(ADMIN, replace(NEW, question_bank_ids=("qbk_6", "qbk_5")))
    assert (made.question_count, made.created_at, made.updated_at) == (5, begun, begun)
    assert (made.package, made.question_bank_ids) == (await store.stored("routing"), ("qbk_5", "qbk_6"))
    clock.advance(minutes=1)
    grown = await store.change_package(ADMIN, "routing", PackageChange(question_bank_ids=("qbk_5", "qbk_6", "qbk_7")))
    assert (grown.question_count, grown.created_at, grown.updated_at) == (12, begun, clock.now())
    assert grown.package == await store.stored("routing")
    clock.advance(minutes=1)
    assert await store.change_package(ADMIN, "routing", PackageChange(title=NEW.title)) == grown
    await store.add_tier(ADMIN, "routing", TierChange(name="Trial"))
    after = await store.change_package(ADMIN, "routing", PackageChange(title=NEW.title))
    assert (after.package.version, after.updated_at, len(after.package.tiers)) == (3, clock.now(), 2)


async def test_names_are_kept_without_blanks_around_them(store: PackageStore) -> None:
    made = await store.create(ADMIN, replace(NEW, title="  Routing\u00a0"))
    assert made.package.title == "Routing"
    same = await store.change_package(ADMIN, "routing", PackageChange(title=" Routing "))
    assert same.package.version == 1
    added = await store.add_tier(ADMIN, "routing", TierChange(name=" Trial "))
    assert added.tier.name == "Trial"
    with pytest.raises(TierNameTaken):
        await store.add_tier(ADMIN, "routing", TierChange(name="trial\t"))


async def test_a_deleted_tier_leaves_the_package_that_is_told(store: PackageStore) -> None:
    after = await store.delete_tier(ADMIN, PACKAGE.id, OPEN.id)
    assert after == await store.stored(PACKAGE.id)
    assert (after.version, after.tiers) == (2, (STANDARD,))

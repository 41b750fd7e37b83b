"""What every store of packages and enrolments keeps: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from application.enrollment.defining import PackageOutline
from application.enrollment.ports.enrolling import EnrollmentWork
from domain.enrollment.enrolling import Enrollment, EnrollmentEnd, Offer, end
from domain.enrollment.refusals import EnrollmentExists, EnrollmentNotFound, PackageNotFound
from domain.errors import DomainError
from tests.support.enrollment_builders import (
    OPEN,
    STANDARD,
    StoredBank,
    a_package,
    a_student,
    an_enrollment,
    hidden,
)
from tests.support.enrollment_stores import EnrollmentStore, InMemory, OnPostgres
from tests.support.postgres import SettableClock

PACKAGE = a_package()
OUTLINE = PackageOutline(slug="routing", title="Routing")


@pytest.fixture(params=["memory", "postgres"])
def empty_store(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> EnrollmentStore:
    if request.param == "memory":
        return InMemory(clock=clock, ids=ids)
    database: Database = request.getfixturevalue("database")
    return OnPostgres(database=database, clock=clock, ids=ids)


@pytest.fixture
async def store(empty_store: EnrollmentStore) -> EnrollmentStore:
    """A store with one package and two students."""
    await empty_store.add_package(PACKAGE)
    await empty_store.add_student("usr_ada")
    await empty_store.add_student("usr_grace")
    return empty_store


async def test_a_package_comes_back_as_it_was_added(store: EnrollmentStore) -> None:
    assert await store.packages(lambda work: work.hold_package(PACKAGE.slug)) == PACKAGE
    assert await store.packages(lambda work: work.hold_package("unknown")) is None


async def test_what_a_package_offers_is_found_by_its_id_and_by_name(store: EnrollmentStore) -> None:
    offer = Offer.of(PACKAGE)
    assert await store.enrollments(lambda work: work.find_offer(PACKAGE.id)) == offer
    assert await store.enrollments(lambda work: work.find_offer(PACKAGE.slug)) is None

    async def named(name: str) -> Offer | None:
        return await store.enrollments(lambda work: work.find_offer_named(name))

    assert [await named(name) for name in (PACKAGE.id, PACKAGE.slug, "unknown")] == [offer, offer, None]


async def test_a_slug_belongs_to_the_first_package(store: EnrollmentStore) -> None:
    assert not await store.add_package(replace(PACKAGE, id="pkg_other", tiers=()))
    assert await store.packages(lambda work: work.hold_package(PACKAGE.slug)) == PACKAGE


async def test_the_last_enrollment_is_the_active_one_or_the_one_that_ended_last(
    store: EnrollmentStore, clock: SettableClock
) -> None:
    async def last() -> str | None:
        found = await store.enrollments(lambda work: work.hold_last_enrollment("usr_ada", PACKAGE.id))
        return None if found is None else found.id

    assert await last() is None
    first = (await store.enroll(a_student(), PACKAGE.id)).enrollment
    assert await last() == first.id
    clock.advance(minutes=1)
    await store.cancel(a_student(), PACKAGE.id)
    assert await last() == first.id
    second = (await store.enroll(a_student(), PACKAGE.id)).enrollment
    assert await last() == second.id
    clock.advance(minutes=1)
    await store.cancel(a_student(), PACKAGE.id)
    assert await last() == second.id


async def test_rows_come_back_as_they_were_written(store: EnrollmentStore, clock: SettableClock) -> None:
    enrolled = await store.enroll(a_student(), PACKAGE.id, OPEN.id)
    assert list(await store.history()) == [enrolled.enrollment]
    clock.advance(days=1)
    ended = await store.cancel(a_student(), PACKAGE.id)
    assert list(await store.history()) == [ended]
    assert ended.end_reason is EnrollmentEnd.CANCELLED


async def test_a_second_active_row_is_refused_even_when_nobody_held_the_student(store: EnrollmentStore) -> None:
    async def add_two(work: EnrollmentWork) -> None:
        await work.add_enrollment(an_enrollment("enr_1"))
        await work.add_enrollment(an_enrollment("enr_2", tier=OPEN))

    with pytest.raises(EnrollmentExists):
        await store.enrollments(add_two)
    assert await store.history() in ((), [])


async def test_an_end_is_never_written_twice(store: EnrollmentStore) -> None:
    active = an_enrollment()

    async def end_twice(work: EnrollmentWork) -> None:
        await work.add_enrollment(active)
        await work.end_enrollment(end(active, EnrollmentEnd.CANCELLED, active.started_at))
        await work.end_enrollment(end(active, EnrollmentEnd.EXPIRED, active.started_at + timedelta(days=9)))

    await store.enrollments(end_twice)
    (row,) = await store.history()
    assert (row.end_reason, row.ended_at) == (EnrollmentEnd.CANCELLED, active.started_at)


async def test_a_refusal_leaves_nothing_behind(store: EnrollmentStore) -> None:
    async def add_and_refuse(work: EnrollmentWork) -> None:
        await work.add_enrollment(an_enrollment())
        raise EnrollmentNotFound

    with pytest.raises(EnrollmentNotFound):
        await store.enrollments(add_and_refuse)
    assert not await store.history()


async def test_twenty_who_enrol_at_once_get_one_row(store: EnrollmentStore) -> None:
    results = await asyncio.gather(*(store.enroll(a_student(), PACKAGE.id) for _ in range(20)))
    (row,) = await store.history()
    assert sorted(result.created for result in results) == [False] * 19 + [True]
    assert {result.enrollment for result in results} == {row}


async def test_of_two_tiers_asked_for_at_once_one_wins(store: EnrollmentStore) -> None:
    asked = [store.enroll(a_student(), PACKAGE.id, tier.id) for tier in [STANDARD, OPEN] * 5]
    results = await asyncio.gather(*asked, return_exceptions=True)
    (row,) = await store.history()
    refused = [result for result in results if isinstance(result, BaseException)]
    assert [type(refusal) for refusal in refused] == [EnrollmentExists] * 5
    assert {result.enrollment for result in results if not isinstance(result, BaseException)} == {row}


async def test_of_ten_who_cancel_at_once_one_does(store: EnrollmentStore) -> None:
    await store.enroll(a_student(), PACKAGE.id)
    cancelled = [store.cancel(a_student(), PACKAGE.id) for _ in range(10)]
    results = await asyncio.gather(*cancelled, return_exceptions=True)
    assert [type(result) for result in results].count(EnrollmentNotFound) == 9


@pytest.mark.parametrize("seed", range(3))
async def test_stretches_never_overlap_however_requests_and_their_instants_mix(
    store: EnrollmentStore, clock: SettableClock, seed: int
) -> None:
    """Rounds of simultaneous requests, each round with an instant that may lie before that of the one before."""
    chance = random.Random(seed)
    start = clock.now()
    for _ in range(8):
        clock.set(start + timedelta(seconds=chance.randint(-30, 30)))
        before = {row.id: row for row in await store.history()}
        await asyncio.gather(*(_something(store, chance) for _ in range(6)))
        await _assert_history_grew(store, before)


async def _something(store: EnrollmentStore, chance: random.Random) -> None:
    actor = a_student(chance.choice(["usr_ada", "usr_grace"]))
    with suppress(DomainError):
        if chance.random() < 0.5:
            await store.enroll(actor, PACKAGE.id, chance.choice([None, OPEN.id]))
        else:
            await store.cancel(actor, PACKAGE.id)


async def _assert_history_grew(store: EnrollmentStore, before: Mapping[str, Enrollment]) -> None:
    after = {row.id: row for row in await store.history()}
    for row_id, was in before.items():
        now = after[row_id]
        assert now == was or replace(now, ended_at=None, end_reason=None) == was
    for user_id in ("usr_ada", "usr_grace"):
        rows = [row for row in after.values() if row.user_id == user_id]
        rows.sort(key=lambda row: (row.started_at, row.ended_at is None, row.ended_at))
        for earlier, later in pairwise(rows):
            assert earlier.ended_at is not None
            assert earlier.started_at <= earlier.ended_at <= later.started_at


async def test_a_hidden_package_is_found_by_the_rule_that_refuses_it(empty_store: EnrollmentStore) -> None:
    await empty_store.add_package(hidden(PACKAGE))
    await empty_store.add_student("usr_ada")
    with pytest.raises(PackageNotFound):
        await empty_store.enroll(a_student(), PACKAGE.id)


async def test_a_defined_package_can_be_enrolled_in(store: EnrollmentStore) -> None:
    defined = await store.define(None, replace(OUTLINE, pass_mark=Decimal("66.67"), duration_seconds=90))
    assert await store.enrollments(lambda work: work.find_offer(defined.package.id)) == Offer.of(defined.package)
    assert (await store.enroll(a_student(), defined.package.id)).created


async def test_banks_are_linked_once(store: EnrollmentStore) -> None:
    await store.add_bank(StoredBank(id="qbk_1", slug="cables"))
    await store.add_bank(StoredBank(id="qbk_2", slug="routes"))
    first = await store.define(None, replace(OUTLINE, banks=("cables", "cables")))
    again = await store.define(None, replace(OUTLINE, banks=("qbk_2", "cables")))
    assert (first.linked_banks, again.linked_banks) == (("qbk_1",), ("qbk_2",))
    assert list(await store.audited()) == ["package.created", "package.banks_linked"]


async def test_ten_who_define_a_package_at_once_make_one(store: EnrollmentStore) -> None:
    await store.add_bank(StoredBank(id="qbk_1", slug="cables"))
    outline = replace(OUTLINE, banks=("cables",))
    results = await asyncio.gather(*(store.define(None, outline) for _ in range(10)))
    assert sorted(result.created for result in results) == [False] * 9 + [True]
    assert len({result.package for result in results}) == 1
    assert list(await store.audited()) == ["package.created"]

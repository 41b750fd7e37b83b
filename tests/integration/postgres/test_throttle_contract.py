"""What every store of counted attempts keeps: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.auth import MemoryThrottleWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.auth import PostgresThrottleWork
from adapters.postgres.database import Database
from adapters.postgres.housekeeping import Housekeeping
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.auth.ports import ThrottleWork
from application.ports import Transaction
from domain.auth.guessing import Claim
from domain.auth.throttling import Attempts
from domain.errors import DomainError, StoreUnavailable
from tests.support.auth_builders import (
    EMAIL,
    NOW,
    PASSWORD,
    STUDENT_VISIT,
    Auth,
    a_user,
    auth_in_memory,
    auth_on_postgres,
)
from tests.support.postgres import SettableClock


@pytest.fixture(params=["memory", "postgres"])
def transact(request: pytest.FixtureRequest, clock: SettableClock) -> Transaction[ThrottleWork]:
    if request.param == "memory":
        return MemoryTransaction(MemoryStore(), MemoryThrottleWork, clock)
    return PostgresTransaction(request.getfixturevalue("database"), PostgresThrottleWork, TimeOrderedIds(), clock)


async def held(transact: Transaction[ThrottleWork], *keys: str) -> dict[str, Attempts]:
    return dict(await transact(lambda work: work.hold_attempts(keys)))


async def keep(transact: Transaction[ThrottleWork], *counters: Attempts) -> None:
    async def write(work: ThrottleWork) -> None:
        await work.hold_attempts([counter.key for counter in counters])
        await work.keep_attempts(counters)

    await transact(write)


async def test_a_counter_begins_when_it_is_first_held(
    transact: Transaction[ThrottleWork], clock: SettableClock
) -> None:
    assert await held(transact, "b", "a") == {"a": Attempts.none("a", NOW), "b": Attempts.none("b", NOW)}
    clock.advance(hours=1)
    found = await held(transact, "a", "c")
    assert found == {"a": Attempts.none("a", NOW), "c": Attempts.none("c", clock.now())}


async def test_counters_come_back_as_they_were_kept(transact: Transaction[ThrottleWork]) -> None:
    first = Attempts(
        key="a",
        failures=7,
        under_way=(NOW, NOW + timedelta(microseconds=1)),
        window_started_at=NOW,
        last_at=NOW + timedelta(microseconds=1),
        blocked_until=NOW + timedelta(minutes=4),
    )
    second = replace(first, key="b", blocked_until=None, under_way=(NOW - timedelta(seconds=1),))
    await keep(transact, second, first)
    assert await held(transact, "a", "b") == {"a": first, "b": second}
    await keep(transact, first.cleared())
    assert (await held(transact, "a"))["a"] == first.cleared()


async def test_a_refused_unit_makes_and_changes_no_counter(
    transact: Transaction[ThrottleWork], clock: SettableClock
) -> None:
    async def refused(work: ThrottleWork) -> None:
        counters = await work.hold_attempts(["a"])
        await work.keep_attempts([counters["a"].reserved(work.now)])
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await transact(refused)
    clock.advance(hours=1)
    assert await held(transact, "a") == {"a": Attempts.none("a", clock.now())}


async def test_no_count_is_lost_among_units_at_once(transact: Transaction[ThrottleWork]) -> None:
    """Whichever keys they hold, in whichever order they name them; none waits for another for ever."""
    chance = random.Random(1)

    async def add(keys: list[str]) -> None:
        async def count(work: ThrottleWork) -> None:
            counters = await work.hold_attempts(keys)
            await work.keep_attempts([counter.reserved(work.now) for counter in counters.values()])

        await transact(count)

    chosen = [chance.sample("abcd", 3) for _ in range(40)]
    await asyncio.gather(*map(add, chosen))
    counted = await held(transact, *"abcd")
    assert {key: counter.pending for key, counter in counted.items()} == {
        key: sum(key in keys for keys in chosen) for key in "abcd"
    }


@pytest.mark.parametrize("seed", range(3))
async def test_both_stores_lock_and_forgive_alike(seed: int, database: Database) -> None:
    """Sixty random sign-ins on memory and on PostgreSQL: the same answers, the same checks, the same counters."""
    clock, chance = SettableClock(), random.Random(seed)
    stores: tuple[Auth, Auth] = (auth_in_memory(clock=clock), auth_on_postgres(database, clock))
    for store in stores:
        await store.add(a_user())
    for _ in range(60):
        clock.advance(seconds=chance.choice([0, 0, 0, 5, 61, 700]))
        email = chance.choice([EMAIL, EMAIL, "nobody@example.org"])
        password = PASSWORD if chance.random() < 0.1 else "wrong"
        visit = replace(STUDENT_VISIT, ip=chance.choice(["192.0.2.7", "2001:db8::1", "2001:db8::2"]))
        answers = []
        for store in stores:
            try:
                answers.append((await store.enter(email, password, visit)).person.id)
            except DomainError as refusal:
                answers.append(type(refusal).__name__)
        assert answers[0] == answers[1]
    assert stores[0].hasher.checks == stores[1].hasher.checks
    assert stores[0].hasher.idled == stores[1].hasher.idled > 0
    keys = Claim.of(EMAIL, "192.0.2.7").keys
    assert await held(stores[0].throttle, *keys) == await held(stores[1].throttle, *keys)


async def test_counters_that_tell_nothing_any_more_are_purged(database: Database, ids: TimeOrderedIds) -> None:
    """Without failures after a day, with failures after a month; a lock that only a person may lift stays."""
    ages = {
        "clear": (0, 2),
        "failed": (99, 31),
        "stopped": (100, 400),
        "busy": (300, 31),
        "young": (4, 29),
        "new": (0, 0),
    }
    for key, (failures, days) in ages.items():
        await database.fetch_one(
            "insert into attempt_counters (key, failures, window_started_at, last_at, blocked_until)"
            " select %(key)s, %(failures)s, at, at, case when %(locks)s then at end"
            " from (select clock_timestamp() - make_interval(days => %(days)s) as at) then_ returning key",
            {"key": key, "failures": failures, "days": days, "locks": key in {"failed", "stopped"}},
        )
    await Housekeeping(database, ids, batch=1).purge_attempts({})
    left = await database.fetch_all("select key from attempt_counters order by key")
    assert [row["key"] for row in left] == ["new", "stopped", "young"]

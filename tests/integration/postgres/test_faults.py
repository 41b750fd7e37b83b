"""Faults of a real server, frozen, killed and restarted: every call is answered in time, and all is well soon after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import closing
from functools import partial

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.health import readiness
from adapters.postgres.jobs import JobWorker
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from application.ports import AuditEntry
from domain.errors import DomainError, Kind, OutcomeUnknown
from tests.support.fragile_server import FragileServer, fragile_server
from tests.support.under_fire import writing

ANSWER_SECONDS = 6.0
RECOVERY_SECONDS = 3.0
HURRIED_SECONDS = 4.0


@pytest.fixture(scope="module")
def fragile() -> Iterator[FragileServer]:
    with fragile_server() as running:
        yield running


@pytest.fixture
async def fresh(fragile: FragileServer) -> AsyncIterator[Database]:
    """The store with every limit as in production and a small pool, so that calls also queue for a connection."""
    database = Database(fragile.urls.app, pool_min=2, pool_max=2)
    await database.open()
    await until_normal(database)
    yield database
    await database.close()


@pytest.fixture
async def hurried(fragile: FragileServer) -> AsyncIterator[Database]:
    """Shorter limits where only their order matters, and longer than a pause of the machine."""
    database = Database(fragile.urls.app, pool_min=2, pool_max=2, deadline_seconds=1.5, pool_timeout_seconds=1.0)
    await database.open()
    await until_normal(database)
    yield database
    await database.close()


def transaction(database: Database) -> PostgresTransaction[PostgresWork]:
    return PostgresTransaction(database, PostgresWork, TimeOrderedIds())


async def add_row(database: Database, subject: str) -> None:
    await transaction(database)(lambda work: work.audit(AuditEntry(actor_id=None, action="act", subject=subject)))


async def subjects(database: Database, like: str) -> list[str]:
    rows = await database.fetch_all(
        "select subject from audit_log where subject like %(like)s order by id", {"like": like}
    )
    return [row["subject"] for row in rows]


async def ping(database: Database) -> object:
    return await database.fetch_one("select 1 as one")


async def until_normal(database: Database) -> float:
    """Seconds until calls succeed, and go on succeeding, several at once."""
    begun = time.monotonic()
    while True:
        try:
            await ping(database)
            break
        except DomainError:
            assert time.monotonic() - begun < 60
            await asyncio.sleep(0.02)
    taken = time.monotonic() - begun
    for _ in range(5):
        await asyncio.gather(*(ping(database) for _ in range(8)))
    return taken


async def answered(call: Awaitable[object]) -> float:
    """Seconds until the refusal, which says that the store is unavailable and when to come back."""
    begun = time.monotonic()
    with pytest.raises(DomainError) as caught:
        await call
    assert caught.value.kind is Kind.UNAVAILABLE
    assert caught.value.retry_after_seconds == 1
    return time.monotonic() - begun


async def settled(database: Database) -> None:
    """Nothing of an abandoned call is left in the process."""
    async with asyncio.timeout(30):
        while database.running:
            await asyncio.sleep(0.02)


async def test_a_frozen_server_keeps_nobody_waiting_and_is_forgotten_when_it_thaws(
    fragile: FragileServer, fresh: Database
) -> None:
    """Calls that were at rest, in the middle of a unit, waiting for a connection, and new ones while it lasts."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def interrupted(work: PostgresWork) -> None:
        await work.audit(AuditEntry(actor_id=None, action="act", subject="frozen-interrupted"))
        begun.set()
        await go_on.wait()
        await work.audit(AuditEntry(actor_id=None, action="act", subject="frozen-interrupted"))

    in_the_middle = asyncio.create_task(answered(transaction(fresh)(interrupted)))
    await begun.wait()
    with fragile.frozen():
        go_on.set()
        calls = [answered(ping(fresh)) for _ in range(5)] + [answered(add_row(fresh, "frozen-new")) for _ in range(5)]
        waits = await asyncio.gather(in_the_middle, *calls)
        assert max(waits) < ANSWER_SECONDS
    assert await until_normal(fresh) < RECOVERY_SECONDS
    await settled(fresh)
    assert await subjects(fresh, "frozen%") == []
    assert fresh.statistics()["pool_size"] <= 2


async def test_calls_of_a_long_freeze_wait_no_longer_than_those_of_its_beginning(
    fragile: FragileServer, hurried: Database
) -> None:
    """By then there is no connection left, and none can be made."""
    with fragile.frozen():
        for _ in range(3):
            assert max(await asyncio.gather(*(answered(ping(hurried)) for _ in range(5)))) < HURRIED_SECONDS
        assert not (await readiness(hurried)).ready
    assert await until_normal(hurried) < RECOVERY_SECONDS
    await settled(hurried)


async def test_a_long_absence_of_the_server_does_not_make_the_pool_slow_to_return(
    fragile: FragileServer, hurried: Database
) -> None:
    """The pool's own pauses double with every attempt; after this one the next would be seven seconds away."""
    fragile.kill()
    gone = time.monotonic()
    while time.monotonic() - gone < 7.2:
        await answered(ping(hurried))
    await asyncio.to_thread(fragile.restart)
    assert await until_normal(hurried) < RECOVERY_SECONDS


async def test_a_store_that_is_opened_while_the_server_is_frozen_serves_when_it_thaws(fragile: FragileServer) -> None:
    database = Database(fragile.urls.app, deadline_seconds=1.5, pool_timeout_seconds=1.0)
    with fragile.frozen():
        await database.open()
        assert await answered(ping(database)) < HURRIED_SECONDS
    assert await until_normal(database) < RECOVERY_SECONDS
    await database.close()


async def test_closing_is_bounded_while_the_server_is_frozen(fragile: FragileServer) -> None:
    database = Database(fragile.urls.app, pool_min=2, pool_max=2, deadline_seconds=1.5)
    await database.open()
    await until_normal(database)
    with fragile.frozen():
        calls = [asyncio.create_task(answered(ping(database))) for _ in range(3)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        await database.close()
        assert time.monotonic() - begun < 10
        await asyncio.gather(*calls)
        assert not database.running


async def test_a_worker_can_be_stopped_while_the_server_is_frozen(fragile: FragileServer, fresh: Database) -> None:
    worker = JobWorker(fragile.urls.app, {}, polling_seconds=0.02, concurrency=1)
    await worker.start()
    # Its upkeep of this minute is done: a job that is cut off fails in a task of its own, amid the next test.
    idle = (
        "select from procrastinate_workers where exists (select from procrastinate_periodic_defers)"
        " and not exists (select from procrastinate_jobs where status in ('todo', 'doing'))"
    )
    async with asyncio.timeout(60):
        while not await fresh.fetch_all(idle):
            await asyncio.sleep(0.02)
    with fragile.frozen():
        await asyncio.sleep(0.1)  # so that it asks for a job and waits for the answer
        begun = time.monotonic()
        await worker.stop(grace_seconds=0.2)
        assert time.monotonic() - begun < 8


async def test_ended_backends_cost_nobody_a_request(fragile: FragileServer, fresh: Database) -> None:
    """What a restart of the server or an operator leaves in the pool is noticed before it is used."""
    for _ in range(3):
        with closing(psycopg.connect(fragile.urls.superuser.replace("/postgres?", "/ace?"), autocommit=True)) as other:
            other.execute("select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = 'ace_app'")
        await asyncio.gather(*(ping(fresh) for _ in range(4)))
    assert fresh.statistics()["pool_size"] <= 2


async def test_what_was_acknowledged_survives_a_killed_server_and_the_pool_recovers(
    fragile: FragileServer, hurried: Database
) -> None:
    write = partial(add_row, hurried)
    async with writing(write, writers=4, first=50, pause_seconds=0) as acknowledged:
        fragile.kill()
        assert await answered(ping(hurried)) < ANSWER_SECONDS
        await asyncio.to_thread(fragile.restart)
        recovery = await until_normal(hurried)
    assert recovery < RECOVERY_SECONDS
    assert set(acknowledged) <= set(await subjects(hurried, "killed%"))


async def test_a_commit_that_the_server_did_not_answer_is_an_unknown_outcome(
    fragile: FragileServer, hurried: Database
) -> None:
    """Frozen between the last statement and the commit: it happened or not, never half."""
    frozen = fragile.frozen()

    async def unit(work: PostgresWork) -> None:
        for part in (1, 2):
            await work.audit(AuditEntry(actor_id=None, action="act", subject=f"commit-{part}"))
        frozen.__enter__()

    with pytest.raises(OutcomeUnknown):
        await transaction(hurried)(unit)
    frozen.__exit__(None, None, None)
    await until_normal(hurried)
    assert await subjects(hurried, "commit%") in ([], ["commit-1", "commit-2"])

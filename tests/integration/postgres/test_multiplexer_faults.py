"""Faults around shared connections: everybody is answered in time, nothing acknowledged is lost, all is well soon."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest

from adapters.postgres import database as database_module
from adapters.postgres.database import Database
from application.request_context import RequestContext, request_context
from domain.errors import DomainError, Kind, OutcomeUnknown, StoreUnavailable
from tests.support.fragile_server import FragileServer, fragile_server
from tests.support.sharing import (
    WAYS,
    add,
    count,
    end_whoever,
    make_things,
    numbers,
    read,
    shared,
    until_active,
    warm,
)
from tests.support.under_fire import writing

RECOVERY_SECONDS = 3.0
DEADLINE_SECONDS = 0.5
ANSWER_SECONDS = 4 * DEADLINE_SECONDS


@pytest.fixture(scope="module")
def fragile() -> Iterator[FragileServer]:
    with fragile_server() as running:
        yield running


@pytest.fixture
def address(fragile: FragileServer) -> str:
    """The superuser's, with the things `a` to `e`."""
    address = fragile.urls.superuser.replace("/postgres?", "/ace?")
    make_things(address, *"abcde")
    return address


@pytest.fixture
async def make(
    fragile: FragileServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[Database]]]:
    """Opened stores with shorter limits, of which only the order matters."""
    monkeypatch.setattr(database_module, "MULTIPLEX", True)
    made: list[Database] = []

    async def make(**limits: Any) -> Database:
        chosen = {"pool_min": 2, "pool_max": 2, "deadline_seconds": DEADLINE_SECONDS, "pool_timeout_seconds": 0.3}
        made.append(Database(fragile.urls.app, **chosen | limits))
        await made[-1].open()
        await until_normal(made[-1])
        return made[-1]

    yield make
    for database in made:
        await database.close()


@pytest.fixture
async def hurried(make: Callable[..., Awaitable[Database]]) -> Database:
    return await make()


@pytest.fixture(params=WAYS)
async def either(request: pytest.FixtureRequest, make: Callable[..., Awaitable[Database]]) -> Database:
    return await make(multiplex=request.param == "multiplexer")


async def until_normal(database: Database) -> float:
    """Seconds until statements of every kind succeed, and go on succeeding."""
    begun = time.monotonic()
    while True:
        try:
            await asyncio.gather(warm(database), database.fetch_one("select 1"))
            break
        except DomainError:
            assert time.monotonic() - begun < 10
            await asyncio.sleep(0.02)
    taken = time.monotonic() - begun
    for _ in range(5):
        await asyncio.gather(*(call(database, "nothing") for call in (read, count) for _ in range(4)))
    return taken


async def until_shared(database: Database) -> None:
    """Both lanes are connected again."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while shared(database, "connections") < 2:
            await asyncio.sleep(0.02)


async def refused(call: Awaitable[object]) -> float:
    """Seconds until the refusal, which says that the store is unavailable and when to come back."""
    begun = time.monotonic()
    with pytest.raises(DomainError) as caught:
        await call
    assert caught.value.kind is Kind.UNAVAILABLE
    assert caught.value.retry_after_seconds == 1
    return time.monotonic() - begun


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The request has to be answered in so many seconds."""
    token = request_context.set(RequestContext(answer_by=time.monotonic() + seconds))
    try:
        yield
    finally:
        request_context.reset(token)


def execute(address: str, statement: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


END_ALL = "select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = 'ace_app'"


async def test_a_frozen_server_keeps_nobody_waiting_and_nobody_else_either(
    fragile: FragileServer, either: Database
) -> None:
    """Those that are out, those that wait, new ones while it lasts; and the event loop goes on meanwhile."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    turning = asyncio.create_task(turn())
    with fragile.frozen():
        for _ in range(3):
            calls = [refused(call(either, "a")) for call in (read, count) for _ in range(100)]
            waits = await asyncio.gather(*calls)
            assert max(waits) < ANSWER_SECONDS
    turning.cancel()
    assert turns > 20
    assert await until_normal(either) < RECOVERY_SECONDS


async def test_what_was_out_when_the_server_froze_is_an_unknown_outcome_and_what_was_not_never_happens(
    fragile: FragileServer, hurried: Database
) -> None:
    with fragile.frozen():
        groups = shared(hurried, "groups")
        out = asyncio.create_task(add(hurried, "out"))
        while shared(hurried, "groups") == groups:
            await asyncio.sleep(0)
        with within(0.2):
            waiting = asyncio.create_task(add(hurried, "waiting"))
        outcomes = await asyncio.gather(out, waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, StoreUnavailable]
    await until_normal(hurried)
    assert "waiting" not in await numbers(hurried)


async def test_a_backend_that_is_frozen_alone_is_replaced(hurried: Database) -> None:
    row = await hurried.write_one("select pg_backend_pid() as pid")
    assert row is not None
    os.kill(row["pid"], signal.SIGSTOP)
    try:
        assert max(await asyncio.gather(*(refused(count(hurried, "a")) for _ in range(5)))) < ANSWER_SECONDS
        await until_shared(hurried)
        assert await count(hurried, "b") == {"id": "b", "n": 1}
    finally:
        os.kill(row["pid"], signal.SIGCONT)


async def test_ended_backends_cost_nobody_a_request(either: Database, address: str) -> None:
    """What a restart or an operator leaves behind is noticed before it is used, at once and later on."""
    for pause in (0.0, 0.0, 0.05):
        execute(address, END_ALL)
        await asyncio.sleep(pause)
        await asyncio.gather(*(call(either, "a") for call in (read, count) for _ in range(4)))
        await until_normal(either)
    assert (await numbers(either))["a"] == 12


async def test_readers_whose_backend_is_ended_are_answered_by_the_pool(
    make: Callable[..., Awaitable[Database]], address: str
) -> None:
    patient = await make(deadline_seconds=4.0)
    query: LiteralString = "select pg_sleep(0.2), %(n)s::int as n"
    calls = [asyncio.create_task(patient.read_one(query, {"n": n})) for n in range(3)]
    await end_whoever(address, "%pg_sleep(0.2)%")
    assert [row and row["n"] for row in await asyncio.gather(*calls)] == [0, 1, 2]
    await until_shared(patient)


async def test_what_is_handed_on_has_the_time_that_is_left(
    make: Callable[..., Awaitable[Database]], address: str
) -> None:
    """A shared connection that is lost late leaves the pool the rest of one deadline and not another one."""
    patient = await make(deadline_seconds=1.5)
    begun = time.monotonic()
    call = asyncio.create_task(patient.read_one("select pg_sleep(2.5)"))
    await until_active(address, "%pg_sleep(2.5)%")
    await asyncio.sleep(1.0)
    await end_whoever(address, "%pg_sleep(2.5)%")
    with pytest.raises(OutcomeUnknown):
        await call
    assert time.monotonic() - begun < 2.2


async def test_what_was_acknowledged_survives_a_killed_server(fragile: FragileServer, either: Database) -> None:
    async with writing(partial(add, either), writers=6, first=200, pause_seconds=0.001) as acknowledged:
        fragile.kill()
        assert await refused(count(either, "a")) < ANSWER_SECONDS
        await asyncio.to_thread(fragile.restart)
        recovery = await until_normal(either)
    assert recovery < RECOVERY_SECONDS
    assert set(acknowledged) <= set(await numbers(either))


async def test_after_a_restart_connections_are_shared_again(fragile: FragileServer, hurried: Database) -> None:
    fragile.kill()
    for _ in range(3):
        assert await refused(count(hurried, "a")) < ANSWER_SECONDS
    await asyncio.to_thread(fragile.restart)
    await until_shared(hurried)
    members = shared(hurried, "members")
    await until_normal(hurried)
    assert shared(hurried, "members") >= members + 40


async def test_a_statement_past_its_deadline_has_an_unknown_outcome_and_what_waits_behind_it_never_happens(
    make: Callable[..., Awaitable[Database]], address: str
) -> None:
    patient = await make(deadline_seconds=2.0)
    long = asyncio.create_task(patient.write_one("select pg_sleep(2.8)"))
    await until_active(address, "%pg_sleep(2.8)%")
    with within(0.5):
        assert await refused(add(patient, "late")) < 1.5
    assert not long.done()
    with pytest.raises(OutcomeUnknown):
        await long
    await until_normal(patient)
    assert "late" not in await numbers(patient)


async def test_the_time_left_of_a_request_bounds_its_statements_and_no_connection_is_let_go_for_it(
    make: Callable[..., Awaitable[Database]],
) -> None:
    patient = await make(deadline_seconds=4.0)
    begun = time.monotonic()
    with within(0.5):
        with pytest.raises(OutcomeUnknown):
            await patient.read_one("select pg_sleep(2)")
        with pytest.raises(StoreUnavailable):
            await patient.read_one("select 1")
    assert time.monotonic() - begun < 1.5
    assert shared(patient, "connections") == 2
    assert await read(patient, "a") == {"id": "a", "n": 0, "body": None}


async def test_the_queue_is_bounded(make: Callable[..., Awaitable[Database]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_MAX_SHARING", 20)
    database = await make()
    outcomes = await asyncio.gather(*(count(database, "a") for _ in range(50)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes[20:]] == [StoreUnavailable] * 30
    assert [outcome["n"] for outcome in outcomes[:20] if isinstance(outcome, dict)] == list(range(1, 21))


async def test_whoever_went_away_takes_no_place_in_the_queue(
    make: Callable[..., Awaitable[Database]], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_MAX_SHARING", 20)
    patient = await make(deadline_seconds=4.0)
    long = asyncio.create_task(patient.write_one("select pg_sleep(1)"))
    await until_active(address, "%pg_sleep(1)%")
    gone = [asyncio.create_task(count(patient, "a")) for _ in range(20)]
    await asyncio.sleep(0)
    assert await refused(count(patient, "a")) < ANSWER_SECONDS
    for call in gone:
        call.cancel()
    async with asyncio.timeout(0.8):
        while shared(patient, "waiting"):
            await asyncio.sleep(0.01)
    assert not long.done()
    assert await count(patient, "a") == {"id": "a", "n": 1}


async def test_closing_lets_what_is_there_end_and_leaves_no_connection(
    make: Callable[..., Awaitable[Database]], address: str
) -> None:
    patient = await make(deadline_seconds=4.0)
    calls = [asyncio.create_task(count(patient, "abcde"[n % 5])) for n in range(300)]
    slow = asyncio.create_task(patient.read_one("select pg_sleep(0.2), 1 as one"))
    await asyncio.sleep(0.001)
    await patient.close()
    assert all(await asyncio.gather(*calls))
    assert await slow is not None
    await refused(count(patient, "a"))
    with psycopg.connect(address) as connection:
        left = "select count(*) from pg_stat_activity where usename = 'ace_app'"
        while (connection.execute(left).fetchone() or (0,))[0]:
            await asyncio.sleep(0.01)


async def test_closing_is_bounded_while_the_server_is_frozen(fragile: FragileServer, hurried: Database) -> None:
    with fragile.frozen():
        calls = [asyncio.create_task(refused(call(hurried, "a"))) for call in (read, count) for _ in range(100)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        await hurried.close()
        assert time.monotonic() - begun < ANSWER_SECONDS
        assert max(await asyncio.gather(*calls)) < ANSWER_SECONDS
        assert hurried.running == 0


async def test_a_server_that_is_not_there_is_unavailability_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "MULTIPLEX", True)
    database = Database("host=/nonexistent dbname=ace", pool_timeout_seconds=0.2)
    await refused(database.read_one("select 1"))
    await database.open()
    waits = await asyncio.gather(*(refused(database.read_one("select 1")) for _ in range(9)))
    assert max(waits) < 1
    await database.close()
    await refused(database.write_one("select 1"))


async def test_behind_a_pooler_that_keeps_no_prepared_statements_nothing_is_shared(
    make: Callable[..., Awaitable[Database]],
) -> None:
    for off in ({"prepare_threshold": None}, {"multiplex": False}):
        database = await make(**off)
        assert await count(database, "e") is not None
        assert not any(name.startswith("multiplexer") for name in database.statistics())

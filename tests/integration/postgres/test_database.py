"""The pool: rows out, everything bounded, errors translated."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import cast

import psycopg
import pytest

from adapters.postgres.connections import Connection, is_alive
from adapters.postgres.database import Database, Lease
from application.request_context import RequestContext, request_context
from domain.errors import Kind, OutcomeUnknown, StoreUnavailable
from tests.support.postgres import ClonedDatabase

# What nobody waits for to its end, and what comes long before it on the slowest machine.
_ENDLESS = 60.0
_LONG_BEFORE = 30.0


@pytest.fixture
async def narrow(cloned: ClonedDatabase) -> AsyncIterator[Callable[..., Database]]:
    """Databases with one connection and limits of the test's choice, which those of the role do not forestall."""
    made: list[Database] = []
    address = f"{cloned.urls.app}&options=-c%20statement_timeout%3D{_ENDLESS:.0f}s"

    def make(**limits: float) -> Database:
        made.append(Database(address, pool_min=1, pool_max=1, **limits))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for database in made:
        await database.close()


async def sleep(database: Database, seconds: float) -> None:
    await database.fetch_one("select pg_sleep(%(seconds)s)", {"seconds": seconds})


@asynccontextmanager
async def in_use(database: Database) -> AsyncIterator[None]:
    """Somebody has its only connection for as long as the block lasts."""
    has_it, over = asyncio.Event(), asyncio.Event()

    async def hold(connection: Connection, lease: Lease) -> None:
        has_it.set()
        await over.wait()

    holder = asyncio.create_task(database.run(hold, deadline_seconds=_ENDLESS))
    await has_it.wait()
    try:
        yield
    finally:
        over.set()
        await holder


async def test_one_row_comes_as_a_dictionary(database: Database) -> None:
    assert await database.fetch_one("select 1 as one, current_user::text as role") == {"one": 1, "role": "ace_app"}


async def test_times_are_utc_where_the_server_prefers_another_zone(cloned: ClonedDatabase) -> None:
    database = Database(f"{cloned.urls.app}&options=-c%20timezone%3DAsia/Tokyo")
    await database.open()
    row = await database.fetch_one("select now() as now, current_setting('timezone') as zone")
    await database.close()
    assert row is not None
    assert (row["now"].tzinfo, row["zone"]) == (UTC, "UTC")


class Line:
    """Stands for a connection of which only the socket matters; the other end is the server's."""

    def __init__(self) -> None:
        self.here, self.server = socket.socketpair()
        self.pgconn = self
        self.closed = False

    @property
    def socket(self) -> int:
        return self.here.fileno()

    def consume_input(self) -> None:
        if not self.here.recv(100):
            raise psycopg.OperationalError


def test_an_idle_connection_lives_until_its_end_shows_and_a_late_notice_is_not_its_end() -> None:
    line = Line()
    with line.here, line.server:
        connection = cast(Connection, line)
        assert is_alive(connection)
        line.server.send(b"a notice")
        assert is_alive(connection)
        line.server.send(b"a last word")
        line.server.close()
        assert not is_alive(connection)
        assert not is_alive(connection)
        line.closed = True
        assert not is_alive(connection)


async def test_no_row_is_none(database: Database) -> None:
    assert await database.fetch_one("select 1 where false") is None


async def test_all_rows_come_in_order(database: Database) -> None:
    rows = await database.fetch_all("select n from generate_series(1, %(last)s) n", {"last": 3})
    assert rows == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_each_statement_commits_by_itself(database: Database) -> None:
    added = "insert into question_difficulties values ('dif_test', 'Test', 99, 'test') returning id"
    await database.fetch_one(added)
    assert await database.fetch_one("delete from question_difficulties where rank = 99 returning id") is not None


async def test_more_callers_than_connections_take_turns(database: Database) -> None:
    rows = await asyncio.gather(*(database.fetch_one("select %(n)s::int as n", {"n": n}) for n in range(200)))
    assert [row and row["n"] for row in rows] == list(range(200))
    assert database.statistics()["pool_size"] <= 4


async def test_a_statement_that_is_wrong_stays_a_visible_defect(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.fetch_one("select * from nowhere")


async def test_a_statement_past_its_deadline_has_an_unknown_outcome_and_costs_nobody_else_anything(
    narrow: Callable[..., Database],
) -> None:
    database = narrow(deadline_seconds=1.5)
    await database.open()
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        await sleep(database, _ENDLESS)
    assert time.monotonic() - begun < _LONG_BEFORE
    assert await database.fetch_one("select 1 as one") == {"one": 1}


async def test_a_statement_whose_backend_is_ended_has_an_unknown_outcome(
    database: Database, cloned: ClonedDatabase
) -> None:
    """It may have committed just before, and nobody is left to say so."""
    call = asyncio.create_task(database.fetch_one("select pg_sleep(2) as of_this_test"))
    end = "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(2) as of_this_test'"
    with cloned.administration() as administration:
        while not administration.execute(end).fetchall():
            await asyncio.sleep(0.01)
    with pytest.raises(OutcomeUnknown):
        await call
    assert await database.fetch_one("select 1 as one") == {"one": 1}


async def test_a_caller_waits_only_so_long_for_a_connection(narrow: Callable[..., Database]) -> None:
    database = narrow(pool_timeout_seconds=1.0)
    await database.open()
    async with in_use(database):
        with pytest.raises(StoreUnavailable) as caught:
            await database.fetch_one("select 1")
    assert caught.value.retry_after_seconds == 1


async def test_a_call_whose_time_passed_in_the_queue_never_happens_and_costs_no_connection(
    narrow: Callable[..., Database],
) -> None:
    database = narrow()
    await database.open()
    async with in_use(database):
        token = request_context.set(RequestContext(answer_by=time.monotonic() + 0.05))
        late = "insert into question_difficulties values ('dif_late', 'x', 98, 'x') returning id"
        try:
            with pytest.raises(StoreUnavailable):
                await database.fetch_one(late)
        finally:
            request_context.reset(token)
    assert await database.fetch_one("select from question_difficulties where id = 'dif_late'") is None
    assert database.statistics()["connections_num"] == 1


async def test_the_queue_for_a_connection_is_bounded(narrow: Callable[..., Database]) -> None:
    database = narrow(max_waiting=2)
    await database.open()
    await database.fetch_one("select 1")
    calls = [sleep(database, 0.02) for _ in range(8)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results.count(None) == 3
    assert all(isinstance(result, StoreUnavailable) for result in results if result is not None)


async def test_before_it_is_opened_and_after_it_is_closed_the_store_is_unavailable(
    narrow: Callable[..., Database],
) -> None:
    database = narrow()
    with pytest.raises(StoreUnavailable):
        await database.fetch_one("select 1")
    await database.open()
    assert await database.fetch_one("select 1 as one") == {"one": 1}
    await database.close()
    with pytest.raises(StoreUnavailable):
        await database.fetch_one("select 1")


async def test_closing_lets_what_runs_end(narrow: Callable[..., Database]) -> None:
    database = narrow()
    await database.open()
    call = asyncio.create_task(sleep(database, 0.2))
    await asyncio.sleep(0)
    await database.close()
    assert call.done()
    await call


async def test_a_server_that_is_not_there_is_unavailability_in_time() -> None:
    database = Database("host=/nonexistent dbname=ace", pool_timeout_seconds=0.2, deadline_seconds=_ENDLESS)
    await database.open()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        await database.fetch_one("select 1")
    assert time.monotonic() - begun < _LONG_BEFORE
    assert caught.value.kind is Kind.UNAVAILABLE
    await database.close()


async def test_a_caller_that_went_away_leaves_no_trace(narrow: Callable[..., Database]) -> None:
    """Neither a busy connection nor a complaint about an error that nobody received."""
    database = narrow(deadline_seconds=1.5)
    await database.open()
    caller = asyncio.create_task(sleep(database, _ENDLESS))
    await asyncio.sleep(0.05)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(_LONG_BEFORE):
        while database.running:
            await asyncio.sleep(0.01)
    assert await database.fetch_one("select 1 as one") == {"one": 1}


async def test_the_time_left_of_a_request_bounds_each_of_its_statements(narrow: Callable[..., Database]) -> None:
    database = narrow(deadline_seconds=_ENDLESS)
    await database.open()
    begun = time.monotonic()
    token = request_context.set(RequestContext(answer_by=begun + 1.5))
    try:
        await sleep(database, 0.1)
        with pytest.raises(OutcomeUnknown):
            await sleep(database, _ENDLESS)
        with pytest.raises(StoreUnavailable):
            await database.fetch_one("select 1")
    finally:
        request_context.reset(token)
    assert time.monotonic() - begun < _LONG_BEFORE


async def test_statistics_tell_what_the_pool_does(database: Database) -> None:
    await database.fetch_one("select 1")
    statistics = database.statistics()
    assert statistics["pool_max"] == 4
    assert statistics["requests_num"] >= 1

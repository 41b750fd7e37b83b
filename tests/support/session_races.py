"""Many at once on one account, through two processes' pools on PostgreSQL, and what may be seen of it meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.errors import is_collision
from tests.support.auth_builders import AuthOnPostgres, a_user, auth_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

_COUNT = "select count(*) from auth_sessions where user_id = 'usr_ada' and revoked_at is null"


@asynccontextmanager
async def two_processes(cloned: ClonedDatabase, clock: SettableClock) -> AsyncIterator[list[AuthOnPostgres]]:
    """Two processes as the database sees them, with six connections each; Ada has an account."""
    async with AsyncExitStack() as stack:
        databases = [Database(cloned.urls.app, pool_min=6, pool_max=6) for _ in range(2)]
        for database in databases:
            await database.open()
            stack.push_async_callback(database.close)
        both = [auth_on_postgres(database, clock) for database in databases]
        await both[0].add(a_user())
        yield both


def noting_collisions(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What made a unit of work run again: deadlocks, and nothing else at this level of isolation."""
    met: list[str | None] = []

    def noting(error: BaseException) -> bool:
        if isinstance(error, psycopg.Error):
            met.append(error.sqlstate)
        return is_collision(error)

    monkeypatch.setattr("adapters.postgres.transaction.is_collision", noting)
    return met


@contextmanager
def watching(cloned: ClonedDatabase) -> Iterator[list[int]]:
    """Counts Ada's live sessions on a connection of its own, as often as it can; every count that it saw."""
    seen: list[int] = []
    begun, over = threading.Event(), threading.Event()

    def watch() -> None:
        with cloned.administration() as connection:
            while not over.is_set():
                row = connection.execute(_COUNT).fetchone()
                assert row is not None
                seen.append(row[0])
                begun.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun.wait(60)
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


async def at_once(*acts: Awaitable[object]) -> list[object]:
    return await asyncio.gather(*acts, return_exceptions=True)


async def live(auth: AuthOnPostgres) -> set[str]:
    return {session.id for session in await auth.transact(lambda work: work.live_sessions("usr_ada"))}


async def waits_or_ends(
    cloned: ClonedDatabase, task: asyncio.Task[Any], *, beside: asyncio.Task[Any] | None = None
) -> None:
    """Returns when the task waits for a lock, as the one beside it may, or is done without one."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while not task.done():
            others = 0 if beside is None or beside.done() else 1
            if cloned.keeper.execute(waiting).fetchall() > [(others,)]:
                return
            await asyncio.sleep(0.005)

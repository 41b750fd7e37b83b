"""The pool of connections, and the bound around everything that is done with one of them.

A frozen server answers nothing, and `asyncio.timeout()` cannot end a wait for it: psycopg meets a cancellation by
asking the server to cancel, and waits for that. So whatever uses a connection runs as a task of its own that nobody
cancels; when its time is over the caller is told that the outcome is unknown and the socket is cut, which ends the
task by itself and lets the pool replace the connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connections import Connection, Query, configure, connection_options, is_alive, sever
from adapters.postgres.errors import Refusals, outcome_unknown, refusal_for, unavailable
from adapters.postgres.multiplexer import HandedOn, Lane, Multiplexer
from application.request_context import request_context

ResultT = TypeVar("ResultT")
Params = Mapping[str, Any]

# How long a lost connection is tried again in the background; later requests start anew, so that the pool is back one
# second after the server is. The pool's own pauses would double up to minutes.
_RECONNECT_SECONDS = 1.0
_CLOSE_SECONDS = 0.5
# How many may wait for each of the connections that are shared: more than a process has clients, who wait once each.
_MAX_SHARING = 10_000
# Whether connections are shared at all; the tests also run without.
MULTIPLEX = True


@dataclass(slots=True, eq=False)
class Lease:
    """One task's use of one connection."""

    connection: Connection | None = None
    begun: bool = False
    severed: bool = False
    # Set while a statement is out that may have committed when the connection is lost.
    committing: bool = False

    def sever(self) -> None:
        self.severed = True
        if self.connection is not None:
            sever(self.connection)

    @property
    def in_doubt(self) -> bool:
        return self.committing and (self.connection is None or self.connection.closed)


class Database:
    """PostgreSQL as the adapters use it; nothing done through it takes longer than its deadline."""

    def __init__(
        self,
        conninfo: str,
        *,
        pool_min: int = 2,
        pool_max: int = 10,
        prepare_threshold: int | None = 5,
        deadline_seconds: float = 4.0,
        pool_timeout_seconds: float = 2.0,
        max_waiting: int = 2_000,
        multiplex: bool = True,
    ) -> None:
        self.conninfo = conninfo
        self._deadline = deadline_seconds
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            kwargs=connection_options(prepare_threshold),
            configure=configure,
            min_size=pool_min,
            max_size=pool_max,
            timeout=pool_timeout_seconds,
            max_waiting=max_waiting,
            reconnect_timeout=_RECONNECT_SECONDS,
            name="ace",
            open=False,
        )
        self._running: dict[asyncio.Task[Any], Lease] = {}
        self._multiplexer: Multiplexer | None = None
        # A pooler that cannot keep prepared statements cannot keep a pipeline's or a session's settings either.
        if multiplex and MULTIPLEX and prepare_threshold is not None:
            self._multiplexer = Multiplexer(conninfo, deadline_seconds=deadline_seconds, max_waiting=_MAX_SHARING)

    async def open(self) -> None:
        """Begin to connect; requests are served as soon as a connection is there, and refused while none is."""
        await self._pool.open()
        if self._multiplexer is not None:
            self._multiplexer.open()

    async def close(self) -> None:
        """Let what runs end within its deadline, then cut off what does not."""
        over = time.monotonic() + self._deadline
        if self._multiplexer is not None:
            await self._multiplexer.close(self._deadline)
        if self._running:
            await asyncio.wait(self._running, timeout=max(over - time.monotonic(), 0.0))
        for lease in self._running.values():
            lease.sever()
        await self._pool.close(timeout=_CLOSE_SECONDS)
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)

    @property
    def running(self) -> int:
        """How many uses of a connection have begun and not ended, abandoned ones included."""
        return len(self._running)

    def statistics(self) -> Mapping[str, int]:
        """The pool's counters, by psycopg's names for them (`pool_size`, `requests_waiting`, `requests_errors`…)."""
        shared = {} if self._multiplexer is None else self._multiplexer.statistics()
        return {**self._pool.get_stats(), **shared}

    async def fetch_one(self, query: Query, params: Params | None = None) -> DictRow | None:
        """The first row of one statement that commits by itself."""
        return await self._fetch_one(query, params, None)

    async def read_one(self, query: Query, params: Params | None = None) -> DictRow | None:
        """The first row of a short statement that only reads, and takes hold of nothing."""
        if self._multiplexer is None:
            return await self.fetch_one(query, params)
        return await self._share(self._multiplexer.reading, query, params, "")

    async def write_one(self, query: Query, params: Params | None = None, *, key: str = "") -> DictRow | None:
        """The first row of a short statement that writes, and is the same when it is sent again after a roll-back.

        `key` names what it takes hold of, so that statements of one key never wait for each other in a circle.
        """
        if self._multiplexer is None:
            return await self.fetch_one(query, params)
        return await self._share(self._multiplexer.writing, query, params, key)

    async def _share(self, lane: Lane, query: Query, params: Params | None, key: str) -> DictRow | None:
        """By a connection that many share, within one deadline with what the pool may have to do of it."""
        if not isinstance(query, str):
            return await self.fetch_one(query, params)
        over = time.monotonic() + self._budget()
        row = await lane.ask(query, params, key, over)
        if not isinstance(row, HandedOn):
            return row
        left = over - time.monotonic()
        if left <= 0:
            raise unavailable()
        return await self._fetch_one(query, params, left)

    async def _fetch_one(self, query: Query, params: Params | None, deadline_seconds: float | None) -> DictRow | None:
        async def read(connection: Connection, lease: Lease) -> DictRow | None:
            lease.committing = True
            return await (await connection.execute(query, params)).fetchone()

        return await self.run(read, deadline_seconds=deadline_seconds)

    async def fetch_all(self, query: Query, params: Params | None = None) -> list[DictRow]:
        """Every row of one statement that commits by itself."""

        async def read(connection: Connection, lease: Lease) -> list[DictRow]:
            lease.committing = True
            return await (await connection.execute(query, params)).fetchall()

        return await self.run(read)

    async def run(
        self,
        use: Callable[[Connection, Lease], Awaitable[ResultT]],
        refusals: Refusals | None = None,
        *,
        deadline_seconds: float | None = None,
    ) -> ResultT:
        """Do something with a connection, within the deadline. A caller that goes away does not stop it."""
        budget = deadline_seconds or self._budget()
        if budget <= 0:
            raise unavailable()
        lease = Lease()
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        task = loop.create_task(self._serve(use, refusals or {}, lease))
        self._running[task] = lease
        watchdog = loop.call_later(budget, _expire, lease, over)
        task.add_done_callback(lambda _: self._ended(task, watchdog, over))
        await over  # cancelled when the caller goes away; the task and its watchdog go on
        if not task.done():
            raise outcome_unknown() if lease.begun else unavailable()
        return task.result()

    def _budget(self) -> float:
        answer_by = request_context.get().answer_by
        return self._deadline if answer_by is None else min(self._deadline, answer_by - time.monotonic())

    def _ended(self, task: asyncio.Task[Any], watchdog: asyncio.TimerHandle, over: asyncio.Future[None]) -> None:
        watchdog.cancel()
        del self._running[task]
        if not task.cancelled():
            task.exception()  # taken note of: when the caller has gone nobody else will
        if not over.done():
            over.set_result(None)

    async def _serve(
        self, use: Callable[[Connection, Lease], Awaitable[ResultT]], refusals: Refusals, lease: Lease
    ) -> ResultT:
        connection = await self._acquire(lease)
        try:
            return await use(connection, lease)
        except Exception as error:
            refusal = refusal_for(error, refusals, in_doubt=lease.in_doubt)
            if refusal is None:
                raise
            raise refusal from error
        finally:
            lease.connection = None
            if lease.severed:
                await connection.close()
            await self._pool.putconn(connection)

    async def _acquire(self, lease: Lease) -> Connection:
        """A connection that lives. Dead ones that a restart left in the pool are dropped on the way, all at once."""
        for _ in range(self._pool.max_size + 1):
            try:
                connection = await self._pool.getconn()
            except psycopg.Error as error:
                raise unavailable() from error
            if lease.severed:  # its time passed in the queue, nobody waits for it any more
                await self._pool.putconn(connection)
                break
            if is_alive(connection):
                lease.connection, lease.begun = connection, True
                return connection
            await connection.close()
            await self._pool.putconn(connection)
        raise unavailable()


def _expire(lease: Lease, over: asyncio.Future[None]) -> None:
    lease.sever()
    if not over.done():
        over.set_result(None)

"""The unit of work on PostgreSQL: one transaction, one time, one deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from adapters.postgres.connections import Connection, Query
from adapters.postgres.database import Database, Lease, Params
from adapters.postgres.errors import is_collision
from adapters.postgres.idempotency import Memory
from adapters.postgres.jobs import job_record
from adapters.postgres.statements import load
from application.idempotency import once_only
from application.ports import AuditEntry, Clock, IdGenerator, Job, Transaction, Work
from application.request_context import request_context
from domain.errors import DomainError

WorkT = TypeVar("WorkT", bound="PostgresWork")
ResultT = TypeVar("ResultT")

SQL = load("operations")
_RETRIES = 3
_PAUSE_SECONDS = 0.02


class UnitLeftBroken(RuntimeError):
    """A unit swallowed an error of the store and returned; PostgreSQL would meet its commit with a silent roll-back."""


class PostgresWork(Work):
    """One transaction on one connection; each area adds its own words in a subclass."""

    # The constraints that are rules of the domain, by name; a violation of any other is a `StoreConflict`.
    refusals: ClassVar[Mapping[str, type[DomainError]]] = {}

    def __init__(self, connection: Connection, now: datetime, ids: IdGenerator, clock: Clock | None = None) -> None:
        """`clock` replaces the database's own, for tests."""
        self._connection = connection
        self._now = now
        self._ids = ids
        self._clock = clock

    @property
    def now(self) -> datetime:
        return self._now

    def _move_on(self, read: datetime) -> None:
        """The time goes on, never back, to when the database was asked for what had to be waited for."""
        self._now = max(self._now, read if self._clock is None else self._clock.now())

    def end(self) -> None:
        """The unit is over and its connection belongs to the next one: what still tries to use it fails."""
        del self._connection

    async def audit(self, entry: AuditEntry) -> None:
        request = request_context.get()
        await self._run(
            SQL["add_audit_entry"],
            {
                "id": self._ids.new("aud"),
                "at": self._now,
                "actor_id": entry.actor_id,
                "action": entry.action,
                "subject": entry.subject,
                "before": None if entry.before is None else Jsonb(entry.before),
                "after": None if entry.after is None else Jsonb(entry.after),
                "reason": entry.reason,
                "request_id": request.request_id,
                "ip": request.ip,
            },
        )

    async def enqueue(self, job: Job) -> None:
        await self._run(SQL["enqueue_job"], job_record(job))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        # Within a transaction that has begun, one of psycopg's is a savepoint of it.
        async with self._connection.transaction():
            yield

    async def _one(self, query: Query, params: Params | None = None) -> dict[str, Any] | None:
        """The first row, if there is one."""
        return await (await self._connection.execute(query, params)).fetchone()

    async def _all(self, query: Query, params: Params | None = None) -> list[dict[str, Any]]:
        """Every row."""
        return await (await self._connection.execute(query, params)).fetchall()

    async def _copy(self, query: Query, rows: Iterable[Sequence[Any]]) -> int:
        """How many rows went in through a `copy … from stdin`."""
        async with self._connection.cursor() as cursor:
            async with cursor.copy(query) as copy:
                for row in rows:
                    await copy.write_row(row)
            return cursor.rowcount

    async def _run(self, query: Query, params: Params | None = None) -> int:
        """How many rows the statement touched."""
        return (await self._connection.execute(query, params)).rowcount


class PostgresTransaction(Transaction[WorkT], Generic[WorkT]):
    """Commits when the unit returns, rolls back when it refuses, runs it again when it gave way to another one."""

    def __init__(
        self,
        database: Database,
        work_type: type[WorkT],
        ids: IdGenerator,
        clock: Clock | None = None,
        *,
        deadline_seconds: float | None = None,
    ) -> None:
        """`clock` replaces the database's own, for tests; `deadline_seconds` the usual one, for long imports."""
        self._database = database
        self._work_type = work_type
        self._ids = ids
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def __call__(self, unit: Callable[[WorkT], Awaitable[ResultT]], /) -> ResultT:
        once = once_only.get()
        memory = Memory(once) if once is not None and once.claim() else None

        async def carry_out(connection: Connection, lease: Lease) -> ResultT:
            for retry in range(_RETRIES):
                try:
                    return await self._attempt(connection, lease, unit, memory)
                except Exception as error:
                    if not (is_collision(error) or (memory is not None and memory.lost_race(error))):
                        raise
                # Not twice in step with the one that was collided with.
                await asyncio.sleep(random.uniform(0.0, _PAUSE_SECONDS) * 2**retry)  # noqa: S311
            return await self._attempt(connection, lease, unit, memory)

        return await self._database.run(carry_out, self._work_type.refusals, deadline_seconds=self._deadline_seconds)

    async def _attempt(
        self,
        connection: Connection,
        lease: Lease,
        unit: Callable[[WorkT], Awaitable[ResultT]],
        memory: Memory | None,
    ) -> ResultT:
        lease.committing = False
        work = self._work_type(connection, await self._begin(connection), self._ids, self._clock)
        try:
            if memory is None:
                result = await unit(work)
            else:
                await memory.recall(connection)
                result = await unit(work)
                await memory.keep(connection, result, work.now)
            _refuse_broken(connection)
        except BaseException:
            await _roll_back(connection, lease)
            raise
        finally:
            work.end()
        lease.committing = True
        await connection.commit()
        return result

    async def _begin(self, connection: Connection) -> datetime:
        """Opens the transaction and reads the time in one message."""
        cursor = await connection.execute("begin; select clock_timestamp() as now", prepare=False)
        cursor.nextset()
        row = await cursor.fetchone()
        assert row is not None
        now: datetime = row["now"]
        return now if self._clock is None else self._clock.now()


def _refuse_broken(connection: Connection) -> None:
    status = connection.pgconn.transaction_status
    if status in (TransactionStatus.INERROR, TransactionStatus.IDLE):
        raise UnitLeftBroken(f"the unit returned with its transaction {TransactionStatus(status).name}")


async def _roll_back(connection: Connection, lease: Lease) -> None:
    """Ends the transaction; on a connection that is lost the server does so by itself."""
    if lease.severed or connection.closed:
        return
    with suppress(psycopg.Error):
        await connection.rollback()

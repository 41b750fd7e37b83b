"""Everything in one process, for fast tests and contract suites: tables are dictionaries, a unit of work is a copy."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from application.idempotency import KeyReused, OnceOnly, Replayed, once_only
from application.ports import AuditEntry, Clock, Job, Transaction, Work
from domain.errors import DomainError

WorkT = TypeVar("WorkT", bound="MemoryWork")
ResultT = TypeVar("ResultT")
Tables = defaultdict[str, dict[Any, Any]]


@dataclass(slots=True)
class MemoryStore:
    """The committed state, and the lock that makes units of work take turns."""

    tables: Tables = field(default_factory=lambda: defaultdict(dict))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def audit_log(self) -> list[AuditEntry]:
        """Every audit row that was committed, oldest first."""
        return list(self.tables["audit_log"].values())

    @property
    def jobs(self) -> list[Job]:
        """Every job that was committed, oldest first."""
        return list(self.tables["jobs"].values())


class MemoryWork(Work):
    """One unit of work on a private copy of the tables; each area adds its own words in a subclass."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables = tables
        self._now = now

    @property
    def now(self) -> datetime:
        return self._now

    async def audit(self, entry: AuditEntry) -> None:
        rows = self._tables["audit_log"]
        rows[len(rows)] = entry

    async def enqueue(self, job: Job) -> None:
        rows = self._tables["jobs"]
        rows[len(rows)] = job

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        kept = {name: dict(rows) for name, rows in self._tables.items()}
        try:
            yield
        except BaseException:
            self._tables.clear()
            self._tables.update(kept)
            raise


class MemoryTransaction(Transaction[WorkT], Generic[WorkT]):
    """Swaps the copy in when the unit returns and drops it when the unit refuses."""

    def __init__(self, store: MemoryStore, work_type: Callable[[Tables, datetime], WorkT], clock: Clock) -> None:
        self._store = store
        self._work_type = work_type
        self._clock = clock

    async def __call__(self, unit: Callable[[WorkT], Awaitable[ResultT]], /) -> ResultT:
        once = once_only.get()
        async with self._store.turn:
            copy: Tables = defaultdict(dict, {name: dict(rows) for name, rows in self._store.tables.items()})
            work = self._work_type(copy, self._clock.now())
            if once is not None and once.claim():
                result = await _once(once, copy, unit, work)
            else:
                result = await unit(work)
            self._store.tables = copy
            return result


async def _once(once: OnceOnly, tables: Tables, unit: Callable[[WorkT], Awaitable[ResultT]], work: WorkT) -> ResultT:
    kept = tables["idempotency_keys"].get((once.user_id, once.key))
    if kept is not None:
        fingerprint, answer = kept
        if fingerprint != once.fingerprint:
            raise KeyReused
        raise Replayed(answer)
    result = await unit(work)
    if not isinstance(result, DomainError):
        tables["idempotency_keys"][once.user_id, once.key] = (once.fingerprint, once.render(result))
    return result

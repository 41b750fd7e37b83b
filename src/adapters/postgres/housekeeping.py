"""What has to be thrown away from time to time, as tasks for the job worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import LiteralString

from adapters.postgres.database import Database
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.jobs import JobName, Payload, Task
from application.ports import IdGenerator
from domain.auth.throttling import Lockout

SQL = load("operations")
_BATCH = 1_000
_IDEMPOTENCY_HOURS = 24
_SESSION_DAYS = 30
_ATTEMPT_DAYS = 30
_IMPORT_DAYS = 30

# In the notation of cron, UTC; at odd minutes, apart from what everybody else does on the hour.
HOUSEKEEPING_SCHEDULE: Mapping[str, str] = {
    JobName.PURGE_IDEMPOTENCY_KEYS: "17 * * * *",
    JobName.PURGE_SESSIONS: "29 3 * * *",
    JobName.PURGE_ATTEMPTS: "37 3 * * *",
    JobName.PURGE_IMPORTS: "49 3 * * *",
}


class Housekeeping:
    """Purges in batches, each a transaction of its own, so that nobody waits for a purge."""

    def __init__(self, database: Database, ids: IdGenerator, batch: int = _BATCH) -> None:
        self._transact = PostgresTransaction(database, _PurgeWork, ids)
        self._batch = batch

    def tasks(self) -> Mapping[str, Task]:
        """For the job worker, by name."""
        return {
            JobName.PURGE_IDEMPOTENCY_KEYS: self.purge_idempotency_keys,
            JobName.PURGE_SESSIONS: self.purge_sessions,
            JobName.PURGE_ATTEMPTS: self.purge_attempts,
            JobName.PURGE_IMPORTS: self.purge_imports,
        }

    async def purge_idempotency_keys(self, _: Payload) -> None:
        """Answers older than a day are forgotten: a client does not repeat a request that long after."""
        await self._purge(SQL["purge_idempotency_keys"], {"hours": _IDEMPOTENCY_HOURS})

    async def purge_sessions(self, _: Payload) -> None:
        """Sessions that expired a month ago, with their refresh tokens."""
        await self._walk(SQL["purge_sessions"], {"days": _SESSION_DAYS}, {"user_id": "", "id": ""})

    async def purge_attempts(self, _: Payload) -> None:
        """Counters of attempts that have nothing to tell any more; a lock that only a person may lift stays."""
        await self._walk(SQL["purge_attempts"], {"days": _ATTEMPT_DAYS, "stop": Lockout().stop}, {"key": ""})

    async def purge_imports(self, _: Payload) -> None:
        """Imports of a month ago with what they rejected, apart from the last success of each bank."""
        await self._walk(SQL["purge_imports"], {"days": _IMPORT_DAYS}, {"id": ""})

    async def _purge(self, statement: LiteralString, age: Mapping[str, int]) -> None:
        async def purge(work: _PurgeWork) -> int:
            return await work.purge(statement, {**age, "limit": self._batch})

        while await self._transact(purge) == self._batch:
            pass

    async def _walk(self, statement: LiteralString, age: Mapping[str, int], start: Mapping[str, str]) -> None:
        """Step by step along a primary key, of which `start` comes before every value."""
        reached: Mapping[str, str] | None = start
        while reached is not None:
            params: dict[str, int | str] = {**age, **reached, "limit": self._batch}
            reached = await self._transact(partial(_PurgeWork.walk, statement=statement, params=params))


class _PurgeWork(PostgresWork):
    async def purge(self, statement: LiteralString, params: Mapping[str, int]) -> int:
        return await self._run(statement, params)

    async def walk(self, statement: LiteralString, params: Mapping[str, int | str]) -> Mapping[str, str] | None:
        return await self._one(statement, params)

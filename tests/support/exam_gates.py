"""Two units of work on PostgreSQL that meet at a place of the test's choosing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from adapters.postgres.exam.starting import PostgresStartWork
from adapters.postgres.transaction import PostgresTransaction
from tests.support.exam_stores import ExamsOnPostgres
from tests.support.postgres import ClonedDatabase

_BLOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@dataclass(slots=True)
class Gate:
    """Where the first one stops, until it is told to go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self) -> None:
        self.reached.set()
        await asyncio.wait_for(self.go.wait(), 30)


def stopping(store: ExamsOnPostgres, gate: Gate, word: str) -> PostgresTransaction[PostgresStartWork]:
    """Units of work that stop at the gate before they first say this word, with all that they hold by then."""
    plain = getattr(PostgresStartWork, word)

    async def stop(self: PostgresStartWork, *args: Any) -> Any:
        if not gate.reached.is_set():
            await gate.stop()
        return await plain(self, *args)

    work_type = type("Stopping", (PostgresStartWork,), {word: stop})
    return PostgresTransaction(store.database, work_type, store.ids, store.clock)


async def until_somebody_waits(cloned: ClonedDatabase, how_many: int = 1) -> None:
    """For a lock, in the database of the test."""
    for _ in range(3_000):
        (blocked,) = cloned.keeper.execute(_BLOCKED).fetchone() or (0,)
        if blocked >= how_many:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")

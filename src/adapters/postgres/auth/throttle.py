"""Counters of attempts on PostgreSQL: replicas count together."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.auth.ports import ThrottleWork
from domain.auth.throttling import Attempts

SQL = load("auth")


class PostgresThrottleWork(PostgresWork, ThrottleWork):
    """Rows are locked in the order of their keys, so that two attempts never wait for each other."""

    async def hold_attempts(self, keys: Collection[str]) -> Mapping[str, Attempts]:
        rows = await self._all(SQL["hold_attempts"], {"keys": sorted(keys), "now": self.now})
        return {counter.key: counter for counter in entities(rows, Attempts)}

    async def keep_attempts(self, counters: Collection[Attempts]) -> None:
        ordered = sorted(counters, key=lambda counter: counter.key)
        await self._run(
            SQL["keep_attempts"],
            {
                "keys": [counter.key for counter in ordered],
                "failures": [counter.failures for counter in ordered],
                "under_way_by": [counter.key for counter in ordered for _ in counter.under_way],
                "under_way_since": [at for counter in ordered for at in counter.under_way],
                "window_started_at": [counter.window_started_at for counter in ordered],
                "last_at": [counter.last_at for counter in ordered],
                "blocked_until": [counter.blocked_until for counter in ordered],
            },
        )

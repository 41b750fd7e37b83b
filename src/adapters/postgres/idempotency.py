"""The memory of requests that carry an Idempotency-Key, kept in the transaction of their effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

from adapters.postgres.connections import Connection
from adapters.postgres.statements import load
from application.idempotency import KeyReused, OnceOnly, Replayed, RequestInFlight
from domain.errors import DomainError

SQL = load("operations")
_PRIMARY_KEY = "idempotency_keys_pkey"
_RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one request: nothing, that it is being carried out, or its answer."""

    once: OnceOnly

    async def recall(self, connection: Connection) -> None:
        """Returns if the effect is still to happen; until the transaction ends nobody else can be at it."""
        names = {"user_id": self.once.user_id, "key": self.once.key}
        row = await (await connection.execute(SQL["claim_idempotency_key"], names)).fetchone()
        if row is None or not row["claimed"]:
            raise RequestInFlight(retry_after_seconds=_RETRY_AFTER_SECONDS)
        if row["fingerprint"] is None:
            return
        if row["fingerprint"] != self.once.fingerprint:
            raise KeyReused
        raise Replayed(row["answer"])

    async def keep(self, connection: Connection, result: object, now: datetime) -> None:
        """Stores the answer that the caller is about to get, unless it is a refusal: what stood in the way may go."""
        if isinstance(result, DomainError):
            return
        await connection.execute(
            SQL["add_idempotency_key"],
            {
                "user_id": self.once.user_id,
                "key": self.once.key,
                "fingerprint": self.once.fingerprint,
                "answer": self.once.render(result),
                "now": now,
            },
        )

    def lost_race(self, error: BaseException) -> bool:
        """Whether the same request committed after our statement began to look and before it got the lock.

        The key's row says so; run again, the transaction finds the answer.
        """
        return isinstance(error, psycopg.errors.UniqueViolation) and error.diag.constraint_name == _PRIMARY_KEY

"""The common case of a refresh in one round trip on PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.auth.ports import QuickRefresh, QuickRotation
from application.ports import Clock
from domain.auth.limits import DEFAULT_LIMIT
from domain.auth.sessions import Session

SQL = load("auth")


def rotation_params(rotation: QuickRotation, now: datetime | None = None) -> dict[str, Any]:
    """For `rotate_at_once`; without `now` the database's own time counts."""
    return {
        "now": now,
        "portal": rotation.portal.value,
        "token_hash": rotation.token_hash,
        "successor_hash": rotation.successor_hash,
        "successor_masked": rotation.successor_masked,
        "idle": rotation.idle,
        "otherwise": DEFAULT_LIMIT,
    }


class PostgresQuickRefresh(QuickRefresh):
    """One guarded statement. It takes hold of one session and its links and waits for nobody, so any key is as good."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """`clock` replaces the database's own, for tests."""
        self._database = database
        self._clock = clock

    async def rotate(self, rotation: QuickRotation) -> Session | None:
        row = await self._database.write_one(
            SQL["rotate_at_once"],
            rotation_params(rotation, None if self._clock is None else self._clock.now()),
            key=rotation.token_hash.hex(),
        )
        return None if row is None else entity(row, Session)

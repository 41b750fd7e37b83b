"""The question bank on PostgreSQL: one look at a bank, for an export that takes longer than a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from adapters.postgres.connections import Connection
from adapters.postgres.database import Database
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.ports import IdGenerator
from application.question_bank.exporting import ExportsBusy
from application.question_bank.ports.exporting import ExportedBank, ExportShape, ExportVersions, ExportWork
from domain.auth.people import Actor, Role
from domain.question_bank.imported import ImportedQuestion

ResultT = TypeVar("ResultT")
SQL = load("question_bank/exporting")
_EXPORTS_AT_ONCE: Final = 2
_RETRY_AFTER_SECONDS: Final = 5


class PostgresExportWork(PostgresWork, ExportWork):
    """Reads in one snapshot, on one connection."""

    async def bank(self, bank: str, actor: Actor | None) -> ExportedBank | None:
        await self._one(SQL["allow_long_export"])
        sees_all = actor is None or actor.role is Role.ADMIN
        wanted = {"bank": bank, "sees_all": sees_all, "user_id": actor.user_id if actor else None}
        row = await self._one(SQL["find_bank"], wanted)
        return None if row is None else entity(row, ExportedBank)

    async def shape(self, bank: ExportedBank, versions: ExportVersions) -> ExportShape:
        query = SQL["shape_of_published"] if versions is ExportVersions.PUBLISHED else SQL["shape_of_latest"]
        row = await self._one(query, {"bank_id": bank.id})
        assert row is not None, "an aggregate has a row"
        return entity(row, ExportShape)

    async def questions_after(
        self, bank: ExportedBank, versions: ExportVersions, after: str, most: int
    ) -> Iterable[ImportedQuestion]:
        query = SQL["next_published"] if versions is ExportVersions.PUBLISHED else SQL["next_latest"]
        rows = await self._all(query, {"bank_id": bank.id, "after": after, "most": most})
        return (_question(row, bank.slug) for row in rows)


class PostgresExportTransaction(PostgresTransaction[PostgresExportWork]):
    """A few exports at a time in one process, refused rather than queued: each holds a connection for long.

    Repeatable read: all statements see the bank as it was when the first one ran.
    """

    def __init__(self, database: Database, ids: IdGenerator, *, deadline_seconds: float) -> None:
        super().__init__(database, PostgresExportWork, ids, deadline_seconds=deadline_seconds)
        self._under_way = 0

    async def __call__(self, unit: Callable[[PostgresExportWork], Awaitable[ResultT]], /) -> ResultT:
        if self._under_way >= _EXPORTS_AT_ONCE:
            raise ExportsBusy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._under_way += 1
        exporting = asyncio.ensure_future(super().__call__(unit))
        exporting.add_done_callback(self._ended)
        # Whoever asked may go away; the unit keeps its place until it has noticed.
        return await asyncio.shield(exporting)

    def _ended(self, exporting: asyncio.Future[Any]) -> None:
        self._under_way -= 1
        if not exporting.cancelled():
            exporting.exception()

    async def _begin(self, connection: Connection) -> datetime:
        cursor = await connection.execute(
            "begin isolation level repeatable read read only; select clock_timestamp() as now", prepare=False
        )
        cursor.nextset()
        row = await cursor.fetchone()
        assert row is not None
        now: datetime = row["now"]
        return now


def _question(row: dict[str, Any], bank: str) -> ImportedQuestion:
    content = content_of(row)
    return content.canonical(
        external_id=row["external_id"], bank=bank, topic=row["topic"], difficulty=row["difficulty"]
    )

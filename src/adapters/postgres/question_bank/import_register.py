"""Where imports are followed, on connections of their own: progress, the wish to stop, reports, rejected records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.question_bank.imports import report_row
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.idempotency import KeyReused
from application.question_bank.ports.importing import (
    CancelWork,
    ImportReader,
    ImportRegister,
    KnownImport,
    OnceKey,
)
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import ImportHead, ImportProgress, ImportReport, ImportStatus, running

SQL = load("question_bank/import_register")


class PostgresImportRegister(ImportRegister):
    """Single statements, each committed at once: seen by every process while the import itself is not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, head: ImportHead, actor_id: str | None, *, bytes_total: int, once: OnceKey | None = None
    ) -> str:
        key, fingerprint = (once.key, once.fingerprint) if once else (None, None)
        row = report_row(running(head), actor_id)
        row |= {"bytes_total": bytes_total, "key": key, "fingerprint": fingerprint}
        if await self._run(SQL["begin_import"], row):
            return head.id
        found = await self._database.fetch_one(SQL["find_repeated_import"], {"actor_id": actor_id, "key": key})
        if found is None or found["fingerprint"] != fingerprint:
            raise KeyReused
        return str(found["id"])

    async def tell(self, import_id: str, progress: ImportProgress) -> bool:
        params = {"id": import_id, "bytes_read": progress.bytes_read, "records": progress.records}
        row = await self._database.fetch_one(SQL["tell_progress"], params)
        return row is not None and bool(row["cancel"])

    async def keep_rejects(self, import_id: str, part: int, content: bytes) -> None:
        await self._run(SQL["keep_rejects"], {"id": import_id, "part": part, "content": content})

    async def end(self, report: ImportReport, actor_id: str | None) -> None:
        await self._run(SQL["end_import"], report_row(report, actor_id))

    async def forget(self, import_id: str) -> None:
        await self._run(SQL["forget_import"], {"id": import_id})

    async def _run(self, statement: Any, params: dict[str, Any]) -> int:
        async def run(connection: Any, lease: Any) -> int:
            lease.committing = True
            return int((await connection.execute(statement, params)).rowcount)

        return await self._database.run(run)


class PostgresImportReader(ImportReader):
    """Imports, running and past."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, import_id: str, viewer: Actor) -> KnownImport | None:
        row = await self._database.fetch_one(SQL["find_import"], {"id": import_id, **_seen_by(viewer)})
        return None if row is None else _known(row)

    async def page(self, bank: str | None, viewer: Actor, *, after: str | None, limit: int) -> Sequence[KnownImport]:
        params = {"bank": bank, "after": after, "limit": limit, **_seen_by(viewer)}
        return [_known(row) for row in await self._database.fetch_all(SQL["list_imports"], params)]

    async def rejects(self, import_id: str) -> AsyncIterator[bytes]:
        part = 0
        while row := await self._database.fetch_one(SQL["rejects_part"], {"id": import_id, "part": part}):
            yield bytes(row["content"])
            part += 1

    async def was_imported(self, bank: str) -> bool:
        row = await self._database.fetch_one(SQL["was_imported"], {"bank": bank})
        return row is not None and bool(row["yes"])


class PostgresCancelWork(PostgresWork, CancelWork):
    """The wish to stop an import; the process that carries it out sees it within a second."""

    async def ask_to_cancel(self, import_id: str) -> bool:
        return await self._run(SQL["ask_to_cancel"], {"id": import_id, "now": self.now}) > 0


def _seen_by(viewer: Actor) -> dict[str, Any]:
    return {"viewer_id": viewer.user_id, "sees_all": viewer.role is Role.ADMIN}


def _known(row: dict[str, Any]) -> KnownImport:
    report = entity(row["report"], ImportReport)
    told = ImportProgress(bytes_read=row["bytes_read"], bytes_total=row["bytes_total"], records=row["records"])
    if report.status is ImportStatus.RUNNING:
        report = replace(report, progress=told, status=ImportStatus.FAILED if row["lost"] else ImportStatus.RUNNING)
    return KnownImport(report=report, actor_id=row["actor_id"])

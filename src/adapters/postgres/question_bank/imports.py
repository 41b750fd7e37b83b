"""The question bank on PostgreSQL: an import stages its questions by COPY and applies them as a set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from adapters.postgres.database import Database
from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.ports import IdGenerator
from application.question_bank.imports import ImportRunning, ImportsBusy
from application.question_bank.ports.importing import ApplyImport, ImportReader, ImportWork
from domain.question_bank.banks import bank_title
from domain.question_bank.import_report import Applied, ImportReport, ImportStatus
from domain.question_bank.imported import (
    ImportedQuestion,
    ImportProblem,
    conflicting_duplicate,
    identical_duplicate,
)

ResultT = TypeVar("ResultT")
SQL = load("question_bank/imports")
# So many rows are formatted before other requests of this process get their turn: about a millisecond.
_ROWS_AT_A_TIME = 100
# From here on a set is joined as a whole. Below, a few looked-up rows are cheaper than reading a large bank.
_MANY_ROWS = 20_000
_IMPORTS_AT_ONCE = 2
_RETRY_AFTER_SECONDS = 5


class PostgresImportWork(PostgresWork, ImportWork):
    """One import in one transaction. Rows are staged under an id of this unit of work, which nobody else sees."""

    _import_id: str = ""
    _staged: int = 0

    async def hold_bank(self, bank: str) -> None:
        await self._one(SQL["allow_long_import"])
        held = await self._one(SQL["hold_bank"], {"bank": bank})
        if held is None or not held["held"]:
            raise ImportRunning
        self._import_id = self._ids.new("stg")

    async def stage(self, questions: Sequence[ImportedQuestion]) -> None:
        rows = await asyncio.to_thread(lambda: [self._row(question) for question in questions])
        async with self._connection.cursor().copy(SQL["stage_questions"]) as copy:
            for number, row in enumerate(rows):
                await copy.write_row(row)
                if number % _ROWS_AT_A_TIME == 0:
                    await asyncio.sleep(0)
        self._staged += len(rows)

    async def resolve_duplicates(self) -> Sequence[ImportProblem]:
        rows = await self._all(SQL["find_duplicates"], self._params())
        if rows:
            records = [row["record"] for row in rows]
            self._staged -= await self._run(SQL["drop_duplicates"], self._params() | {"records": records})
        return [
            conflicting_duplicate(row["record"], row["line"], row["external_id"])
            if row["conflicting"]
            else identical_duplicate(row["record"], row["line"], row["first_record"])
            for row in rows
        ]

    async def apply(self, how: ApplyImport) -> Applied:
        if not self._staged:
            return Applied(created=0, updated=0, unchanged=0)
        if self._staged >= _MANY_ROWS:
            await self._one(SQL["prefer_hash_joins"])
        params = await self._bank_params(how)
        unchanged = await self._run(SQL["drop_unchanged"], params)
        updated = await self._run(SQL["recognise_questions"], params)
        if how.publish:
            await self._run(SQL["publish_staged"], params)
            await self._run(SQL["supersede_published"], params)
        await self._add_topics(params)
        await self._run(SQL["rewrite_open_versions"], params)
        created = await self._run(SQL["add_questions"], params)
        await self._run(SQL["add_versions"], params)
        if updated:
            await self._run(SQL["advance_questions"], params)
        await self._run(SQL["clear_staged"], params)
        return Applied(created=created, updated=updated, unchanged=unchanged)

    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        row = {"id": report.id, "bank": report.bank, "file": report.file, "format": report.format}
        row |= {"mode": report.mode.value, "status": report.status.value, "report": msgspec.to_builtins(report)}
        await self._run(SQL["save_import"], row | {"now": self.now, "actor_id": actor_id})

    def _params(self) -> dict[str, Any]:
        return {"import_id": self._import_id, "now": self.now}

    async def _bank_params(self, how: ApplyImport) -> dict[str, Any]:
        wanted: dict[str, Any] = {"id": self._ids.new("qbk"), "slug": how.bank, "title": bank_title(how.bank)}
        wanted |= {"owner_id": how.author_id, "now": self.now}
        bank = await self._one(SQL["ensure_bank"], wanted)
        assert bank is not None, "the statement makes the bank where there is none"
        return self._params() | {"bank_id": bank["id"], "author_id": how.author_id, "publish": how.publish}

    async def _add_topics(self, params: dict[str, Any]) -> None:
        names = [row["name"] for row in await self._all(SQL["missing_topics"], params)]
        if names:
            ids = [self._ids.new("top") for _ in names]
            await self._run(SQL["add_topics"], params | {"ids": ids, "names": names})

    def _row(self, question: ImportedQuestion) -> tuple[Any, ...]:
        """In the order of the columns of `stage_questions`."""
        return (
            self._import_id,
            question.origin.record,
            question.origin.line,
            question.external_id,
            self._ids.new("qst"),
            question.domain or None,
            question.difficulty,
            question.kind.value,
            question.stem.text,
            question.stem.format.value,
            choices_column(question),
            answer_key_column(question),
            prompts_column(question),
            list(question.tags),
            question.points,
            question.shuffle,
            question.content_hash,
        )


class PostgresImportTransaction(PostgresTransaction[PostgresImportWork]):
    """A few imports at a time in one process, refused rather than queued: each holds a connection for long."""

    def __init__(self, database: Database, ids: IdGenerator, *, deadline_seconds: float) -> None:
        super().__init__(database, PostgresImportWork, ids, deadline_seconds=deadline_seconds)
        self._under_way = 0

    async def __call__(self, unit: Callable[[PostgresImportWork], Awaitable[ResultT]], /) -> ResultT:
        if self._under_way >= _IMPORTS_AT_ONCE:
            raise ImportsBusy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._under_way += 1
        importing = asyncio.ensure_future(super().__call__(unit))
        importing.add_done_callback(self._ended)
        # Whoever asked may go away; the import goes on and keeps its place until it ends.
        return await asyncio.shield(importing)

    def _ended(self, importing: asyncio.Future[Any]) -> None:
        self._under_way -= 1
        if not importing.cancelled():
            importing.exception()


class PostgresImportReader(ImportReader):
    """Reports of past imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, import_id: str) -> ImportReport | None:
        row = await self._database.fetch_one(SQL["find_import"], {"id": import_id})
        if row is None:
            return None
        report = entity(row["report"], ImportReport)
        return replace(report, status=ImportStatus.FAILED) if row["lost"] else report

    async def was_imported(self, bank: str) -> bool:
        row = await self._database.fetch_one(SQL["was_imported"], {"bank": bank})
        return row is not None and bool(row["yes"])

"""An import on PostgreSQL: blocks of the file enter by COPY while the rest is read, the file is judged as a set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

from adapters.postgres.database import Database
from adapters.postgres.question_bank.import_rows import ImportRows
from adapters.postgres.question_bank.indexing import index_questions
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from application.ports import IdGenerator
from application.question_bank.following import Stopped
from application.question_bank.imports import ImportRunning, ImportsBusy
from application.question_bank.indexing import IndexingOrder
from application.question_bank.near_duplicates import ComparingOrder
from application.question_bank.ports.importing import ApplyImport, Batch, ImportWork
from domain.auth.people import Role
from domain.question_bank.banks import bank_title
from domain.question_bank.import_report import (
    CHANGED_IN_REVIEW,
    COLLAPSED,
    CONFLICTING,
    COPIED,
    FOREIGN,
    PROBLEMS_IN_REPORT,
    REFUSING,
    Applied,
    ImportReport,
    SetFindings,
    kept_problems,
)
from domain.question_bank.imported import ImportProblem
from domain.question_bank.lifecycle_refusals import BankNotFound
from domain.question_bank.set_checks import set_problem

ResultT = TypeVar("ResultT")
SQL = load("question_bank/imports")
# From here on a set is joined as a whole. Below, a few looked-up rows are cheaper than reading a large bank.
_MANY_ROWS = 20_000
# Up to here questions are found by their words as soon as the import ends, beyond it soon after.
_INDEXED_AT_ONCE = 500
_PAGE = 10_000
_IMPORTS_AT_ONCE = 2
_RETRY_AFTER_SECONDS = 5


class PostgresImportWork(PostgresWork, ImportWork):
    """One import in one transaction. Its rows are staged under its id, which nobody else sees before they are gone."""

    _staged: int = 0
    _created: int = 0
    _unchanged: int = 0
    _known: int = 0
    _last: int = 0
    _edits: bool = True
    _topics: list[str]
    _how: dict[str, Any]

    async def begin(self, how: ApplyImport) -> None:
        await self._one(SQL["allow_long_import"])
        held = await self._one(SQL["hold_bank"], {"bank": how.bank})
        if held is None or not held["held"]:
            raise ImportRunning
        if how.actor is not None and how.actor.role is not Role.ADMIN:
            await self._check_access(how)
        self._topics = []
        self._how = {
            "import_id": how.import_id,
            "bank": how.bank,
            "author_id": how.author_id,
            "publish": how.publish,
            "now": self.now,
        }

    async def stage(self, batch: Batch) -> None:
        if not batch.count:
            return
        if "bank_id" not in self._how:
            self._how["bank_id"] = await self._ensure_bank()
            await self._one(SQL["read_blocks_by_index"])
        encode = ImportRows(self._ids)
        import_id = self._how["import_id"]
        rows = batch.rows or await asyncio.to_thread(encode, batch.questions, import_id)
        async with self._connection.cursor().copy(SQL["stage_questions"]) as copy:
            await copy.write(rows)
        block = self._how | {"after": self._last}
        await self._add_topics(block)
        created = await self._run(SQL["add_questions"], block)
        if created:
            await self._run(SQL["add_first_versions"], block | {"all_new": created == batch.count})
        self._created += created
        self._staged += batch.count
        self._last = batch.last_record

    async def judge(self) -> SetFindings:
        if not self._staged:
            return SetFindings()
        await self._one(SQL["prefer_hash_joins"])
        # Every id was new and came once, or there would be fewer questions than rows.
        if self._created < self._staged:
            await self._run(SQL["judge_duplicates"], self._how)
        await self._run(SQL["judge_copies"], self._how)
        found = await self._findings([COLLAPSED, CONFLICTING, COPIED])
        if self._created < self._staged:
            if await self._recognise():
                found += await self._findings([FOREIGN])
            found += await self._changed_in_review()
        return found

    async def _findings(self, verdicts: Sequence[str]) -> SetFindings:
        params: dict[str, Any] = self._how | {"verdicts": list(verdicts), "limit": PROBLEMS_IN_REPORT}
        counts = {row["verdict"]: row["times"] for row in await self._all(SQL["count_verdicts"], params)}
        # Errors by themselves, or the first thousand remarks would hide them.
        errors = [code for code in counts if code in REFUSING]
        problems: list[ImportProblem] = []
        for codes in (errors, [code for code in counts if code not in REFUSING]):
            rows = await self._all(SQL["first_verdicts"], params | {"verdicts": codes}) if codes else []
            problems += [set_problem(**row) for row in rows]
        return SetFindings(problems=kept_problems(problems), counts=counts)

    async def _changed_in_review(self) -> SetFindings:
        found = SQL["first_in_review"], self._how | {"limit": PROBLEMS_IN_REPORT}
        rows = await self._all(*found) if self._known else []
        problems = [set_problem(**{name: value for name, value in row.items() if name != "times"}) for row in rows]
        return SetFindings(problems=problems, counts={CHANGED_IN_REVIEW: rows[0]["times"]} if rows else {})

    async def _recognise(self) -> int:
        """What the bank has already: the same is left alone. How many changes are not the importer's to make."""
        if self._staged < _MANY_ROWS:
            await self._one(SQL["look_up_rows"])
        self._unchanged = await self._run(SQL["drop_unchanged"], self._how)
        await self._run(SQL["hold_known_questions"], self._how)
        self._known = await self._run(SQL["recognise_questions"], self._how)
        return await self._run(SQL["judge_foreign"], self._how) if self._known and not self._edits else 0

    async def refused(self) -> AsyncIterator[Sequence[ImportProblem]]:
        after = 0
        while page := await self._all(SQL["refused_records"], self._how | {"after": after, "limit": _PAGE}):
            yield [set_problem(**row) for row in page]
            after = page[-1]["record"]

    async def apply(self) -> Applied:
        if not self._staged:
            return Applied(created=0, updated=0, unchanged=0)
        if self._created < self._staged:
            await self._drop_refused()
        updated, published = 0, self._created if self._how["publish"] else 0
        if self._known:
            updated, again = await self._change_known()
            published += again
        await self._index(self._created + updated)
        await self._run(SQL["clear_staged"], self._how)
        await self._run(SQL["count_published"], self._how | {"published": published})
        return Applied(created=self._created, updated=updated, unchanged=self._unchanged)

    async def _drop_refused(self) -> None:
        await self._run(SQL["drop_refused_versions"], self._how)
        self._created -= await self._run(SQL["drop_refused_questions"], self._how)
        await self._run(SQL["drop_refused_rows"], self._how)
        if self._topics:
            await self._run(SQL["drop_unused_topics"], self._how | {"ids": self._topics})

    async def _change_known(self) -> tuple[int, int]:
        """How many questions are changed, and how many of them students see for the first time or again."""
        published = 0
        if self._how["publish"]:
            first = await self._one(SQL["count_first_published"], self._how)
            published = first["times"] if first else 0
            await self._run(SQL["supersede_published"], self._how)
        await self._run(SQL["close_reviews"], self._how)
        await self._run(SQL["rewrite_open_versions"], self._how)
        await self._run(SQL["add_next_versions"], self._how)
        return await self._run(SQL["advance_questions"], self._how), published

    async def _index(self, changed: int) -> None:
        # By its id: it may be called something else when they are carried out.
        bank_id = self._how["bank_id"]
        if changed:
            order = ComparingOrder(import_id=self._how["import_id"], bank_id=bank_id, changed_at=self.now)
            await self.enqueue(order.job)
        if changed > _INDEXED_AT_ONCE:
            await self.enqueue(IndexingOrder(bank=bank_id, changed_since=self.now).job)
        elif changed:
            found = await self._all(SQL["changed_question_ids"], self._how | {"limit": _INDEXED_AT_ONCE})
            await index_questions(self, [row["id"] for row in found])

    async def save_report(self, report: ImportReport, actor_id: str | None) -> None:
        row = report_row(report, actor_id) | {"bank_id": self._how.get("bank_id"), "now": self.now}
        if not await self._run(SQL["save_import"], row):
            raise Stopped  # somebody has been told of another end by now, and that one counts

    async def _check_access(self, how: ApplyImport) -> None:
        access = await self._one(SQL["find_importing_access"], {"bank": how.bank, "author_id": how.author_id})
        if access is None:
            return
        if not access["seen"]:
            raise BankNotFound
        self._edits = access["edits"]

    async def _ensure_bank(self) -> str:
        wanted: dict[str, Any] = {"id": self._ids.new("qbk"), "slug": self._how["bank"], "now": self.now}
        wanted |= {"title": bank_title(self._how["bank"]), "owner_id": self._how["author_id"]}
        bank = await self._one(SQL["ensure_bank"], wanted)
        assert bank is not None, "the statement makes the bank where there is none"
        return str(bank["id"])

    async def _add_topics(self, block: dict[str, Any]) -> None:
        """The topics of a block are there, and stay: one that was deleted before it could be held is made again."""
        await self._one(SQL["hold_topics"], block)
        if names := [row["name"] for row in await self._all(SQL["missing_topics"], block)]:
            ids = [self._ids.new("top") for _ in names]
            await self._run(SQL["add_topics"], block | {"ids": ids, "names": names})
            self._topics += ids
            # Those that somebody else has just made under the same name were not held before.
            await self._one(SQL["hold_topics"], block)


def report_row(report: ImportReport, actor_id: str | None) -> dict[str, Any]:
    """The columns of `question_imports` that a report fills."""
    row: dict[str, Any] = {"id": report.id, "bank": report.bank, "file": report.file, "format": report.format}
    row |= {"mode": report.mode.value, "status": report.status.value, "actor_id": actor_id}
    return row | {"report": msgspec.to_builtins(report)}


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

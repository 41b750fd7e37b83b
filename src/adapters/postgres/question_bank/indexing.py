"""Making questions searchable on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.question_bank.ports.indexing import IndexingStep, IndexingWork

SQL = load("question_bank/indexing")
_AT_ONCE = 500
# So many times as many questions are looked at in a step, for those among them that are the bank's.
_AHEAD = 10


async def index_questions(work: PostgresWork, question_ids: Sequence[str]) -> None:
    """Lets a search find the questions as they are now; for the unit of work that holds, or has made, them."""
    for start in range(0, len(question_ids), _AT_ONCE):
        batch = list(question_ids[start : start + _AT_ONCE])
        await work._run(SQL["index_questions"], {"question_ids": batch})


class PostgresIndexingWork(PostgresWork, IndexingWork):
    """One step of the job; the questions of a step are held from being read until they are written."""

    async def hold_questions(
        self, bank: str, *, changed_since: datetime | None, after: str, limit: int
    ) -> IndexingStep:
        params = {"bank": bank, "since": changed_since, "after": after, "limit": limit, "ahead": limit * _AHEAD}
        (row,) = await self._all(SQL["next_questions"], params)
        if row["question_ids"]:
            await self._run(SQL["hold_questions"], {"question_ids": row["question_ids"]})
        return IndexingStep(question_ids=row["question_ids"], reached=row["reached"])

    async def index_questions(self, question_ids: Sequence[str]) -> None:
        await index_questions(self, question_ids)

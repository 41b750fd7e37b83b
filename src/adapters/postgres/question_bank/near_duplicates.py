"""Near duplicates on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from adapters.postgres.database import Database
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.rows import entities
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.question_bank.ports.near_duplicates import ComparingWork, NearDuplicate, NearDuplicateReader, Step
from domain.auth.people import Actor, Role
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.similarity import shingles, sketch

SQL = load("question_bank/near_duplicates")
_STEP = 500
# So many times as many questions are looked at in a step, for those among them that are the import's.
_AHEAD = 10
# Questions are held while their sketches are made, and the longest text takes 20 ms.
_HELD = 100


async def replace_sketch(work: PostgresWork, question_id: str, says: ImportedQuestion) -> None:
    """The sketch of one question as it is now; for the unit of work that holds, or has made, it."""
    await work._run(SQL["replace_sketches"], _rows({question_id: sketch(shingles(says))}))


class PostgresComparingWork(PostgresWork, ComparingWork):
    """One step; questions whose sketches or pairs are written are held in the order of their ids."""

    async def hold_unsketched(self, bank_id: str, changed_at: datetime, *, after: str) -> Step:
        step = await self._step(bank_id, changed_at, after, limit=_HELD, unsketched=True)
        await self._hold(step.question_ids)
        return step

    async def changed(self, bank_id: str, changed_at: datetime, *, after: str) -> Step:
        return await self._step(bank_id, changed_at, after, limit=_STEP, unsketched=False)

    async def stated(self, question_ids: Iterable[str]) -> Mapping[str, ImportedQuestion]:
        rows = await self._all(SQL["stated_questions"], {"question_ids": list(question_ids)})
        return {
            row["question_id"]: content_of(row).canonical(external_id="", bank="", topic=None, difficulty=None)
            for row in rows
        }

    async def replace(self, sketches: Mapping[str, Sequence[int]]) -> None:
        if sketches:
            await self._run(SQL["replace_sketches"], _rows(sketches))

    async def candidates(
        self, question_ids: Sequence[str], changed_at: datetime, limit: int
    ) -> Sequence[tuple[str, str]]:
        params = {"question_ids": list(question_ids), "at": changed_at, "limit": limit}
        rows = await self._all(SQL["candidate_pairs"], params)
        return [(row["question_id"], row["other_id"]) for row in rows]

    async def add_pairs(self, import_id: str, pairs: Mapping[tuple[str, str], Decimal]) -> None:
        await self._hold(sorted({each for pair in pairs for each in pair}))
        params = {
            "import_id": import_id,
            "question_ids": [question_id for question_id, _ in pairs],
            "other_ids": [other_id for _, other_id in pairs],
            "resemblances": list(pairs.values()),
        }
        await self._run(SQL["add_pairs"], params)

    async def finish(self, import_id: str) -> None:
        await self._run(SQL["save_compared"], {"import_id": import_id})

    async def _step(self, bank_id: str, changed_at: datetime, after: str, *, limit: int, unsketched: bool) -> Step:
        params = {"bank_id": bank_id, "at": changed_at, "after": after, "unsketched": unsketched, "limit": limit}
        (row,) = await self._all(SQL["next_questions"], params | {"ahead": _STEP * _AHEAD})
        return Step(question_ids=row["question_ids"], reached=row["reached"])

    async def _hold(self, question_ids: Sequence[str]) -> None:
        await self._run(SQL["hold_questions"], {"question_ids": list(question_ids)})


class PostgresNearDuplicateReader(NearDuplicateReader):
    """Each read is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_compared(self, viewer: Actor, import_id: str) -> bool | None:
        params = {"import_id": import_id, "viewer_id": viewer.user_id, "sees_all": viewer.role is Role.ADMIN}
        row = await self._database.fetch_one(SQL["read_comparison"], params)
        return None if row is None else bool(row["compared"])

    async def pairs(
        self, import_id: str, *, after: tuple[Decimal, str, str] | None, limit: int
    ) -> tuple[NearDuplicate, ...]:
        alike, question, other = after or (None, None, None)
        params = {"import_id": import_id, "limit": limit}
        params |= {"after_resemblance": alike, "after_question": question, "after_other": other}
        return entities(await self._database.fetch_all(SQL["list_pairs"], params), NearDuplicate)


def _rows(sketches: Mapping[str, Sequence[int]]) -> dict[str, list[str] | list[int]]:
    values = [(question_id, value) for question_id, found in sketches.items() for value in found]
    return {
        "all_ids": list(sketches),
        "question_ids": [question_id for question_id, _ in values],
        "values": [value for _, value in values],
    }

"""Flagged questions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.ports import Clock
from application.progress.ports.flags import FlaggedQuestion, FlaggedQuestionReader, FlagWork
from domain.progress.flags import MOST_FLAGS, FlagStanding
from domain.question_bank.imported import TextFormat
from domain.question_bank.listing import EXCERPT_SOURCE, excerpt

SQL = load("progress/flags")


class PostgresFlagWork(PostgresWork, FlagWork):
    """A flag is a row."""

    async def flag_standing(self, user_id: str, question_id: str) -> FlagStanding:
        row = await self._one(SQL["flag_standing"], self._flag(user_id, question_id) | {"most": MOST_FLAGS})
        assert row is not None
        return entity(row, FlagStanding)

    async def add_flag(self, user_id: str, question_id: str) -> None:
        await self._run(SQL["add_flag"], self._flag(user_id, question_id))

    async def remove_flag(self, user_id: str, question_id: str) -> None:
        await self._run(SQL["remove_flag"], {"user_id": user_id, "question_id": question_id})

    def _flag(self, user_id: str, question_id: str) -> dict[str, Any]:
        return {"user_id": user_id, "question_id": question_id, "now": self._now}


class PostgresFlaggedQuestionReader(FlaggedQuestionReader):
    """`clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def page(
        self, user_id: str, *, exam_package_id: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[FlaggedQuestion]:
        after_at, after_id = after or (None, None)
        params = {
            "user_id": user_id,
            "exam_package_id": exam_package_id,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
            "excerpt": EXCERPT_SOURCE,
            "now": None if self._clock is None else self._clock.now(),
        }
        return entities(
            map(_with_excerpt, await self._database.fetch_all(SQL["list_flagged"], params)), FlaggedQuestion
        )


def _with_excerpt(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"stem": excerpt(row["stem"], TextFormat(row["stem_format"]))}

"""Reading questions on PostgreSQL: one statement each, which shows only what the caller may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from psycopg.rows import DictRow

from adapters.postgres.database import Database
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.question_bank.ports.reading import QuestionReader
from application.question_bank.steps import QuestionState
from application.question_bank.views import ReviewView, StudentQuestion, VersionSummary, VersionView
from domain.auth.people import Actor, Role
from domain.question_bank.lifecycle import etag_version
from domain.question_bank.questions import PublicQuestion

SQL = load("question_bank/reading")
T = TypeVar("T")


class PostgresQuestionReader(QuestionReader):
    """What is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def question(self, actor: Actor, question_id: str) -> QuestionState | None:
        row = await self._database.fetch_one(SQL["read_question"], _seen_by(actor, question_id))
        if row is None:
            return None
        found = row | {"content": content_of(row), "etag": etag_version(row["version"], row["rev"])}
        return entity(found, QuestionState)

    async def versions_of(self, actor: Actor, question_id: str, numbers: Sequence[int]) -> Sequence[VersionView] | None:
        params = _seen_by(actor, question_id) | {"versions": list(numbers)}
        rows = await self._database.fetch_all(SQL["read_versions"], params)
        return _unless_unseen(rows, VersionView, lambda row: row | {"content": content_of(row)})

    async def versions(
        self, actor: Actor, question_id: str, *, before: int | None, limit: int
    ) -> Sequence[VersionSummary] | None:
        params = _seen_by(actor, question_id) | {"before": before, "limit": limit}
        return _unless_unseen(await self._database.fetch_all(SQL["list_versions"], params), VersionSummary)

    async def reviews(self, actor: Actor, question_id: str, *, limit: int) -> Sequence[ReviewView] | None:
        params = _seen_by(actor, question_id) | {"limit": limit}
        return _unless_unseen(await self._database.fetch_all(SQL["list_reviews"], params), ReviewView)

    async def published_question(self, user_id: str, question_id: str) -> StudentQuestion | None:
        params = {"user_id": user_id, "question_id": question_id}
        row = await self._database.fetch_one(SQL["read_published_question"], params)
        return None if row is None else entity(row | {"question": entity(row, PublicQuestion)}, StudentQuestion)


def _seen_by(actor: Actor, question_id: str) -> dict[str, Any]:
    return {"question_id": question_id, "user_id": actor.user_id, "sees_all": actor.role is Role.ADMIN}


def _unless_unseen(
    rows: Sequence[DictRow], type_: type[T], complete: Callable[[DictRow], DictRow] = dict
) -> tuple[T, ...] | None:
    """No row at all: there is no such question to be seen. One row without a version: it has nothing to show."""
    return entities((complete(row) for row in rows if row["version"] is not None), type_) if rows else None

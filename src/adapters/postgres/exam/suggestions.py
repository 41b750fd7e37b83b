"""Suggestions to those who review questions, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from adapters.postgres.database import Database
from adapters.postgres.exam.statistics import label_of
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.exam.ports.statistics import SuggestionReader, SuggestionView, SuggestionWork, WantedSuggestions
from domain.auth.people import Actor, Role
from domain.exam.suggesting import Suggestion, SuggestionKey
from domain.question_bank.authority import BankAccess
from domain.question_bank.listing import EXCERPT_SOURCE

SQL = load("exam/suggestions")


class PostgresSuggestionWork(PostgresWork, SuggestionWork):
    """Suggestions are held in the order of their questions."""

    async def suggestions_of(self, exam_package_id: str) -> Sequence[Suggestion]:
        return entities(await self._all(SQL["suggestions_of"], {"exam_package_id": exam_package_id}), Suggestion)

    async def hold_suggestion(self, key: SuggestionKey) -> Suggestion | None:
        exam_package_id, question_id, version = key
        params = {"exam_package_id": exam_package_id, "question_id": question_id, "version": version}
        row = await self._one(SQL["hold_suggestion"], params)
        return None if row is None else entity(row, Suggestion)

    async def save_suggestions(self, suggestions: Sequence[Suggestion]) -> None:
        await self._run(SQL["save_suggestions"], {"suggestions": Jsonb(list(suggestions))})

    async def drop_suggestions(self, keys: Sequence[SuggestionKey]) -> None:
        params = {
            "exam_package_ids": [package for package, _, _ in keys],
            "question_ids": [question for _, question, _ in keys],
            "versions": [version for _, _, version in keys],
        }
        await self._run(SQL["drop_suggestions"], params)

    async def bank_of(self, question_id: str) -> tuple[BankAccess, str | None] | None:
        row = await self._one(SQL["bank_of_question"], {"question_id": question_id})
        return None if row is None else (entity(row, BankAccess), row["author_id"])


class PostgresSuggestionReader(SuggestionReader):
    """A page is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, viewer: Actor, wanted: WantedSuggestions, after: tuple[datetime, str, str, int] | None, limit: int
    ) -> Sequence[SuggestionView]:
        at, package, question, version = after or (None, None, None, None)
        params = {
            "viewer_id": viewer.user_id,
            "sees_all": viewer.role is Role.ADMIN,
            "exam_package_id": wanted.exam_package_id,
            "reason": wanted.reason,
            "after_at": at,
            "after_package": package,
            "after_question": question,
            "after_version": version,
            "excerpt": EXCERPT_SOURCE,
            "limit": limit,
        }
        rows = await self._database.fetch_all(SQL["list_suggestions"], params)
        return [SuggestionView(suggestion=entity(row, Suggestion), label=label_of(row)) for row in rows]

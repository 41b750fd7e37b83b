"""Reading questions on PostgreSQL: one statement each, which shows only what the caller may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getsizeof
from typing import Any, TypeVar

from psycopg.rows import DictRow

from adapters.postgres.claims import claim_params
from adapters.postgres.database import Database
from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.remembering import Remembered
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.auth.claimants import Claimant
from application.question_bank.ports.reading import QuestionReader
from application.question_bank.steps import QuestionState
from application.question_bank.views import ReviewView, StudentQuestion, VersionSummary, VersionView
from domain.auth.people import Actor, Role
from domain.question_bank.lifecycle import etag_version
from domain.question_bank.questions import PublicQuestion

SQL = load("question_bank/reading")
T = TypeVar("T")
_MEMORY = 32 * 2**20
_QUESTION_BYTES = 1_000
_CHOICE_BYTES = 300
"""What a question and each of its options take beside their texts, measured."""


class PostgresQuestionReader(QuestionReader):
    """What is committed. Published versions that students look at are remembered: such a version never changes, and the
    statement tells each time which one may be seen now, and by whom.
    """

    def __init__(self, database: Database, *, memory_bytes: int = _MEMORY) -> None:
        self._database = database
        self._published: Remembered[str, StudentQuestion] = Remembered(memory_bytes, _bytes)

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

    async def published_question(
        self, user_id: str, question_id: str, *, claim: Claimant | None = None
    ) -> StudentQuestion | None:
        known = self._published.get(question_id)
        params = {"user_id": user_id, "question_id": question_id, "known_version": known and known.question.version}
        row = await self._database.read_one(SQL["read_published_question"], params | claim_params(claim))
        if row is None:
            return None
        if known is not None and _is_still(known, row):
            return known
        question = known.question if known and known.question.version == row["version"] else entity(row, PublicQuestion)
        seen = StudentQuestion(
            question_bank_id=row["question_bank_id"],
            topic_id=row["topic_id"],
            difficulty_id=row["difficulty_id"],
            question=question,
        )
        return self._published.keep(question_id, seen)


def _is_still(known: StudentQuestion, row: DictRow) -> bool:
    """Whether the row tells of the same version in the same place."""
    place = (known.question.version, known.question_bank_id, known.topic_id, known.difficulty_id)
    return place == (row["version"], row["question_bank_id"], row["topic_id"], row["difficulty_id"])


def _bytes(seen: StudentQuestion) -> int:
    """About what a question takes. Its texts are what there is no bound for."""
    named = (*seen.question.choices, *seen.question.prompts)
    return _QUESTION_BYTES + getsizeof(seen.question.stem) + sum(_CHOICE_BYTES + getsizeof(each.text) for each in named)


def _seen_by(actor: Actor, question_id: str) -> dict[str, Any]:
    return {"question_id": question_id, "user_id": actor.user_id, "sees_all": actor.role is Role.ADMIN}


def _unless_unseen(
    rows: Sequence[DictRow], type_: type[T], complete: Callable[[DictRow], DictRow] = dict
) -> tuple[T, ...] | None:
    """No row at all: there is no such question to be seen. One row without a version: it has nothing to show."""
    return entities((complete(row) for row in rows if row["version"] is not None), type_) if rows else None

"""Authoring on PostgreSQL: one step of one question, whose row is held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adapters.postgres.question_bank.columns import content_of
from adapters.postgres.question_bank.content import answer_key_column, choices_column, prompts_column
from adapters.postgres.question_bank.indexing import index_questions
from adapters.postgres.question_bank.near_duplicates import replace_sketch
from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.question_bank.ports.authoring import AuthoringWork, Labels
from domain.errors import DomainError
from domain.question_bank.authority import BankAccess
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.lifecycle import Question, QuestionVersion, VersionStatus
from domain.question_bank.lifecycle_refusals import (
    ExternalIdTaken,
    OpenVersionExists,
    QuestionInUse,
    WrongStatus,
)
from domain.question_bank.review import ReviewRound

SQL = load("question_bank/authoring")


class PostgresAuthoringWork(PostgresWork, AuthoringWork):
    """One step in one transaction."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "questions_external_unique": ExternalIdTaken,
        "question_versions_one_open": OpenVersionExists,
        "practice_slots_question_id_version_fkey": QuestionInUse,
        "exam_slots_question_id_version_fkey": QuestionInUse,
        "exam_voids_question_id_version_fkey": QuestionInUse,
    }

    async def bank(self, bank_id: str) -> BankAccess | None:
        row = await self._one(SQL["find_bank"], {"bank_id": bank_id})
        return entity(row, BankAccess) if row else None

    async def hold_question(self, question_id: str) -> Question | None:
        row = await self._one(SQL["hold_question"], {"question_id": question_id})
        if row is None:
            return None
        latest = {"question_id": question_id, "latest_version": row.pop("latest_version")}
        versions = await self._all(SQL["read_versions"], latest)
        review = await self._one(SQL["last_review"], latest)
        return Question(
            **row,
            versions=tuple(map(_version, versions)),
            was_published=any(version["was_published"] for version in versions),
            review=entity(review, ReviewRound) if review else None,
        )

    async def was_served(self, question_id: str) -> bool:
        row = await self._one(SQL["was_served"], {"question_id": question_id})
        return row is not None and bool(row["yes"])

    async def labels(self, bank_id: str, topic_id: str | None, difficulty_id: str | None) -> Labels:
        params = {"bank_id": bank_id, "topic_id": topic_id, "difficulty_id": difficulty_id}
        return entity(await self._one(SQL["labels"], params) or {}, Labels)

    async def add_question(self, question: Question) -> None:
        await self._run(SQL["add_question"], _question_row(question))

    async def save_question(self, question: Question) -> None:
        await self._run(SQL["save_question"], _question_row(question))

    async def add_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        await self._run(SQL["add_version"], _version_row(question, version) | _content_row(version, says))
        await replace_sketch(self, question.id, says)

    async def save_version(self, question: Question, version: QuestionVersion) -> None:
        await self._run(SQL["save_version"], _version_row(question, version))

    async def rewrite_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        row = _version_row(question, version) | _content_row(version, says)
        if not await self._run(SQL["rewrite_version"], row):
            raise WrongStatus
        await replace_sketch(self, question.id, says)

    async def save_review(self, question: Question, review: ReviewRound) -> None:
        await self._run(SQL["save_review"], {"question_id": question.id, **record(review)})

    async def count_published(self, bank_id: str, more: int) -> None:
        await self._run(SQL["count_published"], {"bank_id": bank_id, "more": more})

    async def index_question(self, question_id: str) -> None:
        await index_questions(self, (question_id,))

    async def drop_question(self, question: Question) -> None:
        await self._run(SQL["drop_versions"], {"question_id": question.id})
        await self._run(SQL["drop_question"], {"question_id": question.id})


def _version(row: Mapping[str, Any]) -> QuestionVersion:
    return QuestionVersion(
        version=row["version"],
        rev=row["rev"],
        status=VersionStatus(row["status"]),
        editors=tuple(row["editors"]),
        content=content_of(row),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        decided_at=row["decided_at"],
    )


def _question_row(question: Question) -> dict[str, Any]:
    published, shown = question.published, question.shown.content
    return {
        "question_id": question.id,
        "bank_id": question.bank_id,
        "external_id": question.external_id,
        "author_id": question.author_id,
        "latest_version": question.latest.version,
        "latest_status": question.status.value,
        "published_version": published.version if published else None,
        "topic_id": shown.topic_id,
        "difficulty_id": shown.difficulty_id,
        "created_at": question.created_at,
        "updated_at": question.updated_at,
    }


def _version_row(question: Question, version: QuestionVersion) -> dict[str, Any]:
    return {
        "question_id": question.id,
        "version": version.version,
        "rev": version.rev,
        "status": version.status.value,
        "editors": list(version.editors),
        "created_at": version.created_at,
        "updated_at": version.updated_at,
        "decided_at": version.decided_at,
    }


def _content_row(version: QuestionVersion, says: ImportedQuestion) -> dict[str, Any]:
    return {
        "kind": says.kind.value,
        "stem": says.stem.text,
        "stem_format": says.stem.format.value,
        "choices": choices_column(says),
        "answer_key": answer_key_column(says),
        "prompts": prompts_column(says),
        "topic_id": version.content.topic_id,
        "difficulty_id": version.content.difficulty_id,
        "tags": list(says.tags),
        "points": says.points,
        "shuffle": says.shuffle,
        "content_hash": says.content_hash,
    }

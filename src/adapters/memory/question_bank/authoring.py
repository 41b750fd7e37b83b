"""Authoring in memory: questions, versions and reviews as rows, for conversations and the contract suite."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from adapters.memory.store import MemoryWork
from application.question_bank.ports.authoring import AuthoringWork, Labels
from domain.question_bank.authority import BankAccess
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.lifecycle import Question, QuestionVersion, VersionStatus
from domain.question_bank.lifecycle_refusals import ExternalIdTaken, WrongStatus
from domain.question_bank.review import ReviewRound

_EVER_PUBLISHED = (VersionStatus.PUBLISHED, VersionStatus.SUPERSEDED, VersionStatus.ARCHIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuestionRow:
    """A question without its versions, and what its row repeats of them."""

    id: str
    bank_id: str
    external_id: str
    author_id: str | None
    latest_version: int
    latest_status: VersionStatus
    published_version: int | None
    topic_id: str | None
    difficulty_id: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, question: Question) -> KeptQuestionRow:
        published, shown = question.published, question.shown.content
        return cls(
            id=question.id,
            bank_id=question.bank_id,
            external_id=question.external_id,
            author_id=question.author_id,
            latest_version=question.latest.version,
            latest_status=question.status,
            published_version=published.version if published else None,
            topic_id=shown.topic_id,
            difficulty_id=shown.difficulty_id,
            created_at=question.created_at,
            updated_at=question.updated_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion:
    """A version with the hash of what it says."""

    version: QuestionVersion
    content_hash: bytes


class MemoryAuthoringWork(MemoryWork, AuthoringWork):
    """Units of work take turns, so whatever is read is held.

    Banks, topics (bank and name) and difficulties (code) are what a test puts into the tables `authoring_…`.
    """

    async def bank(self, bank_id: str) -> BankAccess | None:
        bank: BankAccess | None = self._tables["authoring_banks"].get(bank_id)
        return bank

    async def hold_question(self, question_id: str) -> Question | None:
        row: KeptQuestionRow | None = self._tables["authoring_questions"].get(question_id)
        if row is None:
            return None
        versions = self._versions_of(question_id)
        reviews: dict[tuple[str, int, int], ReviewRound] = self._tables["authoring_reviews"]
        rounds = [review for key, review in sorted(reviews.items()) if key[:2] == (question_id, row.latest_version)]
        touched = [
            version
            for version in versions
            if version.version == row.latest_version or version.status is VersionStatus.PUBLISHED
        ]
        return Question(
            id=row.id,
            bank_id=row.bank_id,
            external_id=row.external_id,
            author_id=row.author_id,
            versions=tuple(touched),
            was_published=any(version.status in _EVER_PUBLISHED for version in versions),
            review=rounds[-1] if rounds else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    async def was_served(self, question_id: str) -> bool:
        return question_id in self._tables["authoring_served"]

    async def labels(self, bank_id: str, topic_id: str | None, difficulty_id: str | None) -> Labels:
        owner, name = self._tables["authoring_topics"].get(topic_id, ("", None))
        difficulty: str | None = self._tables["authoring_difficulties"].get(difficulty_id)
        return Labels(topic=name if owner == bank_id else None, difficulty=difficulty)

    async def add_question(self, question: Question) -> None:
        rows: dict[str, KeptQuestionRow] = self._tables["authoring_questions"]
        key = question.bank_id, question.external_id
        if any((row.bank_id, row.external_id) == key for row in rows.values()):
            raise ExternalIdTaken
        await self.save_question(question)

    async def save_question(self, question: Question) -> None:
        self._tables["authoring_questions"][question.id] = KeptQuestionRow.of(question)

    async def add_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        kept = KeptVersion(version=version, content_hash=says.content_hash)
        self._tables["authoring_versions"][question.id, version.version] = kept

    async def save_version(self, question: Question, version: QuestionVersion) -> None:
        rows: dict[tuple[str, int], KeptVersion] = self._tables["authoring_versions"]
        kept = rows[question.id, version.version]
        rows[question.id, version.version] = replace(kept, version=replace(version, content=kept.version.content))

    async def rewrite_version(self, question: Question, version: QuestionVersion, says: ImportedQuestion) -> None:
        kept: KeptVersion = self._tables["authoring_versions"][question.id, version.version]
        if kept.version.status not in (VersionStatus.DRAFT, VersionStatus.CHANGES_REQUESTED):
            raise WrongStatus
        await self.add_version(question, version, says)

    async def save_review(self, question: Question, review: ReviewRound) -> None:
        rows = self._tables["authoring_reviews"]
        kept = rows.get((question.id, review.version, review.round))
        if kept is None or kept.is_open:
            rows[question.id, review.version, review.round] = review

    async def count_published(self, bank_id: str, more: int) -> None:
        counts = self._tables["authoring_published"]
        counts[bank_id] = counts.get(bank_id, 0) + more

    async def index_question(self, question_id: str) -> None:
        """Nobody searches in memory."""

    async def drop_question(self, question: Question) -> None:
        del self._tables["authoring_questions"][question.id]
        for name in ("authoring_versions", "authoring_reviews"):
            for key in [key for key in self._tables[name] if key[0] == question.id]:
                del self._tables[name][key]

    def _versions_of(self, question_id: str) -> list[QuestionVersion]:
        kept: dict[tuple[str, int], KeptVersion] = self._tables["authoring_versions"]
        return [row.version for key, row in sorted(kept.items()) if key[0] == question_id]

"""Lists of questions: for staff with how they stand, for students without anything that gives an answer away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import VersionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFilter:
    """None is no restriction.

    `status` is that of the latest version, except that `published` means that a version is published, whatever is being
    written meanwhile. `text` is searched in stem, external id, tags and choices of the latest version, in the language
    of the bank: all words, `"a phrase"`, `or`, `-without`. A text without a word that counts restricts nothing.
    """

    bank_id: str | None = None
    topic_id: str | None = None
    difficulty_id: str | None = None
    status: VersionStatus | None = None
    author_id: str | None = None
    kind: QuestionKind | None = None
    tag: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionListItem:
    """A question in a list of staff. What can change is told of the latest version; `stem` is an excerpt of it."""

    id: str
    question_bank_id: str
    external_id: str
    kind: QuestionKind
    stem: str
    status: VersionStatus
    version: int
    rev: int
    published_version: int | None
    topic_id: str | None
    difficulty_id: str | None
    author_id: str | None
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFilter:
    """Which of the questions that a student may see; None is no restriction."""

    package_id: str | None = None
    bank_id: str | None = None
    topic_id: str | None = None
    difficulty_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedListItem:
    """A published version in a list of a student: no choices, whose order alone may be the answer, and no key."""

    id: str
    question_bank_id: str
    version: int
    kind: QuestionKind
    stem: str
    topic_id: str | None
    difficulty_id: str | None
    max_mark: Decimal

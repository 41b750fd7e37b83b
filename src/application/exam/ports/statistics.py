"""What statistics of exams need of the store, and what suggestions to reviewers do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from application.ports import Work
from domain.auth.people import Actor
from domain.exam.item_report import VersionChoices, VoidedVersions
from domain.exam.sampling import AttemptRule, GradedPaper
from domain.exam.suggesting import ReviewReason, Suggestion, SuggestionKey
from domain.question_bank.authority import BankAccess
from domain.question_bank.kinds import QuestionKind

AttemptName: TypeAlias = tuple[str, str]
"""Student and session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPackage:
    """A package whose exams are looked at, and what says whether anything has changed since somebody looked.

    `draws`: its papers are drawn from more questions than they have places. `changed_at` is when the latest grade of a
    finished exam was given.
    """

    id: str
    title: str
    draws: bool
    finished: int
    changed_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLabel:
    """How a question is told to somebody who may see its bank."""

    external_id: str
    kind: QuestionKind
    topic_id: str | None
    stem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionView:
    """A suggestion with the question that it is about."""

    suggestion: Suggestion
    label: QuestionLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSuggestions:
    """Only those of a package, or for a reason."""

    exam_package_id: str | None = None
    reason: ReviewReason | None = None


class StatisticsReader(Protocol):
    """The finished exams of a package, in pieces that are small enough for anybody to wait for."""

    @abstractmethod
    async def package(self, name: str) -> SampledPackage | None:
        """By its id or its slug."""

    @abstractmethod
    async def attempts(self, exam_package_id: str, rule: AttemptRule, most: int) -> Sequence[AttemptName]:
        """The finished attempts that count by the rule, the latest `most` of them, the latest first."""

    @abstractmethod
    async def papers(self, attempts: Sequence[AttemptName]) -> Sequence[GradedPaper]:
        """What each was asked and what its latest grade gave, in order. A question that was dropped is worth 0."""

    @abstractmethod
    async def choices(self, versions: Iterable[tuple[str, int]]) -> VersionChoices:
        """What could be chosen in these versions; of kinds in which nothing is chosen, nothing."""

    @abstractmethod
    async def voided(self, exam_package_id: str) -> VoidedVersions:
        """The versions that are void in the package, by the void that counts: the latest."""

    @abstractmethod
    async def labels(self, viewer: Actor, versions: Iterable[tuple[str, int]]) -> Mapping[str, QuestionLabel]:
        """These versions by their questions, as far as the viewer may see the banks that they are in."""

    @abstractmethod
    async def packages_with_exams(self, after: str, limit: int) -> Sequence[str]:
        """The ids of packages of which an exam has been finished, in their order, beyond `after`."""


class SuggestionWork(Work, Protocol):
    """A unit of work on suggestions. What it reads of them is held."""

    @abstractmethod
    async def suggestions_of(self, exam_package_id: str) -> Sequence[Suggestion]: ...

    @abstractmethod
    async def hold_suggestion(self, key: SuggestionKey) -> Suggestion | None: ...

    @abstractmethod
    async def save_suggestions(self, suggestions: Sequence[Suggestion]) -> None:
        """New or changed ones."""

    @abstractmethod
    async def drop_suggestions(self, keys: Sequence[SuggestionKey]) -> None: ...

    @abstractmethod
    async def bank_of(self, question_id: str) -> tuple[BankAccess, str | None] | None:
        """The bank of a question, and its author."""


class SuggestionReader(Protocol):
    """What is suggested at the moment."""

    @abstractmethod
    async def page(
        self, viewer: Actor, wanted: WantedSuggestions, after: tuple[datetime, str, str, int] | None, limit: int
    ) -> Sequence[SuggestionView]:
        """Open ones about the published versions of questions whose bank the viewer may see, the newest first."""

"""What reading questions needs: a reader that shows everybody what they may see, and nothing else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from application.auth.claimants import Claimant
from application.question_bank.steps import QuestionState
from application.question_bank.views import ReviewView, StudentQuestion, VersionSummary, VersionView
from domain.auth.people import Actor


class QuestionReader(Protocol):
    """Questions one by one; None is a question that is not there for the caller."""

    @abstractmethod
    async def question(self, actor: Actor, question_id: str) -> QuestionState | None:
        """The question with its latest version."""

    @abstractmethod
    async def versions_of(self, actor: Actor, question_id: str, numbers: Sequence[int]) -> Sequence[VersionView] | None:
        """Those of the numbered versions that there are, in no order."""

    @abstractmethod
    async def versions(
        self, actor: Actor, question_id: str, *, before: int | None, limit: int
    ) -> Sequence[VersionSummary] | None:
        """At most `limit` versions, the newest first; those older than `before`."""

    @abstractmethod
    async def reviews(self, actor: Actor, question_id: str, *, limit: int) -> Sequence[ReviewView] | None:
        """At most `limit` rounds of review of any version, the latest first."""

    @abstractmethod
    async def published_question(
        self, user_id: str, question_id: str, *, claim: Claimant | None = None
    ) -> StudentQuestion | None:
        """A published question of a visible bank of a package in which the student is enrolled now, as written.

        With a claim, only if that stands.
        """

"""What lists of questions need: a reader for staff and one for students."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from application.question_bank.listing import PublishedFilter, PublishedListItem, QuestionFilter, QuestionListItem
from domain.auth.people import Actor


class QuestionListReader(Protocol):
    """The questions that staff may see."""

    @abstractmethod
    async def page(
        self, chosen: QuestionFilter, viewer: Actor, *, after: str | None, limit: int
    ) -> Sequence[QuestionListItem]:
        """At most `limit` questions of banks that the viewer may see, the newest first; those older than `after`."""


class PublishedQuestionReader(Protocol):
    """The questions that a student may see."""

    @abstractmethod
    async def page(
        self, chosen: PublishedFilter, student_id: str, *, after: str | None, limit: int
    ) -> Sequence[PublishedListItem]:
        """At most `limit` published questions, the newest first; those older than `after`.

        They are of visible banks of packages that the student is enrolled in right now.
        """

"""What grading exams again, and declaring questions void, need from outside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.exam.ports.sessions import ExamWork
from domain.exam.grading import Grade
from domain.exam.papers import GradedSlot
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import ExamSession
from domain.exam.voiding import Asked, Void


class RegradeWork(ExamWork, Protocol):
    """What grading a session again needs beside."""

    @abstractmethod
    async def published_versions(self, question_ids: Sequence[str]) -> Mapping[str, int]:
        """The published version of each question that has one."""

    @abstractmethod
    async def hold_package(self, exam_package_id: str) -> bool:
        """Whether there is such a package; what is declared void in it is declared in turn until the unit ends."""

    @abstractmethod
    async def add_void(self, void: Void) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionUse:
    """How a package uses a question: the versions that its sessions were asked, and the one it would ask now.

    `belongs`: the question is in a bank of the package.
    """

    asked: tuple[int, ...]
    published: int | None
    belongs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedSession:
    """A session with its latest grade, and the one slot of it that asks a question, keyed as that grade was made."""

    session: ExamSession
    grade: Grade
    slot: GradedSlot


SessionKey = tuple[str, str]
"""Whose session, and its id."""


class AffectedReader(Protocol):
    """Which sessions a void concerns."""

    @abstractmethod
    async def use(self, exam_package_id: str, question_id: str) -> QuestionUse | None:
        """None when there is no such package; of a question that there is not, that it is not used."""

    @abstractmethod
    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        """As in `ExamWork`."""

    @abstractmethod
    async def void(self, void_id: str) -> Void | None: ...

    @abstractmethod
    async def voids(
        self, exam_package_id: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Void, ...] | None:
        """What was declared in a package, by time and id, the latest first; None when there is no such package."""

    @abstractmethod
    async def outdated(self, void: Void) -> int:
        """How many sessions there are whose latest grade does not regard the void."""

    @abstractmethod
    async def count(self, exam_package_id: str, question_id: str, versions: Sequence[int]) -> tuple[int, int]:
        """How many sessions with a grade ask one of these versions, and how many live ones do."""

    @abstractmethod
    async def graded(
        self, exam_package_id: str, question_id: str, versions: Sequence[int], *, after: SessionKey | None, limit: int
    ) -> tuple[GradedSession, ...]:
        """Those with a grade, by student and id."""

    @abstractmethod
    async def without(self, void: Void, *, after: SessionKey | None, limit: int) -> tuple[SessionKey, ...]:
        """Those whose latest grade does not regard the void, by student and id."""

"""What verifying stored exams needs of the store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.exam.ports.monitoring import ExamKey
from application.ports import Work
from domain.exam.record import Entry
from domain.exam.verifying import StoredExam


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExams:
    """Those of one package, or all."""

    exam_package_id: str | None = None


class VerifyWork(Work, Protocol):
    """Sees everything as it is at one instant, and changes nothing."""

    @abstractmethod
    async def package_named(self, name: str) -> str | None:
        """The id of the package with this id or slug."""

    @abstractmethod
    async def following(self, chosen: ChosenExams, after: ExamKey | None, most: int) -> Sequence[ExamKey]:
        """The next sessions, by student and id."""

    @abstractmethod
    async def stored(self, user_id: str, session_id: str) -> StoredExam | None: ...

    @abstractmethod
    async def entries_after(self, user_id: str, session_id: str, position: int, most: int) -> Sequence[Entry]:
        """The next entries of the record."""

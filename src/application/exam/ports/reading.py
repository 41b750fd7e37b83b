"""What looking at exams needs of the store."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.exam.views import PaperView, SessionView
from domain.exam.sessions import ExamStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedExams:
    """Which sessions of a student; None and nothing are no restriction. They are in any of the statuses."""

    exam_package_id: str | None = None
    statuses: tuple[ExamStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DueExam:
    """A session whose time was over at `due_at`, and nobody has written down what became of it."""

    due_at: datetime
    user_id: str
    id: str


class ExamReader(Protocol):
    """Reads of a student's own exams, as they are written down."""

    @abstractmethod
    async def session(self, user_id: str, session_id: str) -> SessionView | None:
        """With its snapshot."""

    @abstractmethod
    async def sessions(
        self, user_id: str, wanted: WantedExams, before: tuple[datetime, str] | None, limit: int
    ) -> tuple[SessionView, ...]:
        """The latest first, without snapshots; `before` is the last one that was seen (`created_at`, `id`)."""

    @abstractmethod
    async def paper(self, user_id: str, session_id: str) -> PaperView | None: ...


class DueExams(Protocol):
    """Finds the sessions that time has ended."""

    @abstractmethod
    async def due(self, after: DueExam | None, limit: int) -> tuple[DueExam, ...]:
        """The longest due first; `after` is the last one that was seen."""

    @abstractmethod
    async def due_of(self, user_id: str) -> tuple[DueExam, ...]:
        """Those of one student, of which each package has at most one."""

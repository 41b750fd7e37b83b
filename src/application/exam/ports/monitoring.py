"""What watching exams needs of the store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from domain.exam.connection import Connection
from domain.exam.sessions import ExamStatus

ExamKey: TypeAlias = tuple[str, str]
"""Of whom, and which session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveExam:
    """A session that is live, as those see it who watch over it.

    `is_due` says that its time is over and nobody has written down yet what became of it. `entries` is the length of
    its record: as long as it stays the same, so does `answered_count`, which is None until it was counted.
    """

    user_id: str
    session_id: str
    exam_package_id: str
    attempt_no: int
    status: ExamStatus
    started_at: datetime | None
    deadline: datetime | None
    is_due: bool
    last_heartbeat_at: datetime | None
    open_flags: int
    entries: int = field(compare=False)
    connection: Connection = Connection.NONE
    answered_count: int | None = None

    @property
    def key(self) -> ExamKey:
        return self.user_id, self.session_id


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedExam:
    """A session that was live, and what became of it."""

    user_id: str
    session_id: str
    exam_package_id: str
    status: ExamStatus
    sealed_at: datetime | None

    @property
    def key(self) -> ExamKey:
        return self.user_id, self.session_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveExams:
    """Every live session at one instant."""

    at: datetime
    exams: tuple[LiveExam, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFigures:
    """How many sessions are live, by status, and how late the sweeper is: since when the longest due one waits."""

    live: Mapping[ExamStatus, int] = field(default_factory=dict)
    sweep_lag_seconds: float = 0.0


class MonitorReader(Protocol):
    """Looks at all live sessions at once, without what their students' browsers keep in them."""

    @abstractmethod
    async def live(self) -> LiveExams:
        """Without the connection and the count of answers."""

    @abstractmethod
    async def answered(self, exams: Collection[ExamKey]) -> Mapping[ExamKey, int]:
        """How many questions of each are answered."""

    @abstractmethod
    async def ended(self, exams: Collection[ExamKey]) -> tuple[EndedExam, ...]:
        """What became of them; those that are live are left out."""

    @abstractmethod
    async def figures(self) -> ExamFigures: ...

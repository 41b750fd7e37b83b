"""What a student's history is read from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from domain.progress.history import EffortCell, percent_of

LATEST_SESSIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentClock:
    """What time it is, and how the student tells it."""

    now: datetime
    time_zone: str
    day_start_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PractisedSession:
    """A practice session in the history. `correct_count`, `mark` and `max_mark` are None while it is not to be known
    what was right, and when the session does not count. Marks are over what was answered, in all never below zero.
    """

    id: str
    exam_package_id: str
    status: str
    feedback: str
    served: int
    answered_count: int
    correct_count: int | None
    mark: Decimal | None
    max_mark: Decimal | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> Decimal | None:
        return None if self.mark is None or self.max_mark is None else percent_of(self.mark, self.max_mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class SatExam:
    """An exam in the history. Without a result, or where it does not count, the marks and `passed` are None."""

    id: str
    exam_package_id: str
    mark: Decimal | None
    max_mark: Decimal | None
    passed: bool | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def percent(self) -> Decimal | None:
        return None if self.mark is None or self.max_mark is None else percent_of(self.mark, self.max_mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRecords:
    """`cells` count every answer once, in any order. `due` and `flagged` count what can be practised now."""

    cells: tuple[EffortCell, ...]
    topic_names: Mapping[str, str]
    sessions: tuple[PractisedSession, ...]
    exams: tuple[SatExam, ...]
    due: int
    flagged: int


class HistoryReader(Protocol):
    """Reads what students did; of one package where one is named."""

    @abstractmethod
    async def clock_of(self, user_id: str) -> StudentClock: ...

    @abstractmethod
    async def records(
        self, user_id: str, exam_package_id: str | None, *, now: datetime, weeks: Sequence[datetime]
    ) -> HistoryRecords:
        """`weeks` are the instants at which the weeks begin that answers are counted by, the earliest first."""

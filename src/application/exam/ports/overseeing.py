"""What overseeing exams needs of the store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.exam.overseen import AnswerEntryView, EventView, OverseenDetail, OverseenRow
from application.exam.ports.sessions import ExamWork
from domain.exam.accommodations import GrantedAccommodation
from domain.exam.connection import Connection
from domain.exam.flags import Flag
from domain.exam.sessions import ExamSession, ExamStatus


class OverseeWork(ExamWork, Protocol):
    """A unit of work of somebody who oversees exams."""

    @abstractmethod
    async def has_live_session(self, user_id: str, exam_package_id: str) -> bool:
        """Of a student who is held: whether a session in the package is live."""

    @abstractmethod
    async def live_sessions_of(self, user_id: str) -> tuple[ExamSession, ...]:
        """Of a student who is held: those that are stored as live, by their ids."""

    @abstractmethod
    async def add_flag(self, flag: Flag) -> None: ...

    @abstractmethod
    async def flags(self, user_id: str, session_id: str) -> tuple[Flag, ...]:
        """Every flag of a session, and what settled it, the first first."""

    @abstractmethod
    async def is_student(self, user_id: str) -> bool:
        """Whether that is a student who is not deleted."""

    @abstractmethod
    async def granted(self, user_id: str) -> GrantedAccommodation | None: ...

    @abstractmethod
    async def grant(self, granted: GrantedAccommodation) -> None:
        """In place of what was granted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOverseen:
    """Which sessions; None and nothing are no restriction. They are in any of the statuses.

    `flagged`: whether they have a flag that is open. `since` is the first instant of their making, `until` the first
    that is too late.
    """

    statuses: tuple[ExamStatus, ...] = ()
    exam_package_id: str | None = None
    user_id: str | None = None
    connection: Connection | None = None
    flagged: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedSession:
    """A session at `now`, and what an event of its record says."""

    session: ExamSession
    content: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session as it is written down, and the time of the look at it."""

    session: ExamSession
    now: datetime

    @property
    def whose(self) -> tuple[str, str]:
        return self.session.user_id, self.session.id


class OverseeReader(Protocol):
    """Reads of anybody's exams."""

    @abstractmethod
    async def sessions(
        self, wanted: WantedOverseen, after: tuple[datetime, str, str] | None, limit: int
    ) -> tuple[OverseenRow, ...]:
        """The latest first; `after` is the last one that was seen (`created_at`, `user_id`, `id`)."""

    @abstractmethod
    async def session(self, user_id: str, session_id: str) -> OverseenDetail | None: ...

    @abstractmethod
    async def has_session(self, user_id: str, session_id: str) -> bool: ...

    @abstractmethod
    async def events(
        self, user_id: str, session_id: str, type_: str | None, before: int | None, limit: int
    ) -> tuple[EventView, ...]:
        """The latest first; `before` is the position of the last one that was seen."""

    @abstractmethod
    async def answers(
        self, user_id: str, session_id: str, slot: int | None, after: int, limit: int
    ) -> tuple[AnswerEntryView, ...]:
        """The first first; `after` is the position of the last one that was seen, 0 at the beginning."""

    @abstractmethod
    async def noted(self, sessions: Sequence[tuple[str, str]], client_event_id: str) -> tuple[NotedSession, ...]:
        """Of these sessions (student and id) those whose record has such an event."""

    @abstractmethod
    async def live_without(
        self, exam_package_id: str, client_event_id: str, limit: int, after: tuple[str, str] | None = None
    ) -> tuple[LiveSession, ...]:
        """The live sessions in a package whose record has no such event, by student and id.

        `after` is the last one that was seen (student and id), where there was one.
        """

    @abstractmethod
    async def has_package(self, exam_package_id: str) -> bool: ...

    @abstractmethod
    async def granted(self, user_id: str) -> GrantedAccommodation | None: ...

    @abstractmethod
    async def has_student(self, user_id: str) -> bool: ...

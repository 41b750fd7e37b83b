"""What reads of practice need from outside."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from application.auth.claimants import Claimant
from application.practice.views import (
    Attempts,
    OverseenPracticeView,
    PackageScore,
    PracticeView,
    ReviewView,
    SessionView,
    SummaryView,
)
from domain.practice.sessions import PracticeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSessions:
    """Which sessions of a student; None and nothing are no restriction.

    They are in any of the states, and each in the one that time has left it in.
    """

    exam_package_id: str | None = None
    statuses: tuple[PracticeStatus, ...] = ()


class PracticeReader(Protocol):
    """Reads of practice; a session past its deadline reads as finished, whether or not anybody wrote that down."""

    @abstractmethod
    async def session(self, user_id: str, session_id: str, *, claim: Claimant | None = None) -> PracticeView | None:
        """With a claim, only if that stands."""

    @abstractmethod
    async def sessions(
        self, user_id: str, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        """The latest first; `before_id` is the last one that was seen."""

    @abstractmethod
    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        """The slots that may be reviewed now."""

    @abstractmethod
    async def summary(self, user_id: str, session_id: str) -> SummaryView | None: ...


class AttemptReader(Protocol):
    """Reads of sessions that are over, count and hold an answer."""

    @abstractmethod
    async def attempts(self, user_id: str, exam_package_id: str | None, *, offset: int, limit: int) -> Attempts:
        """At most `limit` of the student's, in one package if it is named, after the `offset` that ended last."""

    @abstractmethod
    async def scores(self, user_id: str) -> tuple[PackageScore, ...]:
        """Of every package that the student attempted, by its id."""


class OversightReader(Protocol):
    """Reads of practice for administrators."""

    @abstractmethod
    async def sessions(
        self, user_id: str, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        """As the student lists them."""

    @abstractmethod
    async def overseen(self, user_id: str, session_id: str) -> OverseenPracticeView | None: ...

    @abstractmethod
    async def has_person(self, user_id: str) -> bool:
        """Whether there is or was anybody with this id."""

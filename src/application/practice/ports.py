"""What the practice area needs of its store: the words of a unit of work, and its reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports import Work
from application.practice.views import PracticeView, ReviewView, SessionView, SummaryView
from domain.practice.plans import PracticePlan
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.question_bank.questions import KeyedQuestion, PublicQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTarget:
    """Which question of a session is meant: by its place, by its id, or by both, which then have to agree."""

    slot: int | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSlot:
    """A session and one of its slots, both held, with the key, and whether the student is enrolled now."""

    session: PracticeSession
    slot: PracticeSlot
    question: KeyedQuestion
    enrolled: bool


class PracticeWork(Work, Protocol):
    """A unit of work on practice. What it holds nobody else changes before it ends."""

    @abstractmethod
    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        """Whether the student is enrolled in the package now."""

    @abstractmethod
    async def draw_questions(self, plan: PracticePlan, session_id: str) -> tuple[PublicQuestion, ...]:
        """A fair sample, at most as large as asked, of the published questions that match; `session_id` is the seed."""

    @abstractmethod
    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None: ...

    @abstractmethod
    async def hold_session(self, user_id: str, session_id: str) -> PracticeSession | None: ...

    @abstractmethod
    async def hold_slot(self, user_id: str, session_id: str, target: SlotTarget) -> HeldSlot | None:
        """None when there is no such session of this student, or no such slot in it."""

    @abstractmethod
    async def save_session(self, session: PracticeSession) -> None: ...

    @abstractmethod
    async def save_answer(self, session: PracticeSession, slot: PracticeSlot) -> None: ...


class PracticeReader(Protocol):
    """Reads of practice; a session past its deadline reads as finished, whether or not anybody wrote that down."""

    @abstractmethod
    async def session(self, user_id: str, session_id: str) -> PracticeView | None: ...

    @abstractmethod
    async def sessions(self, user_id: str, before_id: str | None, limit: int) -> tuple[SessionView, ...]:
        """The latest first; `before_id` is the last one that was seen."""

    @abstractmethod
    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        """The slots that may be reviewed now."""

    @abstractmethod
    async def summary(self, user_id: str, session_id: str) -> SummaryView | None: ...

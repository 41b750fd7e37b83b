"""What moving a practice session needs of its store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.practice.ports.templates import TemplateSource
from application.progress.ports.activity import ActivityWork
from application.progress.ports.evidence import EvidenceWork
from application.progress.ports.repetition import RepetitionWork
from domain.practice.admission import Admission
from domain.practice.paper import DrawnQuestion
from domain.practice.plans import PracticePlan
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.question_bank.questions import KeyedQuestion


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


class PracticeWork(TemplateSource, ActivityWork, EvidenceWork, RepetitionWork, Protocol):
    """A unit of work on practice. What it holds nobody else changes before it ends.

    Where something is credited, the student's own row is held first, then the session, then the slot.
    """

    @abstractmethod
    async def hold_admission(self, user_id: str, exam_package_id: str) -> Admission | None:
        """What the student's enrolment in the package opens, held: of one student, one unit after the other gets it.

        None when the student is not enrolled now.
        """

    @abstractmethod
    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        """Whether the student is enrolled in the package now."""

    @abstractmethod
    async def is_under_exam(self, user_id: str, session_id: str) -> bool:
        """Whether the session asks a question that stands on the paper of an exam which the student can still go on
        with, in whatever package.
        """

    @abstractmethod
    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        """When the `nth` latest session of the student in the package was begun; None when there are fewer."""

    @abstractmethod
    async def find_untouched(self, user_id: str, plan: PracticePlan) -> str | None:
        """The latest session of the student that `is_untouched_wish` of the plan, not held."""

    @abstractmethod
    async def find_round(self, user_id: str, plan: PracticePlan) -> str | None:
        """The latest active session of the student, in whatever package, that gives feedback and asks for certainty as
        the plan does, and asks questions of its kinds only; not held.
        """

    @abstractmethod
    async def draw_questions(self, user_id: str, plan: PracticePlan, session_id: str) -> tuple[DrawnQuestion, ...]:
        """Published questions of the package that match the plan, at most as many as it asks for.

        Of reviews that are due the most overdue; else a fair sample, `session_id` is the seed. Weak topics are those
        that the plan names.
        """

    @abstractmethod
    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None: ...

    @abstractmethod
    async def find_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        """As it is at the moment; not held."""

    @abstractmethod
    async def hold_session(self, user_id: str, session_id: str) -> PracticeSession | None: ...

    @abstractmethod
    async def hold_slot(self, user_id: str, session_id: str, target: SlotTarget) -> HeldSlot | None:
        """None when there is no such session of this student, or no such slot in it."""

    @abstractmethod
    async def save_session(self, session: PracticeSession) -> None: ...

    @abstractmethod
    async def save_answer(self, session: PracticeSession, slot: PracticeSlot) -> None: ...

"""What moving an exam session needs of its store: the words of every command."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from application.progress.ports.activity import ActivityWork
from domain.enrollment.settings import PackageSettings
from domain.exam.grading import Grade
from domain.exam.papers import AskedSlot, GradedSlot
from domain.exam.record import Entry
from domain.exam.regrading import KeyedContent
from domain.exam.sessions import Accommodation, ExamSession, ExamSlot
from domain.exam.voiding import Asked, Void
from domain.question_bank.blueprints import Blueprint
from domain.question_bank.questions import PublicQuestion


class ExamWork(ActivityWork, Protocol):
    """A unit of work on exam sessions. What it holds nobody else changes before it ends.

    The student's own row (`hold_progress`) is held first, then the session, then its slots. Every unit that holds a
    session holds the student's row before, because time may seal the session, and what is sealed is credited.
    """

    @abstractmethod
    async def find_session(self, user_id: str, session_id: str) -> ExamSession | None:
        """As it is at the moment; not held."""

    @abstractmethod
    async def hold_session(self, user_id: str, session_id: str) -> ExamSession | None:
        """`now` is not before the moment that it was got hold of, however long others had it."""

    @abstractmethod
    async def save_session(self, session: ExamSession) -> None:
        """Everything but the snapshot."""

    @abstractmethod
    async def save_snapshot(self, session: ExamSession, snapshot: bytes) -> None:
        """The session, and in place of the last snapshot this one: a JSON object, kept as it is."""

    @abstractmethod
    async def hold_slot(self, session: ExamSession, slot: int) -> AskedSlot | None:
        """A slot of a session that is held, with what was answered so far."""

    @abstractmethod
    async def hold_slots(self, session: ExamSession) -> tuple[AskedSlot, ...]:
        """Every slot of a session that is held, in order."""

    @abstractmethod
    async def save_slot(self, slot: ExamSlot) -> None:
        """What was answered. The marks of a slot are those of the latest grade, and written with it."""

    @abstractmethod
    async def save_slots(self, slots: Sequence[ExamSlot]) -> None:
        """What was answered, of several slots of one session."""

    @abstractmethod
    async def add_entries(self, entries: Sequence[Entry]) -> None:
        """Append to the record, in order."""

    @abstractmethod
    async def find_event(self, user_id: str, session_id: str, client_event_id: str) -> Entry | None: ...

    @abstractmethod
    async def count_events(self, user_id: str, session_id: str, since: datetime) -> int:
        """How many events the student's browser sent later than `since`, moves not counted; 60 is as good as more."""

    @abstractmethod
    async def graded_slots(self, session: ExamSession) -> tuple[GradedSlot, ...]:
        """Every slot of a session that is held, with its key, in order."""

    @abstractmethod
    async def contents(self, asked: Sequence[Asked]) -> Mapping[Asked, KeyedContent]:
        """These versions with their keys; those that there are."""

    @abstractmethod
    async def voids(self, exam_package_id: str) -> tuple[Void, ...]:
        """Every question of the package that was declared void, the oldest first."""

    @abstractmethod
    async def add_grade(self, grade: Grade) -> None:
        """A new revision, with its marks written to the slots too. The session is saved by itself."""

    @abstractmethod
    async def find_grade(self, user_id: str, session_id: str, revision: int) -> Grade | None: ...

    @abstractmethod
    async def mark_sitting(self, user_id: str, auth_session_id: str, until: datetime | None) -> None:
        """This session of the door belongs to somebody who sits an exam, at most until then (None: nobody knows)."""

    @abstractmethod
    async def move_sitting(self, session: ExamSession, until: datetime, *, everywhere: bool) -> None:
        """What is marked for this live session is so until then instead, or longer where another exam is live.

        `everywhere`: all sessions of the door that its student has are marked, for nobody knows which one it is.
        """

    @abstractmethod
    async def unmark_sitting(self, user_id: str) -> None:
        """None of this person's sessions of the door does any more, unless another exam of theirs is live."""

    @abstractmethod
    async def judge_predictions(self, user_id: str, exam_package_id: str, session: ExamSession) -> None:
        """What was foretold to the student about the package before this session began has come to what it came to.

        Only what has no outcome yet, or this session's; a session that does not count leaves them without one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What the student's enrolment opens, and how the package holds its exams now."""

    tier_id: str
    weekly_sessions: int | None
    duration_seconds: int | None
    pass_mark: Decimal
    settings: PackageSettings
    blueprint: Blueprint | None


class StartWork(ExamWork, Protocol):
    """What beginning an exam needs beside."""

    @abstractmethod
    async def live_session(self, user_id: str, exam_package_id: str) -> ExamSession | None:
        """The one that is stored as live, held. `now` is not before the moment that it was looked for."""

    @abstractmethod
    async def hold_entitlement(self, user_id: str, exam_package_id: str) -> Entitlement | None:
        """None when the student is not enrolled now."""

    @abstractmethod
    async def enrolled_packages(self, user_id: str) -> tuple[str, ...]:
        """The packages that the student is enrolled in now."""

    @abstractmethod
    async def attempts(self, user_id: str, exam_package_id: str) -> tuple[ExamSession, ...]:
        """Every session of the student in the package, the first first."""

    @abstractmethod
    async def nth_latest_start(self, user_id: str, exam_package_id: str, nth: int) -> datetime | None:
        """When the `nth` latest session of the student in the package was started; None when there are fewer."""

    @abstractmethod
    async def accommodation_of(self, user_id: str) -> Accommodation: ...

    @abstractmethod
    async def add_session(self, session: ExamSession, slots: Sequence[ExamSlot]) -> None: ...

    @abstractmethod
    async def questions(self, session: ExamSession) -> tuple[PublicQuestion, ...]:
        """The question of every slot as whoever answers it may see it, in order."""

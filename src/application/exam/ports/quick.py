"""What heartbeats and answers in one round trip need of their store."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.auth.claimants import Claimant
from domain.exam.papers import FrozenPaper
from domain.exam.sessions import ExamSlot
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickAnswer:
    """An answer that fits its question, in the question's own names; `flagged` None leaves the flag as it is.

    `claim` is what has to be asked in the same breath: an answer of somebody whose session does not stand is not taken.
    """

    user_id: str
    session_id: str
    slot: int
    response: Response | None
    base_revision: int
    certainty: Certainty | None = None
    autosave: bool = False
    flagged: bool | None = None
    claim: Claimant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The slot as the answer left it, without marks. `at` is when it came; the deadline is that of the moment."""

    at: datetime
    slot: ExamSlot
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickBeat:
    """A sign of life: without a number it is the next one, without a snapshot the last snapshot stays.

    A snapshot is a JSON object, kept as it is. `claim` as of an answer.
    """

    user_id: str
    session_id: str
    seq: int | None = None
    client_at: datetime | None = None
    snapshot: bytes | None = None
    claim: Claimant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBeat:
    """What is told to whoever sent it: the session is active."""

    at: datetime
    last_seq: int
    deadline: datetime | None = None


class QuickExam(Protocol):
    """The common case of each in one round trip; what is not the common case is left to the unit of work, untouched."""

    @abstractmethod
    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        """None when there is no such session of this student. It may be remembered, for it never changes."""

    @abstractmethod
    async def save_answer(self, answer: QuickAnswer) -> KeptAnswer | None:
        """Keep an answer and append it to the record, or do nothing.

        Only if the claim stands, while the session is active and not due, to a slot that has come to `base_revision`,
        and if it says something else than what is there. Whether the exam is linear the caller knows.
        """

    @abstractmethod
    async def heartbeat(self, beat: QuickBeat) -> KeptBeat | None:
        """Keep a sign of life, with the gap before it if there was one, or do nothing.

        Only if the claim stands, while the session is active and not due, and if it is newer than the last one. A clock
        that drifts is left to the unit of work, unless it was told of within the last minute.
        """

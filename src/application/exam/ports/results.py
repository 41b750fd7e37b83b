"""What reading the results of exams needs from outside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.enrollment.settings import PackageSettings
from domain.exam.grading import Grade
from domain.exam.results import TopicSlot
from domain.exam.sessions import ExamSession, ExamSlot
from domain.question_bank.questions import AnswerKey, PublicQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord:
    """A session as it is stored, its package as it is now, and everything that its result is made of, without keys.

    `attempts` are all sessions of the student in the package. `grade` and `slots` are None and empty without a grade.
    `is_sat`: the time of somebody's session of the package goes on; asked where the review rule depends on it.
    """

    now: datetime
    session: ExamSession
    settings: PackageSettings
    is_sat: bool
    attempts: tuple[ExamSession, ...]
    grade: Grade | None
    slots: tuple[TopicSlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedQuestion:
    """A slot with its question and its key, for those who may see it."""

    slot: ExamSlot
    question: PublicQuestion
    key: AnswerKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageHistory:
    """The sessions of a student in one package, the first first, and the package as it is now."""

    exam_package_id: str
    title: str
    settings: PackageSettings
    sessions: tuple[ExamSession, ...]


class ResultReader(Protocol):
    """Reads what exams came to; each in one round trip."""

    @abstractmethod
    async def result(self, user_id: str, session_id: str) -> ResultRecord | None:
        """As it is stored, whatever time has made of it since. No key is read."""

    @abstractmethod
    async def review(self, user_id: str, session_id: str) -> Sequence[ReviewedQuestion]:
        """The slots of a finished session with their keys, in order. Whoever asks has seen that they may be told."""

    @abstractmethod
    async def history(
        self, user_id: str, exam_package_id: str | None, *, after: str | None, limit: int
    ) -> tuple[PackageHistory, ...]:
        """By package, at most `limit` of those after `after`; of one package where one is named."""

"""What flagging needs of its store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from application.ports import Work
from domain.progress.flags import FlagStanding
from domain.question_bank.kinds import QuestionKind


class FlagWork(Work, Protocol):
    """A student may see a question that is published in a visible bank of a package they are enrolled in right now,
    and every question that they were ever asked.
    """

    @abstractmethod
    async def flag_standing(self, user_id: str, question_id: str) -> FlagStanding: ...

    @abstractmethod
    async def add_flag(self, user_id: str, question_id: str) -> None:
        """A flag that is there already stays as it is."""

    @abstractmethod
    async def remove_flag(self, user_id: str, question_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedQuestion:
    """A flagged question in a list: no choices, whose order alone may be the answer, and no key.

    It is told by its published version, or by the one that the student was asked where that is all they may see.
    """

    question_id: str
    question_bank_id: str
    version: int
    kind: QuestionKind
    stem: str
    topic_id: str | None
    difficulty_id: str | None
    max_mark: Decimal
    flagged_at: datetime


class FlaggedQuestionReader(Protocol):
    """Reads what students have flagged."""

    @abstractmethod
    async def page(
        self, user_id: str, *, exam_package_id: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[FlaggedQuestion]:
        """Those that the student may still see, the last flagged first; `after` is the last of the page before.

        With a package only those of its banks; of one in which the student never was enrolled there are none.
        """

"""What making questions searchable needs: its unit of work."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.ports import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingStep:
    """The questions of one step that are to be indexed, and where the next step begins; None after the last."""

    question_ids: Sequence[str]
    reached: str | None


class IndexingWork(Work, Protocol):
    """One step of making the questions of a bank searchable."""

    @abstractmethod
    async def hold_questions(
        self, bank: str, *, changed_since: datetime | None, after: str, limit: int
    ) -> IndexingStep:
        """The next questions of the bank after `after`, at most `limit`, kept from being changed.

        A step looks at a bounded number of questions of any bank, so there may be fewer although more are to come.
        `bank` is an id or a slug. Only what changed since then, if an instant is given.
        """

    @abstractmethod
    async def index_questions(self, question_ids: Sequence[str]) -> None:
        """Lets a search find the questions as they are now."""

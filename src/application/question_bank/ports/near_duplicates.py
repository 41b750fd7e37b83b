"""What comparing questions needs: steps through an import, sketches, and the pairs that were found."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from application.ports import Work
from domain.auth.people import Actor
from domain.question_bank.imported import ImportedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Two questions that say nearly the same; `identical` means that their contents are equal in every respect."""

    question_id: str
    external_id: str
    stem: str
    other_id: str
    other_external_id: str
    other_stem: str
    resemblance: Decimal
    identical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Questions of an import; `reached` is where the next step begins, None after the last."""

    question_ids: Sequence[str]
    reached: str | None


class ComparingWork(Work, Protocol):
    """One step of comparing what an import brought with its bank."""

    @abstractmethod
    async def hold_unsketched(self, bank_id: str, changed_at: datetime, *, after: str) -> Step:
        """The next questions of the bank whose sketches are to be written, kept from being changed.

        They are those that were changed at this instant, and those that have no sketch at all.
        """

    @abstractmethod
    async def changed(self, bank_id: str, changed_at: datetime, *, after: str) -> Step:
        """The next questions of the bank that were changed at this instant, and not since."""

    @abstractmethod
    async def stated(self, question_ids: Iterable[str]) -> Mapping[str, ImportedQuestion]:
        """What the latest versions of these questions say, as far as they are there."""

    @abstractmethod
    async def replace(self, sketches: Mapping[str, Sequence[int]]) -> None:
        """Writes the sketches of these questions."""

    @abstractmethod
    async def candidates(
        self, question_ids: Sequence[str], changed_at: datetime, limit: int
    ) -> Sequence[tuple[str, str]]:
        """Pairs (one of these questions, another of its bank) that share a value of their sketches, likeliest first."""

    @abstractmethod
    async def add_pairs(self, import_id: str, pairs: Mapping[tuple[str, str], Decimal]) -> None:
        """Keeps pairs with their resemblance; adding them again changes nothing, and what is gone is left out."""

    @abstractmethod
    async def finish(self, import_id: str) -> None:
        """The import has been compared."""


class NearDuplicateReader(Protocol):
    """The near duplicates of an import."""

    @abstractmethod
    async def is_compared(self, viewer: Actor, import_id: str) -> bool | None:
        """Whether it has been compared by now; None when there is no import that the viewer may see."""

    @abstractmethod
    async def pairs(
        self, import_id: str, *, after: tuple[Decimal, str, str] | None, limit: int
    ) -> tuple[NearDuplicate, ...]:
        """Those that are most alike first; `after` is (resemblance, question, other) of the last one that was seen."""

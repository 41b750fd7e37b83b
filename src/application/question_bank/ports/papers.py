"""What drawing a paper needs: the questions that may be drawn, and those that were."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol

from domain.question_bank.blueprints import Blueprint, Candidate, PaperSlot
from domain.question_bank.questions import PublicQuestion


class PaperReader(Protocol):
    """The published questions of a package's visible banks, as a blueprint needs them."""

    @abstractmethod
    async def pool(
        self, exam_package_id: str, blueprint: Blueprint, *, student_id: str | None, seed: str
    ) -> tuple[Candidate, ...] | None:
        """Enough candidates to decide the blueprint as the whole bank would; None when there is no such package."""

    @abstractmethod
    async def questions(self, slots: Iterable[PaperSlot]) -> tuple[PublicQuestion, ...]:
        """The version of every slot, in the order of the slots."""

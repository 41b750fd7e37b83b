"""Near duplicates: what an import brought that the bank, or the file itself, has already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from application.jobs import JobName, Payload
from application.ports import Job, Transaction
from application.question_bank.ports.near_duplicates import ComparingWork, NearDuplicate, NearDuplicateReader, Step
from domain.auth.people import Actor
from domain.errors import DomainError, Kind
from domain.question_bank.imported import ImportedQuestion
from domain.question_bank.similarity import ALIKE, resemblance, shingles, sketch

MOST_PAIRS: Final = 10_000
_PAIRS_AT_ONCE: Final = 2_000
_PLACES: Final = Decimal("0.001")


class ComparisonNotFound(DomainError):
    """There is no such import."""

    code = "import.comparison_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such import to compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparingOrder:
    """Which import: its bank, and the instant at which it changed its questions."""

    import_id: str
    bank_id: str
    changed_at: datetime

    @property
    def job(self) -> Job:
        payload = {"import_id": self.import_id, "bank_id": self.bank_id, "changed_at": self.changed_at.isoformat()}
        return Job(name=JobName.COMPARE_QUESTIONS, payload=payload)

    @classmethod
    def of(cls, payload: Payload) -> ComparingOrder:
        return cls(
            import_id=str(payload["import_id"]),
            bank_id=str(payload["bank_id"]),
            changed_at=datetime.fromisoformat(str(payload["changed_at"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareQuestions:
    """Soon after an import its questions are compared with those of their bank, and the pairs that are alike kept.

    First all of them get their sketches, and so does whatever in the bank has none; then each is compared with those
    few that share a value of its own: the work grows with the file, not with its square. A sketch is written while its
    question is kept from being changed, so it is never that of an older text. At most ten thousand pairs are kept.
    Doing it twice is harmless.
    """

    transact: Transaction[ComparingWork]
    most_pairs: int = MOST_PAIRS

    async def __call__(self, payload: Payload) -> None:
        order = ComparingOrder.of(payload)
        reached: str | None = ""
        while reached is not None:
            reached = await self._sketch(order, reached)
        kept, reached = 0, ""
        while reached is not None and kept < self.most_pairs:
            found, reached = await self._compare(order, reached)
            kept += found
        await self.transact(lambda work: work.finish(order.import_id))

    async def _sketch(self, order: ComparingOrder, after: str) -> str | None:
        """Where the next step begins; each passes over what it has seen, whether or not it has words for a sketch."""

        async def unit(work: ComparingWork) -> str | None:
            step = await work.hold_unsketched(order.bank_id, order.changed_at, after=after)
            stated = await work.stated(step.question_ids)
            # In a thread: long texts take a while, and the worker shares its event loop with requests.
            await work.replace(await asyncio.to_thread(_sketches, stated))
            return step.reached

        return await self.transact(unit)

    async def _compare(self, order: ComparingOrder, after: str) -> tuple[int, str | None]:
        """How many pairs were found, and where the next step begins."""

        async def look(work: ComparingWork) -> tuple[Step, Sequence[tuple[str, str]], Mapping[str, ImportedQuestion]]:
            step = await work.changed(order.bank_id, order.changed_at, after=after)
            candidates = await work.candidates(step.question_ids, order.changed_at, _PAIRS_AT_ONCE)
            return step, candidates, await work.stated({each for pair in candidates for each in pair})

        step, candidates, stated = await self.transact(look)
        # Texts are measured between two units of work: nothing is held meanwhile.
        pairs = await asyncio.to_thread(_alike, candidates, stated)
        if pairs:
            await self.transact(lambda work: work.add_pairs(order.import_id, pairs))
        return len(pairs), step.reached


def _sketches(stated: Mapping[str, ImportedQuestion]) -> Mapping[str, Sequence[int]]:
    return {each: sketch(shingles(says)) for each, says in stated.items()}


def _alike(
    candidates: Sequence[tuple[str, str]], stated: Mapping[str, ImportedQuestion]
) -> Mapping[tuple[str, str], Decimal]:
    found = {each: shingles(says) for each, says in stated.items()}
    measured = {
        (one, other): resemblance(found[one], found[other])
        for one, other in candidates
        if one in found and other in found
    }
    # Rounded down, so that only what is alike in every word is shown as 1.
    return {
        pair: (Decimal(alike.numerator) / alike.denominator).quantize(_PLACES, rounding="ROUND_DOWN")
        for pair, alike in measured.items()
        if alike >= ALIKE
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNearDuplicates:
    """Staff read which questions of an import are near duplicates, as far as its bank may be seen by them."""

    near_duplicate_reader: NearDuplicateReader

    async def __call__(
        self, actor: Actor, import_id: str, *, after: tuple[Decimal, str, str] | None, limit: int
    ) -> tuple[bool, tuple[NearDuplicate, ...]]:
        """Whether the comparison has been made, and a page of what was found."""
        compared = await self.near_duplicate_reader.is_compared(actor, import_id)
        if compared is None:
            raise ComparisonNotFound
        return compared, await self.near_duplicate_reader.pairs(import_id, after=after, limit=limit)

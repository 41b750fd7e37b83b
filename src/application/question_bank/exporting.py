"""Use cases of exporting questions to files."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from application.ports import AuditEntry, Transaction, Work
from application.question_bank.export_stream import Abandoned, Export, ExportTally
from application.question_bank.ports.exporting import (
    ExportedBank,
    ExportFormat,
    ExportShape,
    ExportVersions,
    ExportWork,
    QuestionWriters,
)
from domain.auth.people import Actor
from domain.errors import DomainError, Kind
from domain.question_bank.import_checks import examine
from domain.question_bank.imported import CHOICE_KEYS, ImportedQuestion, Severity
from domain.question_bank.lifecycle_refusals import BankNotFound

BATCH = 200
PIECE_BYTES = 64 * 1024
LOSSES_LOOKED_AT = 20_000
"""So many questions are looked at for what they would lose, while somebody waits for the answer."""
LOSSES_SECONDS = 2.0
"""So long at most: a request is answered within six seconds, on a busy server too."""
_LOSSES_DEADLINE: Final = 4.5
_RETRY_AFTER_SECONDS: Final = 5


class ExportsBusy(DomainError):
    """As many exports as this process carries out at once are at work; requests of students come first."""

    code = "export.busy"
    kind = Kind.UNAVAILABLE
    title = "Too many exports are running, try again in a moment"


class LossesTakeTooLong(DomainError):
    """The store answers too slowly to tell what an export would lose; the export at the command line tells it too."""

    code = "export.losses_take_too_long"
    kind = Kind.UNAVAILABLE
    title = "Telling the losses takes too long, try again or export the questions at the command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What is asked for: a bank by its id or slug, a format, which versions; `excel_safe` belongs to CSV."""

    bank: str
    format: ExportFormat
    versions: ExportVersions = ExportVersions.LATEST
    excel_safe: bool = False


@dataclass(frozen=True, slots=True)
class ExportQuestions:
    """Writes the questions of a bank to a file: staff, for every bank that they may see.

    Every question stands as it was at one instant, in the order of the external ids. What the format cannot say is
    counted, never silent. Drafts that are not complete are no questions yet and are left out. That keys left the house
    is recorded before the first byte does.
    """

    look: Transaction[ExportWork]
    transact: Transaction[Work]
    writers: QuestionWriters

    _ACTION: ClassVar[str] = "question_bank.exported"

    async def __call__(self, actor: Actor | None, order: ExportOrder) -> Export:
        """Returns with the first piece written; the rest is written while it is read."""
        export = Export(self.writers.writer(order.format, excel_safe=order.excel_safe), ExportTally())

        async def write(to: Export) -> None:
            await self.look(lambda work: self._write(work, actor, order, to, kept=True))

        await export.start(write)
        return export

    async def losses(self, actor: Actor | None, order: ExportOrder) -> ExportTally:
        """What the export would lose. Nothing is written, so nothing leaves the house.

        Of a large bank only the first questions are looked at, and the tally says that it is not complete.
        """
        export = Export(self.writers.writer(order.format, excel_safe=order.excel_safe), ExportTally())
        try:
            async with asyncio.timeout(_LOSSES_DEADLINE):
                await self.look(lambda work: self._write(work, actor, order, export, kept=False))
        except TimeoutError:
            raise LossesTakeTooLong(retry_after_seconds=_RETRY_AFTER_SECONDS) from None
        finally:
            # Whoever asked may have gone, and the look goes on without them.
            export.leave()
        return export.tally

    async def _write(
        self, work: ExportWork, actor: Actor | None, order: ExportOrder, export: Export, *, kept: bool
    ) -> None:
        export.bank = bank = await work.bank(order.bank, actor)
        if bank is None:
            raise BankNotFound
        if kept:
            await self._record(actor, bank, order)
        bounds = _NO_BOUNDS if kept else _Bounds(LOSSES_LOOKED_AT, LOSSES_SECONDS)
        feed = _Feed(work, bank, order.versions, export, bounds, asyncio.get_running_loop())
        # Losses are counted and not laid out: any shape will do.
        is_surveyed = kept and export.writer.needs_shape
        shape = await work.shape(bank, order.versions) if is_surveyed else ExportShape(most_choices=len(CHOICE_KEYS))
        pieces = _written(export, iter(feed), shape)
        while piece := await asyncio.to_thread(_joined, pieces):
            if kept:
                await export.put(piece)

    async def _record(self, actor: Actor | None, bank: ExportedBank, order: ExportOrder) -> None:
        how = {"format": order.format.value, "versions": order.versions.value}
        actor_id = actor.user_id if actor else None
        entry = AuditEntry(actor_id=actor_id, action=self._ACTION, subject=f"bank:{bank.slug}", after=how)
        await self.transact(lambda work: work.audit(entry))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How much is read: so many questions, and for so long."""

    questions: float
    seconds: float

    def leave_room(self, read: int, since: float) -> bool:
        return read < self.questions and time.monotonic() - since < self.seconds


_NO_BOUNDS: Final = _Bounds(questions=math.inf, seconds=math.inf)


@dataclass(frozen=True, slots=True)
class _Feed:
    """The questions of a bank, taken one by one in a thread while the event loop fetches the batches.

    It ends early at its bounds, which the tally tells, and breaks off (`Abandoned`) when nobody waits any more.
    """

    work: ExportWork
    bank: ExportedBank
    versions: ExportVersions
    export: Export
    bounds: _Bounds
    loop: asyncio.AbstractEventLoop

    def __iter__(self) -> Iterator[ImportedQuestion]:
        since, tally = time.monotonic(), self.export.tally
        batch = self._batch("")
        while batch:
            for question in batch:
                tally.questions += 1
                if self._is_complete(question):
                    yield question
            if len(batch) < BATCH:
                return
            following = self._batch(batch[-1].external_id)
            if following and not self.bounds.leave_room(tally.questions, since):
                tally.is_complete = False
                return
            batch = following

    def _batch(self, after: str) -> list[ImportedQuestion]:
        if self.export.is_left:
            raise Abandoned
        fetching = self.work.questions_after(self.bank, self.versions, after, BATCH)
        return list(asyncio.run_coroutine_threadsafe(fetching, self.loop).result())

    def _is_complete(self, question: ImportedQuestion) -> bool:
        for problem in examine(question):
            if problem.severity is Severity.ERROR:
                message = f"Not complete yet: {problem.message}"
                self.export.tally.losses.add("incomplete", question.external_id, message)
                return False
        return True


def _written(export: Export, questions: Iterator[ImportedQuestion], shape: ExportShape) -> Iterator[bytes]:
    """The pieces of the file. Even a writer that takes its questions at once takes them with the first piece."""
    yield from export.writer.write(questions, export.tally.losses, shape)


def _joined(pieces: Iterator[bytes]) -> bytes:
    """Pieces joined to one of a fair size; b"" after the last one."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= PIECE_BYTES:
            break
    return bytes(gathered)

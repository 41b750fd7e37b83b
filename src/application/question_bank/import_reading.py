"""Reading about imports: their list, their reports, what they rejected, and stopping one that runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from application.ports import AuditEntry, Transaction
from application.question_bank.batches import guarded
from application.question_bank.ports.importing import CancelWork, ImportReader, KnownImport
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.errors import DomainError, Kind
from domain.question_bank.import_report import ImportReport, ImportStatus


class ImportNotFound(DomainError):
    """There is no such import, or its bank is hidden from whoever asks."""

    code = "import.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such import"


class ImportEnded(DomainError):
    """What has ended cannot be cancelled."""

    code = "import.ended"
    kind = Kind.CONFLICT
    title = "The import has ended already"


@dataclass(frozen=True, slots=True)
class ReadImport:
    """Shows the report of an import to whoever started it, and to those who see its bank."""

    reader: ImportReader

    async def __call__(self, actor: Actor, import_id: str) -> ImportReport:
        return (await known(self.reader, import_id, actor)).report


@dataclass(frozen=True, slots=True)
class ListImports:
    """Shows one's own imports and those into banks that one sees, newest first, into one bank or all."""

    reader: ImportReader

    async def __call__(self, actor: Actor, bank: str | None, *, after: str | None, limit: int) -> Sequence[KnownImport]:
        return await self.reader.page(bank, actor, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class ReadRejects:
    """The records that an import rejected, as a CSV file to correct and to import again; empty when none was rejected.

    What a spreadsheet takes for a formula stands as it is, unless it is asked to be `excel_safe`: an apostrophe then.
    """

    reader: ImportReader

    async def __call__(self, actor: Actor, import_id: str, *, excel_safe: bool = False) -> AsyncIterator[bytes]:
        await known(self.reader, import_id, actor)
        return self.pieces(import_id, excel_safe=excel_safe)

    async def pieces(self, import_id: str, *, excel_safe: bool) -> AsyncIterator[bytes]:
        """Part by part; each holds whole records."""
        async for part in self.reader.rejects(import_id):
            yield guarded(part) if excel_safe else part


@dataclass(frozen=True, slots=True)
class CancelImport:
    """Stops a running import within seconds, wherever it runs; it leaves nothing behind.

    Whoever started it may do so, and administrators. Once more changes nothing; one that has ended otherwise is
    refused.
    """

    reader: ImportReader
    transact: Transaction[CancelWork]

    async def __call__(self, actor: Actor, import_id: str) -> ImportReport:
        found = await known(self.reader, import_id, actor)
        if actor.role is not Role.ADMIN and found.actor_id != actor.user_id:
            raise Forbidden
        if found.report.status is ImportStatus.CANCELLED:
            return found.report
        if found.report.status is not ImportStatus.RUNNING:
            raise ImportEnded

        async def ask(work: CancelWork) -> bool:
            asked = await work.ask_to_cancel(import_id)
            if asked:
                subject = f"import:{import_id}"
                await work.audit(
                    AuditEntry(actor_id=actor.user_id, action="question_bank.import_cancelled", subject=subject)
                )
            return asked

        if not await self.transact(ask):
            raise ImportEnded
        return (await known(self.reader, import_id, actor)).report


async def known(reader: ImportReader, import_id: str, viewer: Actor) -> KnownImport:
    found = await reader.find(import_id, viewer)
    if found is None:
        raise ImportNotFound
    return found

"""Use cases of importing questions from files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from application.ports import AuditEntry, IdGenerator, Transaction
from application.question_bank.ports.importing import ApplyImport, ImportReader, ImportWork, QuestionFile, Threads
from domain.auth.people import Actor, Role
from domain.errors import DomainError, Kind
from domain.question_bank.banks import check_bank_slug
from domain.question_bank.import_report import ImportHead, ImportMode, ImportReport, ImportTally
from domain.question_bank.imported import ImportedQuestion, ImportProblem, ParsedItem

BATCH = 2_000


class ImportRunning(DomainError):
    """Two imports into one bank at once would judge each other's questions."""

    code = "import.running"
    kind = Kind.CONFLICT
    title = "Another import into this bank is running"


class ImportsBusy(DomainError):
    """As many imports as this process carries out at once are at work; requests of students come first."""

    code = "import.busy"
    kind = Kind.UNAVAILABLE
    title = "Too many imports are running, try again in a moment"


class ImportNotFound(DomainError):
    """There is no such import."""

    code = "import.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such import"


class PublishingNotAllowed(DomainError):
    """New questions of an instructor are drafts and go through review."""

    code = "import.publishing_not_allowed"
    kind = Kind.FORBIDDEN
    title = "Only an administrator may publish what is imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is asked for: a file, its bank, the mode, and whether its questions are published at once.

    Without an `id` the import gets one.
    """

    file: QuestionFile
    bank: str
    mode: ImportMode = ImportMode.ALL_OR_NOTHING
    publish: bool = False
    id: str = ""

    @property
    def head(self) -> ImportHead:
        """What a report says about its import."""
        return ImportHead(id=self.id, bank=self.bank, file=self.file.name, format=self.file.format, mode=self.mode)


class _Undone(Exception):
    """Carries the report of an import that leaves no trace out of the unit of work, which then rolls back."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(report.id)
        self.report = report


@dataclass(frozen=True, slots=True)
class ImportQuestions:
    """Reads a file into a bank, which is made where there is none.

    A question is known again by its external id: new ones are drafts (or published by an administrator), changed ones
    change the open version or open a new one in review, equal ones stay as they are, nothing is ever deleted. With an
    error anywhere nothing is imported, unless the mode skips what is invalid; a dry run changes nothing but tells what
    would happen. Refuses a file that cannot be read as questions at all (`ImportRefused`).
    """

    transact: Transaction[ImportWork]
    ids: IdGenerator
    threads: Threads

    _ACTION: ClassVar[str] = "question_bank.import"

    async def __call__(
        self,
        actor: Actor | None,
        order: ImportOrder,
        progress: Callable[[int], None] = lambda records: None,
    ) -> ImportReport:
        """`actor` None is the operator at the command line. `progress` is told the number of records read so far."""
        check_bank_slug(order.bank)
        if order.publish and actor is not None and actor.role is not Role.ADMIN:
            raise PublishingNotAllowed
        head = replace(order, id=order.id or self.ids.new("imp")).head
        author_id = actor.user_id if actor else None

        async def carry_out(work: ImportWork) -> ImportReport:
            await work.hold_bank(order.bank)
            tally = ImportTally()
            await self._read(work, order, tally, progress)
            tally.duplicates(await work.resolve_duplicates())
            if tally.rejected and order.mode is ImportMode.ALL_OR_NOTHING:
                raise _Undone(tally.report(head, None))
            applied = await work.apply(ApplyImport(bank=order.bank, author_id=author_id, publish=order.publish))
            report = tally.report(head, applied)
            if order.mode is ImportMode.DRY_RUN:
                raise _Undone(report)
            await work.save_report(report, author_id)
            if report.created or report.updated:
                await work.audit(self._entry(report, author_id))
            return report

        try:
            return await self.transact(carry_out)
        except _Undone as undone:
            return await self._keep(undone.report, author_id)

    async def _read(
        self, work: ImportWork, order: ImportOrder, tally: ImportTally, progress: Callable[[int], None]
    ) -> None:
        """Stages every question of the file; the next batch is parsed in a thread while the store takes the last."""
        items = order.file.read(order.bank)
        batch = await self.threads.take(items, BATCH)
        while batch:
            upcoming = asyncio.create_task(self.threads.take(items, BATCH))
            try:
                await work.stage(_questions(batch, tally))
            finally:
                # Neither outlives the other: the file may be closed, and the unit may end, as soon as this returns.
                await asyncio.wait((upcoming,))
            batch = upcoming.result()
            progress(tally.read + tally.skipped + tally.rejected)

    async def _keep(self, report: ImportReport, actor_id: str | None) -> ImportReport:
        async def save(work: ImportWork) -> ImportReport:
            await work.save_report(report, actor_id)
            return report

        return await self.transact(save)

    def _entry(self, report: ImportReport, actor_id: str | None) -> AuditEntry:
        counts = {"file": report.file, "created": report.created, "updated": report.updated}
        return AuditEntry(actor_id=actor_id, action=self._ACTION, subject=f"bank:{report.bank}", after=counts)


def _questions(batch: list[ParsedItem], tally: ImportTally) -> list[ImportedQuestion]:
    """The questions among the items; everything is counted."""
    questions = []
    for item in batch:
        if isinstance(item, ImportedQuestion):
            tally.question()
            questions.append(item)
        elif isinstance(item, ImportProblem):
            tally.problem(item)
        else:
            tally.blank()
    return questions


@dataclass(frozen=True, slots=True)
class ReadImport:
    """Shows the report of an import to whoever may import."""

    reader: ImportReader

    async def __call__(self, actor: Actor, import_id: str) -> ImportReport:
        report = await self.reader.report(import_id)
        if report is None:
            raise ImportNotFound
        return report

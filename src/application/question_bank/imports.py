"""Importing questions from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from application.ports import AuditEntry, IdGenerator, Transaction
from application.question_bank.batches import RefusedRecords
from application.question_bank.following import FollowedImport, KeptRejects, NobodyFollows, Stopped
from application.question_bank.ports.importing import (
    ApplyImport,
    Batch,
    ImportRegister,
    ImportWork,
    QuestionFile,
    QuestionReading,
)
from domain.auth.people import Actor, Role
from domain.errors import DomainError, Kind
from domain.question_bank.banks import check_bank_slug
from domain.question_bank.import_report import (
    ImportHead,
    ImportMode,
    ImportProgress,
    ImportReport,
    ImportStatus,
    ImportTally,
    cancelled,
    failed,
)


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


class PublishingNotAllowed(DomainError):
    """New questions of an instructor are drafts and go through review."""

    code = "import.publishing_not_allowed"
    kind = Kind.FORBIDDEN
    title = "Only an administrator may publish what is imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is asked for: a file, its bank, the mode, and whether its questions are published at once.

    Without an `id` the import gets one; one that is `begun` is in the register already.
    """

    file: QuestionFile
    bank: str
    mode: ImportMode = ImportMode.ALL_OR_NOTHING
    publish: bool = False
    id: str = ""
    begun: bool = False

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
    would happen. Refuses a file that cannot be read as questions at all (`ImportRefused`). While it runs it can be
    followed and cancelled.
    """

    transact: Transaction[ImportWork]
    ids: IdGenerator
    reading: QuestionReading
    register: ImportRegister = field(default_factory=NobodyFollows)

    _ACTION: ClassVar[str] = "question_bank.imported"

    async def __call__(
        self,
        actor: Actor | None,
        order: ImportOrder,
        progress: Callable[[ImportProgress], None] = lambda progress: None,
    ) -> ImportReport:
        """`actor` None is the operator at the command line. `progress` is told how far the reading is."""
        check_import(actor, order)
        order = await self._begin(actor, order)
        author_id = actor.user_id if actor else None
        how = ApplyImport(bank=order.bank, import_id=order.id, actor=actor, publish=order.publish)
        followed = FollowedImport(self.register, order.id, self.reading.size(order.file), progress)

        async def carry_out(work: ImportWork) -> ImportReport:
            await work.begin(how)
            report = await followed.run(self._import(work, order, followed))
            if report.status is not ImportStatus.SUCCEEDED or order.mode is ImportMode.DRY_RUN:
                raise _Undone(report)
            await work.save_report(report, author_id)
            if report.created or report.updated:
                await work.audit(self._entry(report, order, author_id))
            return report

        try:
            return await self.transact(carry_out)
        except _Undone as undone:
            report = undone.report
        except Stopped:
            report = cancelled(order.head, followed.progress)
        except Exception as error:
            await self._broke_off(order, error, author_id)
            raise
        except asyncio.CancelledError:
            # Whoever waits for the import at a terminal has had enough of it.
            await followed.stop()
            await self.register.end(cancelled(order.head, followed.progress), author_id)
            raise
        await self.register.end(report, author_id)
        return report

    async def _begin(self, actor: Actor | None, order: ImportOrder) -> ImportOrder:
        if order.begun:
            return order
        order = replace(order, id=order.id or self.ids.new("imp"))
        size = self.reading.size(order.file)
        await self.register.begin(order.head, actor.user_id if actor else None, bytes_total=size)
        return order

    async def _broke_off(self, order: ImportOrder, error: Exception, author_id: str | None) -> None:
        # Whoever put it into the register knows whether anybody was told of it.
        if not order.begun:
            await self.register.end(failed(order.head, error), author_id)

    async def _import(self, work: ImportWork, order: ImportOrder, followed: FollowedImport) -> ImportReport:
        tally, rejects = ImportTally(), KeptRejects(self.register, order.id)
        async with self.reading.batches(order.file, bank=order.bank, import_id=order.id) as batches:
            async for batch in batches:
                await work.stage(batch)
                await rejects.add(batch.rejects)
                _count(batch, tally)
                followed.reached(batch.bytes_read, tally.records)
        followed.reached(followed.progress.bytes_total, tally.records)
        found = await work.judge()
        tally.set_findings(found)
        if found.rejected:
            await self._keep_refused(work, order, rejects)
        await rejects.close()
        tally.rejects_truncated, tally.progress = rejects.truncated, followed.progress
        if tally.rejected and order.mode is ImportMode.ALL_OR_NOTHING:
            return tally.report(order.head, None)
        return tally.report(order.head, await work.apply())

    async def _keep_refused(self, work: ImportWork, order: ImportOrder, rejects: KeptRejects) -> None:
        """What the file as a set refused is read once more, as it stands there."""
        refused = RefusedRecords()
        async for page in work.refused():
            if not refused.add(page):
                rejects.truncated = True
                break
        async for lines in self.reading.rejected(order.file, refused, headed=rejects.begun):
            await rejects.add(lines)

    def _entry(self, report: ImportReport, order: ImportOrder, actor_id: str | None) -> AuditEntry:
        counts = {"created": report.created, "updated": report.updated}
        facts: dict[str, object] = {"import_id": report.id, "file": report.file, "mode": report.mode.value}
        facts |= {"publish": order.publish, **counts}
        return AuditEntry(actor_id=actor_id, action=self._ACTION, subject=f"bank:{report.bank}", after=facts)


def check_import(actor: Actor | None, order: ImportOrder) -> None:
    """Refuses an order that nobody, or not this actor, may give."""
    check_bank_slug(order.bank)
    if order.publish and actor is not None and actor.role is not Role.ADMIN:
        raise PublishingNotAllowed


def _count(batch: Batch, tally: ImportTally) -> None:
    tally.questions(batch.count)
    tally.blanks(batch.blanks)
    for problem in batch.problems:
        tally.problem(problem)

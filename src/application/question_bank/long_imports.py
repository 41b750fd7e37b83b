"""Imports that take longer than a request may: the caller is told that they run, and asks for the report later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from application.ports import IdGenerator, Transaction
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.ports.importing import ImportWork
from application.request_context import request_context
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.question_bank.import_report import ImportReport, failed, running

PROMPT_SECONDS = 4.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportInTime:
    """Imports a file and answers within seconds: with the report, or with one that says it is running.

    A running import goes on when its caller leaves; its report can be read under the same id, also when it fails.
    """

    import_questions: ImportQuestions
    transact: Transaction[ImportWork]
    ids: IdGenerator
    prompt_seconds: float = PROMPT_SECONDS
    _following: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, actor: Actor, order: ImportOrder, release: Callable[[], Awaitable[None]]) -> ImportReport:
        """`release` gives up the file; it is called once, when the import no longer reads it."""
        order = replace(order, id=order.id or self.ids.new("imp"))
        importing = asyncio.create_task(self.import_questions(actor, order))
        try:
            await asyncio.wait((importing,), timeout=self.prompt_seconds)
        finally:
            # Also when the caller went away while it waited.
            if not importing.done():
                following = asyncio.create_task(self._follow(actor, order, importing, release))
                self._following.add(following)
                following.add_done_callback(self._following.discard)
        if not importing.done():
            return await self._save(actor, running(order.head))
        await release()
        return importing.result()

    async def settle(self) -> None:
        """Returns when every import that was answered before its end has ended."""
        while self._following:
            await asyncio.wait(tuple(self._following))

    async def _follow(
        self,
        actor: Actor,
        order: ImportOrder,
        importing: asyncio.Task[ImportReport],
        release: Callable[[], Awaitable[None]],
    ) -> None:
        await asyncio.wait((importing,))
        await release()
        error = importing.exception()
        if error is None:
            return
        if not isinstance(error, DomainError):
            _log.error("an import failed", exc_info=error)
        # The request was answered long ago: its deadline is not ours.
        request_context.set(replace(request_context.get(), answer_by=None))
        with suppress(DomainError):
            await self._save(actor, failed(order.head, error if isinstance(error, DomainError) else None))

    async def _save(self, actor: Actor, report: ImportReport) -> ImportReport:
        async def save(work: ImportWork) -> ImportReport:
            await work.save_report(report, actor.user_id)
            return report

        return await self.transact(save)

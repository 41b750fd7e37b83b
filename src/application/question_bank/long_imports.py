"""Imports that take longer than a request may: the caller is told that they run, and asks for the report later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from application.ports import IdGenerator
from application.question_bank.import_reading import known
from application.question_bank.imports import ImportOrder, ImportQuestions, check_import
from application.question_bank.ports.importing import ImportReader, OnceKey
from application.request_context import request_context
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.question_bank.import_report import ImportReport, failed, running

PROMPT_SECONDS = 4.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnsweredImport:
    """What can be told within seconds; `replayed` when the import had been begun by an earlier request."""

    report: ImportReport
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ImportInTime:
    """Imports a file and answers within seconds: with the report, or with one that says it is running.

    A running import goes on when its caller leaves; its report can be read under the same id, also when it fails. The
    same file again under the same key is the same import, whatever became of it, unless it failed or was cancelled.
    """

    import_questions: ImportQuestions
    reader: ImportReader
    ids: IdGenerator
    prompt_seconds: float = PROMPT_SECONDS
    _following: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(
        self, actor: Actor, order: ImportOrder, release: Callable[[], Awaitable[None]], once: OnceKey | None = None
    ) -> AnsweredImport:
        """`release` gives up the file; it is called once, when the import no longer reads it."""
        order = replace(order, id=order.id or self.ids.new("imp"), begun=True)
        begun = await self._begin(actor, order, once)
        if begun != order.id:
            await release()
            return AnsweredImport((await known(self.reader, begun, actor)).report, replayed=True)
        importing = asyncio.create_task(self._import(actor, order))
        try:
            await asyncio.wait((importing,), timeout=self.prompt_seconds)
        finally:
            # Also when the caller went away while it waited.
            if not importing.done():
                following = asyncio.create_task(self._follow(actor, order, importing, release))
                self._following.add(following)
                following.add_done_callback(self._following.discard)
        if not importing.done():
            return AnsweredImport(running(order.head))
        await release()
        if importing.exception() is not None:
            await self.import_questions.register.forget(order.id)
        return AnsweredImport(importing.result())

    async def settle(self) -> None:
        """Returns when every import that was answered before its end has ended."""
        while self._following:
            await asyncio.wait(tuple(self._following))

    async def _begin(self, actor: Actor, order: ImportOrder, once: OnceKey | None) -> str:
        check_import(actor, order)
        size = self.import_questions.reading.size(order.file)
        register = self.import_questions.register
        return await register.begin(order.head, actor.user_id, bytes_total=size, once=once)

    async def _import(self, actor: Actor, order: ImportOrder) -> ImportReport:
        # The request is answered long before the end: its deadline is not ours.
        request_context.set(replace(request_context.get(), answer_by=None))
        return await self.import_questions(actor, order)

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
            await self.import_questions.register.end(failed(order.head, error), actor.user_id)

"""An import while it runs: told about once a second, stopped on request, with what it rejected kept aside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from application.question_bank.ports.importing import ImportRegister, OnceKey
from domain.errors import DomainError
from domain.question_bank.import_report import ImportHead, ImportProgress, ImportReport
from domain.question_bank.rejects import REJECTS_LIMIT

ResultT = TypeVar("ResultT")
TELL_SECONDS = 1.0
_PART_BYTES = 1024 * 1024


class Stopped(Exception):
    """The import was asked to stop and has done so; its unit of work rolls back."""


class FollowedImport:
    """The part of an import that takes its time, as others see it."""

    def __init__(
        self,
        register: ImportRegister,
        import_id: str,
        bytes_total: int,
        watch: Callable[[ImportProgress], None] = lambda progress: None,
    ) -> None:
        self.progress = ImportProgress(bytes_total=bytes_total)
        self._register = register
        self._import_id = import_id
        self._watch = watch
        self._wish = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    def reached(self, bytes_read: int, records: int) -> None:
        self.progress = ImportProgress(bytes_read=bytes_read, bytes_total=self.progress.bytes_total, records=records)

    async def run(self, importing: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Does it, unless somebody wishes it to stop: then `Stopped`, after everything that it had begun has ended."""
        self._ended.clear()
        work = asyncio.create_task(importing)
        wish, telling = asyncio.create_task(self._wish.wait()), asyncio.create_task(self._tell())
        try:
            await asyncio.wait((work, wish), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise Stopped
            return work.result()
        finally:
            for task in (work, wish, telling):
                task.cancel()
            await asyncio.wait((work, wish, telling))
            self._watch(self.progress)
            self._ended.set()

    async def stop(self) -> None:
        """Returns when it has stopped."""
        self._wish.set()
        await self._ended.wait()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self._watch(self.progress)
            # The store may be busy for a moment: then they hear of it a second later.
            with suppress(DomainError):
                if await self._register.tell(self._import_id, self.progress):
                    self._wish.set()


class KeptRejects:
    """What an import rejects, kept part by part while it runs, up to a limit."""

    def __init__(self, register: ImportRegister, import_id: str) -> None:
        self.truncated = False
        self._register = register
        self._import_id = import_id
        self._waiting = bytearray()
        self._size = 0
        self._parts = 0

    @property
    def begun(self) -> bool:
        """Whether anything was rejected so far."""
        return self._size > 0

    async def add(self, lines: bytes) -> None:
        """Adds whole lines, or none of them where they would exceed the limit."""
        if self.truncated or self._size + len(lines) > REJECTS_LIMIT:
            self.truncated = self.truncated or bool(lines)
            return
        self._size += len(lines)
        self._waiting += lines
        if len(self._waiting) >= _PART_BYTES:
            await self.close()

    async def close(self) -> None:
        """Keeps what is left."""
        if self._waiting:
            await self._register.keep_rejects(self._import_id, self._parts, bytes(self._waiting))
            self._parts += 1
            self._waiting.clear()


class NobodyFollows(ImportRegister):
    """For imports whose end somebody waits for anyway."""

    async def begin(
        self, head: ImportHead, actor_id: str | None, *, bytes_total: int, once: OnceKey | None = None
    ) -> str:
        return head.id

    async def tell(self, import_id: str, progress: ImportProgress) -> bool:
        return False

    async def keep_rejects(self, import_id: str, part: int, content: bytes) -> None:
        return None

    async def end(self, report: ImportReport, actor_id: str | None) -> None:
        return None

    async def forget(self, import_id: str) -> None:
        return None

"""An export on its way: it is written while it is read, and neither side waits for the other for ever."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from application.question_bank.ports.exporting import ExportedBank, Losses, QuestionWriter

PATIENCE_SECONDS = 60.0
"""So long a reader may take for one piece before the export is given up: it holds a connection."""
_PIECES_WAITING = 2


@dataclass(slots=True, kw_only=True)
class ExportTally:
    """How many questions were read, and what of them the file does not say. It is final when the export is over."""

    questions: int = 0
    is_complete: bool = True
    """Whether these are all the questions that there are."""
    losses: Losses = field(default_factory=Losses)

    @property
    def exported(self) -> int:
        """How many questions the file holds, whole or in part."""
        counts = self.losses.counts
        return self.questions - counts.get("unsupported", 0) - counts.get("incomplete", 0)


class Abandoned(Exception):
    """Nobody reads the export any more."""


@dataclass(slots=True, eq=False)
class Export:
    """A file on its way: what it is called, its bytes piece by piece, and its tally, complete after the last piece."""

    writer: QuestionWriter
    tally: ExportTally = field(default_factory=ExportTally)
    bank: ExportedBank | None = None
    patience_seconds: float = PATIENCE_SECONDS
    _pieces: deque[bytes] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: asyncio.Task[None] | None = None
    _fault: BaseException | None = None
    _is_left: bool = False

    @property
    def file_name(self) -> str:
        """Named after the bank, safe to stand in a header and on a disk."""
        slug = self.bank.slug if self.bank else "questions"
        safe = [mark if mark.isascii() and (mark.isalnum() or mark in "-_") else "_" for mark in slug]
        return "".join(safe) + self.writer.ending

    @property
    def is_left(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._is_left

    async def start(self, write: Callable[[Export], Awaitable[None]]) -> None:
        """Begins to write and returns when the first piece is there; refuses what can be refused before that."""
        self._room.set()
        self._writing = asyncio.create_task(self._write(write))
        try:
            while not self._pieces and not self._writing.done():
                await self._changed()
        except BaseException:
            self.leave()
            raise
        if not self._pieces and self._fault is not None:
            raise self._fault

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the file. A fault on the way is raised: an end without one is the end of the file."""
        assert self._writing is not None, "pieces come after the start"
        try:
            while self._pieces or not self._writing.done():
                if self._pieces:
                    piece = self._pieces.popleft()
                    self._room.set()
                    yield piece
                else:
                    await self._changed()
            if self._fault is not None:
                raise self._fault
        finally:
            self.leave()

    async def put(self, piece: bytes) -> None:
        """Hands a piece over; gives up (`Abandoned`) when nobody takes it."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                await self._room.wait()
        except TimeoutError:
            raise Abandoned from None
        if self._is_left:
            raise Abandoned
        self._pieces.append(piece)
        if len(self._pieces) >= _PIECES_WAITING:
            self._room.clear()
        self._news.set()

    def leave(self) -> None:
        """Whoever read has gone: the writing ends with its next piece."""
        self._is_left = True
        self._pieces.clear()
        self._room.set()

    async def _write(self, write: Callable[[Export], Awaitable[None]]) -> None:
        try:
            await write(self)
        except BaseException as fault:  # whoever reads must see it, whatever it is
            self._fault = fault
            if not isinstance(fault, Exception):
                raise
        finally:
            # The task is over one step later; by then whoever waits has looked.
            asyncio.get_running_loop().call_soon(self._news.set)

    async def _changed(self) -> None:
        self._news.clear()
        await self._news.wait()

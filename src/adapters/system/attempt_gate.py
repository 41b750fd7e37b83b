"""Where attempts wait for others under way: at once for those of this process, by asking again for those elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from application.auth.ports import AttemptGate
from application.request_context import request_context
from domain.auth.guessing import Judgement
from domain.auth.sessions import Busy
from domain.auth.throttling import Admission

_ASK_AGAIN_SECONDS = 0.1
_TIME_FOR_THE_REST = 2.0  # seconds for the check, which may queue as well, and for the database work after it
_RETRY_AFTER_SECONDS = 2


@dataclass(slots=True)
class _Line:
    """Those who wait for one counter. Who has the turn asks; all others cost the store nothing."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    people: int = 0


class LinesOfAttempts(AttemptGate):
    """First come, first served. Of each line one asks, so that a crowd at one address does not besiege the store."""

    def __init__(
        self, *, ask_again_seconds: float = _ASK_AGAIN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask_again_seconds = ask_again_seconds
        self._clock = clock
        self._lines: dict[str, _Line] = {}

    @property
    def waiting(self) -> int:
        """How many attempts wait."""
        return sum(line.people for line in self._lines.values())

    async def ask_in_turn(self, key: str, ask: Callable[[], Awaitable[Judgement]]) -> Judgement:
        async with self._turn(key) as line:
            judgement = await ask()
            while judgement.admission is Admission.UNDECIDED and judgement.by.key == key:
                await self._change(line)
                judgement = await ask()
            return judgement

    def settled(self, keys: Collection[str]) -> None:
        for key in keys:
            if (line := self._lines.get(key)) is not None:
                line.changed.set()

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[_Line]:
        line = self._lines.setdefault(key, _Line())
        line.people += 1
        try:
            try:
                async with asyncio.timeout(self._seconds_left()):
                    await line.turn.acquire()
            except TimeoutError:
                raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS) from None
            try:
                yield line
            finally:
                line.turn.release()
        finally:
            line.people -= 1
            if not line.people:
                del self._lines[key]

    async def _change(self, line: _Line) -> None:
        """Returns when an attempt was settled here since the last change, or may have been elsewhere."""
        left = self._seconds_left()
        if left is not None and left <= 0:
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._ask_again_seconds):
                await line.changed.wait()
        line.changed.clear()

    def _seconds_left(self) -> float | None:
        """How long the request may wait here; outside a request there is no limit."""
        answer_by = request_context.get().answer_by
        return None if answer_by is None else answer_by - _TIME_FOR_THE_REST - self._clock()

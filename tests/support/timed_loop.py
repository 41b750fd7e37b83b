"""A loop whose time a test sets: what waits for seconds need not, and no pause of the machine is taken for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_CALLS = 10_000


class TimedLoop:
    """A loop on which time passes only where a test lets it, and which counts the timers that are asked of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._now = 1_000.0
        self._pending: list[asyncio.TimerHandle] = []
        self.timers = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        self.timers += 1
        timer = asyncio.TimerHandle(self._now + delay, callback, arguments, self._loop)
        self._pending.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Lets so many seconds pass and calls whatever is due meanwhile, in its order."""
        until, called = self._now + seconds, 0
        while due := [each for each in self._pending if not each.cancelled() and each.when() <= until]:
            first = min(due, key=asyncio.TimerHandle.when)
            self._pending.remove(first)
            self._now = max(self._now, first.when())
            first._run()
            called += 1
            assert called < _CALLS, "a timer that is always due"
        self._now = until

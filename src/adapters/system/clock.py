"""The machine's clock and the identifiers made from it."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime
from typing import Final

from application.ports import Clock, IdGenerator
from domain.identifiers import compose_id

_ENTROPY_BYTES: Final = 10
_STEP_BYTES: Final = 4
_AT_ONCE: Final = 2_048


class SystemClock(Clock):
    """The operating system's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class TimeOrderedIds(IdGenerator):
    """Identifiers that sort by time; within a millisecond, or when the clock steps back, the entropy counts upwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._entropy = 0
        self._chance = _Chance()

    def __reduce__(self) -> tuple[type[TimeOrderedIds], tuple[()]]:
        """Sent to another process, it is a generator of that process's own."""
        return TimeOrderedIds, ()

    def new(self, prefix: str) -> str:
        with self._lock:
            milliseconds = time.time_ns() // 1_000_000
            if milliseconds > self._milliseconds:
                # The top bit stays free, so that counting upwards within the millisecond never overflows.
                self._milliseconds, self._entropy = milliseconds, self._chance(_ENTROPY_BYTES) >> 1
            else:
                self._entropy += 1 + self._chance(_STEP_BYTES)
            return compose_id(prefix, self._milliseconds, self._entropy)


class _Chance:
    """Numbers that nobody can guess. The system is asked once for many of them."""

    def __init__(self) -> None:
        self._ready, self._used = b"", 0

    def __call__(self, size: int) -> int:
        """A number of so many bytes."""
        end = self._used + size
        if end > len(self._ready):
            self._ready, end = secrets.token_bytes(_AT_ONCE), size
        self._used = end
        return int.from_bytes(self._ready[end - size : end])

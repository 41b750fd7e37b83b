"""The machine's clock and the identifiers made from it."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime

from application.ports import Clock, IdGenerator
from domain.identifiers import compose_id

_ENTROPY_BITS = 80


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

    def __reduce__(self) -> tuple[type[TimeOrderedIds], tuple[()]]:
        """Sent to another process, it is a generator of that process's own."""
        return TimeOrderedIds, ()

    def new(self, prefix: str) -> str:
        with self._lock:
            milliseconds = time.time_ns() // 1_000_000
            if milliseconds > self._milliseconds:
                # The top bit stays free, so that counting upwards within the millisecond never overflows.
                self._milliseconds, self._entropy = milliseconds, secrets.randbits(_ENTROPY_BITS - 1)
            else:
                self._entropy += 1 + secrets.randbits(32)
            return compose_id(prefix, self._milliseconds, self._entropy)

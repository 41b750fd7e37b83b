"""Ends what does not end by itself and lets nobody else have a turn, as no timeout of the event loop could."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_after(seconds: float = 60.0, *, of_cpu: bool = False) -> Iterator[None]:
    """Raises `TimeoutError` where the block still is then. Seconds of this process alone count `of_cpu`."""
    number, timer = (signal.SIGVTALRM, signal.ITIMER_VIRTUAL) if of_cpu else (signal.SIGALRM, signal.ITIMER_REAL)

    def end(_: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it does not end: {frame}")

    before = signal.signal(number, end)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)

"""An event loop that stands still answers nobody, and nobody restarts a process that lives.

So a thread looks at it. After 30 seconds the process says where it stands; in production, where somebody
restarts what ends, it ends as well. What was acknowledged is committed: nothing is lost by that.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from entrypoints.http.logs import hand_over

_LOOK_SECONDS: Final = 1.0
_LOOKS: Final = 30
_TELL_SECONDS: Final = 5.0
_EXIT_CODE: Final = 70  # EX_SOFTWARE of sysexits.h
_log = logging.getLogger(__name__)


def end_process() -> None:
    """At once: an orderly end would need the loop."""
    os._exit(_EXIT_CODE)


@contextmanager
def watched_for_standstill(
    then: Callable[[], None] | None = None, *, look_seconds: float = _LOOK_SECONDS, looks: int = _LOOKS
) -> Iterator[None]:
    """Tells once of each standstill of the running loop that lasts so many looks, and then does what is asked.

    Looks are counted, not seconds: a process that was stopped as a whole, or a machine that slept, has not stood still.
    """
    loop, serving = asyncio.get_running_loop(), threading.get_ident()
    over, turned = threading.Event(), threading.Event()

    def watch() -> None:
        turned.set()
        still = 0
        while not over.wait(look_seconds):
            still = 0 if turned.is_set() else still + 1
            if not still:
                turned.clear()
                loop.call_soon_threadsafe(turned.set)
            if still == looks:
                _tell(serving, still * look_seconds)
                if then is not None:
                    then()

    watching = threading.Thread(target=watch, name="standstill", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _tell(thread: int, seconds: float) -> None:
    """In a while at most: whoever stands still may hold what is needed to log."""
    telling = threading.Thread(target=_tell_where, args=(thread, seconds), daemon=True)
    telling.start()
    telling.join(_TELL_SECONDS)


def _tell_where(thread: int, seconds: float) -> None:
    frame = sys._current_frames().get(thread)
    trace = "".join(traceback.format_stack(frame)) if frame is not None else ""
    _log.critical("the event loop has stood still for %.0f s", seconds, extra={"fields": {"trace": trace}})
    hand_over()

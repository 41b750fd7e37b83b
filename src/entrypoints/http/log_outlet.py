"""Where log lines leave the process, without ever waiting for whoever reads them.

The reader of a pipe may stop, as a log collector does that has trouble of its own. Then the pipe fills, and who writes
to it waits: with the event loop that is everybody.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import stat
import threading
import time
from contextlib import suppress
from typing import Any, Final

_MOST_BYTES: Final = 1024 * 1024
_PIECE: Final = 4096
"""What a pipe takes at once when it takes anything: PIPE_BUF of Linux."""
_END_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.2
_DROPPED: Final = (
    b'{"level":"warning","logger":"entrypoints.http.log_outlet",'
    b'"message":"%d log lines were dropped: nobody took them"}\n'
)


class Outlet:
    """Writes whole lines as far as there is room for them; the rest goes when there is, in a fifth of a second at best.

    No more than `most` bytes are kept; of what is dropped a line tells how much it was. A stream that cannot be written
    to for another reason, as where its disk is full or its reader is gone, is treated the same.
    """

    def __init__(self, stream: Any, *, most: int = _MOST_BYTES) -> None:
        self._stream = stream
        self._most = most
        self._kept = bytearray()
        self._dropped = 0
        self._descriptor: int | None = None
        self._has_limits = False
        self._lock = threading.Lock()
        self._is_retrying = False
        with suppress(OSError, ValueError, AttributeError, io.UnsupportedOperation):
            stream.flush()
            self._descriptor = stream.fileno()
            self._has_limits = not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            atexit.register(self.end)

    def write(self, text: str | bytes) -> None:
        data = text.encode(errors="replace") if isinstance(text, str) else text
        if self._descriptor is None:
            self._stream.write(data.decode(errors="replace"))
            return
        with self._lock:
            if self._kept:
                self._pass_on(self._descriptor, 0.0)
            if self._kept and len(self._kept) + len(data) > self._most:
                self._dropped += data.count(b"\n")
            else:
                self._kept += data
                self._pass_on(self._descriptor, 0.0)
            if self._kept and not self._is_retrying:
                self._is_retrying = True
                threading.Thread(target=self._retry, args=(self._descriptor,), name="log lines", daemon=True).start()

    def flush(self) -> None:
        """What can be written has been."""

    def end(self) -> None:
        """The process ends: what is left has a second to be taken."""
        if self._descriptor is not None:
            with self._lock:
                self._pass_on(self._descriptor, _END_SECONDS)

    def _retry(self, descriptor: int) -> None:
        """Until nothing is left: the next line may be hours away."""
        while self._is_retrying:
            time.sleep(_RETRY_SECONDS)
            with self._lock:
                if not self._stream.closed:
                    self._pass_on(descriptor, 0.0)
                self._is_retrying = bool(self._kept) and not self._stream.closed

    def _pass_on(self, descriptor: int, seconds: float) -> None:
        until = time.monotonic() + seconds if seconds else 0.0
        with suppress(OSError):
            while self._kept and self._has_room(descriptor, until):
                del self._kept[: os.write(descriptor, self._next_piece())]
                if self._dropped and not self._kept:
                    self._kept += _DROPPED % self._dropped
                    self._dropped = 0

    def _next_piece(self) -> bytes | bytearray:
        """Whole lines if they fit: others may write to the same pipe."""
        if not self._has_limits or len(self._kept) <= _PIECE:
            return self._kept.copy()
        return self._kept[: self._kept.rfind(b"\n", 0, _PIECE) + 1 or _PIECE]

    def _has_room(self, descriptor: int, until: float) -> bool:
        if not self._has_limits:
            return True
        poller = select.poll()
        poller.register(descriptor, select.POLLOUT)
        return bool(poller.poll(max(0.0, until - time.monotonic()) * 1000 if until else 0))

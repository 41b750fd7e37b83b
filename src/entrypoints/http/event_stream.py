"""Answers that have no end of their own: server-sent events, and how the server ends them when it stops.

The event stream format of the HTML standard, section "Server-sent events".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final[Mapping[str, str]] = {
    "content-type": MEDIA_TYPE,
    "cache-control": "no-store",
    # Proxies that gather an answer before they pass it on would keep the news back.
    "x-accel-buffering": "no",
}
PING: Final = b": ping\n\n"
_STOP: Final = "ace.stop"


def event(name: str, number: int, data: bytes) -> bytes:
    """One event; `data` is JSON without line breaks."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), data)


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it connects again."""
    return b"retry: %d\n\n" % milliseconds


def stop_with_server(scope: Any, stop: Callable[[], None]) -> None:
    """When the server stops it calls this, and the answer ends."""
    scope[_STOP] = stop


def stopping(scope: Any) -> Callable[[], None] | None:
    """What ends the answer to this request; None of an answer that ends by itself."""
    found: Callable[[], None] | None = scope.get(_STOP)
    return found

"""How an answer is written to its connection: as uvicorn does, but what recurs is checked and spelt out once."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from entrypoints.http.exchange import Header

# Of these a server has few values, none of them secret.
_RECURRING: Final = frozenset(
    {
        b"access-control-allow-credentials",
        b"access-control-allow-origin",
        b"access-control-expose-headers",
        b"cache-control",
        b"content-security-policy",
        b"content-type",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"date",
        b"referrer-policy",
        b"strict-transport-security",
        b"vary",
        b"x-content-type-options",
    }
)
_REMEMBERED: Final = 256
# What says how the connection goes on, which is uvicorn's to decide.
_FRAMING: Final = frozenset({b"connection", b"transfer-encoding"})


class _Done:
    """What is awaited where nothing has to be waited for."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield from ()


_DONE: Final = _Done()


class ResponseCycle(RequestResponseCycle):
    """One request and its answer on a connection.

    Answers of a known length are the usual ones, and written here: the head waits for the body and goes out with it.
    """

    _head: bytes | None = None

    def send(self, message: Any) -> Awaitable[None]:  # type: ignore[override]
        head, self._head = self._head, None
        if head is not None:
            if self._ends_here(message):
                self._finish(head + message.get("body", b""))
                return _DONE
            if not self.disconnected:
                self.transport.write(head)
        elif not (self.response_started or self.disconnected or self.flow.write_paused):
            with suppress(RuntimeError, ValueError):  # uvicorn refuses what cannot be written
                self._head = self._plain_head(message)
            if self._head is not None:
                self.response_started = True
                self.waiting_for_100_continue = False
                return _DONE
        return super().send(message)

    def _ends_here(self, message: Any) -> bool:
        """Whether this is the whole body, and can be written now."""
        return (
            message["type"] == "http.response.body"
            and not message.get("more_body", False)
            and len(message.get("body", b"")) == self.expected_content_length
            and not (self.disconnected or self.flow.write_paused)
        )

    def _finish(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.expected_content_length = 0
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _plain_head(self, message: Any) -> bytes | None:
        """The head of an answer with a length and a body after which the connection stays open; None of any other."""
        if message["type"] != "http.response.start" or not self.keep_alive or self.scope["method"] == "HEAD":
            return None
        lines, length = [STATUS_LINE[message["status"]]], None
        for header in (*self.default_headers, *message.get("headers", ())):
            name = header[0]
            if name in _RECURRING:
                lines.append(_recurring_line(header))
                continue
            name = name.lower()
            if name in _FRAMING:
                return None
            if name == b"content-length":
                if length is not None:
                    return None
                length = int(header[1])
            lines.append(_line(header))
        if length is None:
            return None
        self.expected_content_length = length
        self.chunked_encoding = False
        lines.append(b"\r\n")
        return b"".join(lines)


def _line(header: Header) -> bytes:
    """Raises where a name or a value would end its line, as uvicorn does."""
    name, value = header
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if not value.isalnum() and HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"%b: %b\r\n" % (name.lower(), value)


_recurring_line = lru_cache(_REMEMBERED)(_line)

"""The process that serves: uvicorn on uvloop, with a deadline and a size limit on request headers.

uvicorn waits for ever for the rest of a request head and answers a malformed request in plain text; `Protocol` mends
both.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import resource
import secrets
import signal
import socket
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.supervisors import Multiprocess

from domain.errors import DomainError
from entrypoints.http.event_stream import stopping
from entrypoints.http.problems import problem_of, status_of
from entrypoints.http.refusals import HeadersTooLarge, MalformedRequest, RequestTimeout
from entrypoints.response_cycle import ResponseCycle
from entrypoints.settings import Settings

HEADER_DEADLINE_SECONDS = 10
HEADER_LIMIT_BYTES = 64 * 1024
KEEP_ALIVE_SECONDS = 75
STREAM_PATIENCE_SECONDS = 30
UNREAD_SECONDS = 60
_ACCEPTED_AT_ONCE = 128
# Nothing to make another connection of: no file descriptor, or no memory.
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ROOM_SECONDS = 0.5
_REFUSAL_HEAD = (
    b"content-type: application/problem+json\r\nx-request-id: %b\r\ncontent-length: %d\r\n"
    b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
)
_PUNCTUATION = len(": \r\n")
SHUTDOWN_SECONDS = 10
BACKLOG = 4096
APPLICATION = "entrypoints.http.main:application"
_log = logging.getLogger(__name__)


class CannotServe(Exception):
    """The server cannot start; the text tells the operator why."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 in which a client has ten seconds and 64 KiB for the head of a request.

    An answer without an end of its own ends when the server stops, and when its reader takes nothing for half a minute.
    Timers cost more than all the rest, so a request has none: the deadline of a head is set when the head has not come
    in one piece, and one timer of a connection notices that it has rested for too long. Only the head of a next request
    ends a rest: what is left of a body that nobody waits for does not.
    """

    app: Any
    parser: Any
    _deadline: asyncio.TimerHandle | None = None
    _patience: asyncio.TimerHandle | None = None
    _in_head: bool = True
    _head_bytes: int = 0
    _unparsed_bytes: int = 0
    _resting_since: float | None = None
    # The request that is being answered: the latest, or one before it while that one waits for its turn.
    _answering: RequestResponseCycle | None = None
    _unread: int = 0
    _unread_of: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._end_patience()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if (stop := self._stream_end()) is None:
            return
        stop()
        if self.flow.write_paused:
            # Its reader has not taken what was sent before, and would be waited for.
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stream_end() is not None and self._patience is None:
            self._patience = self.loop.call_later(STREAM_PATIENCE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._end_patience()
        self._unread = 0
        super().resume_writing()

    def end_if_unread(self) -> None:
        """Called now and then: ends a connection on which nothing of the same answer was taken since the last time.

        Closing it would wait for its reader, for ever. An answer that is still written counts while it waits for room.
        """
        ends = self.cycle is None or self.cycle.response_complete or self.flow.write_paused
        unread = self._untaken_bytes() if ends else 0
        if 0 < self._unread <= unread and self._unread_of is self.cycle:
            self.transport.abort()
        self._unread, self._unread_of = unread, self.cycle if unread else None

    def _untaken_bytes(self) -> int:
        """Ours, and where there are any those of the kernel: it takes nothing more until a third of its own is gone."""
        waiting = self.transport.get_write_buffer_size()
        if waiting:
            with suppress(OSError, ValueError, AttributeError):
                queue = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
                waiting += int.from_bytes(queue, sys.byteorder)
        return waiting

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._resting_since = None
        self._stop_deadline()
        self._in_head = True
        self._head_bytes = self._unparsed_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if self._head_bytes > HEADER_LIMIT_BYTES:
            self._refuse_large_head()
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + _PUNCTUATION
        if self._head_bytes > HEADER_LIMIT_BYTES:
            self._refuse_large_head()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._resting_since = None  # an answer that ended since this head began has set it
        self._stop_deadline()
        self._complete_scope()
        earlier, self.cycle = self.cycle, self._new_cycle()
        if earlier is None or earlier.response_complete:
            self._answering = self.cycle
            self._start_asgi_task(self.cycle, self.app)
        else:
            # One request after the other.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def data_received(self, data: bytes) -> None:
        in_body = self.cycle is not None and self.cycle.more_body
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._wait_for_head(0 if in_body else len(data))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._answering, app = self.pipeline.pop()
            self._start_asgi_task(self._answering, app)
            return
        self._resting_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after_rest(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._resting_since is None:
            return
        left = self._resting_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after_rest(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """What has come may be no request; a request says so itself."""

    def _look_after_rest(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _wait_for_head(self, size: int) -> None:
        """There is only the beginning of a head. One endless line is no header yet, so it is counted as it comes in."""
        self._unparsed_bytes += size
        if self._unparsed_bytes > HEADER_LIMIT_BYTES:
            self._refuse_head()
        elif self._deadline is None:
            self._start_deadline()

    def _complete_scope(self) -> None:
        scope, url = self.scope, httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = self.parser.get_http_version()
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""

    def _new_cycle(self) -> ResponseCycle:
        return ResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self.scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def send_400_response(self, msg: str) -> None:
        self._refuse(MalformedRequest(msg))

    def _stream_end(self) -> Callable[[], None] | None:
        """What ends the answer that is being sent, if it is one without an end of its own."""
        cycle = self._answering
        return None if cycle is None or cycle.response_complete else stopping(cycle.scope)

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEADER_DEADLINE_SECONDS, self._head_too_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse_large_head(self) -> None:
        """Raising ends the parsing of this connection; what was answered stays answered."""
        self._refuse_head()
        raise httptools.HttpParserError("head too large")

    def _refuse_head(self) -> None:
        self._refuse(HeadersTooLarge())

    def _head_too_late(self) -> None:
        self._refuse(RequestTimeout("The request headers did not arrive within 10 seconds"))

    def _refuse(self, refusal: DomainError) -> None:
        """Answers with a problem document and closes; there is no request yet that a handler could answer."""
        self._stop_deadline()
        if self.transport.is_closing():
            return
        request_id = secrets.token_hex(16)
        body = msgspec.json.encode(problem_of(refusal, request_id))
        head = _REFUSAL_HEAD % (request_id.encode(), len(body))
        self.transport.write(STATUS_LINE[status_of(refusal)] + head + body)
        self.transport.close()


class _Server(uvicorn.Server):
    """Says when it is ready, and returns when it was told to stop, so that its caller can clean up."""

    def __init__(self, config: Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._accepting: set[asyncio.Task[object]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        if self.should_exit:
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.handle_exit, signal.SIGHUP, None)
        for listening in sockets or []:
            listening.setblocking(False)
            loop.add_reader(listening, self._accept, listening)
        loop.call_later(UNREAD_SECONDS, self._end_unread)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or []:
            asyncio.get_running_loop().remove_reader(listening)
        await super().shutdown(sockets)

    def _accept(self, listening: socket.socket) -> None:
        """Takes in everybody who waits; uvloop would take one per turn of the loop, and a crowd would starve."""
        loop = asyncio.get_running_loop()
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, _address = listening.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._wait_for_room(listening, error)
                return
            connection.setblocking(False)
            accepting = loop.create_task(loop.connect_accepted_socket(self._protocol, connection))
            self._accepting.add(accepting)
            accepting.add_done_callback(self._accepting.discard)

    def _wait_for_room(self, listening: socket.socket, error: OSError) -> None:
        """Whoever waits is still there then; the loop would turn for nothing else until there is room."""
        _log.warning("no connection can be accepted: %s", error)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        loop.call_later(_ROOM_SECONDS, self._accept_again, listening)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:  # else the server was stopped meanwhile
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _end_unread(self) -> None:
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.end_if_unread()
        asyncio.get_running_loop().call_later(UNREAD_SECONDS, self._end_unread)

    def _protocol(self) -> Protocol:
        return Protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # Otherwise the signal would be raised once more after the shutdown.
        self._captured_signals.clear()


class _Fleet(Multiprocess):
    """Several server processes; a closed terminal ends them as Ctrl-C does, where uvicorn would restart them."""

    def handle_hup(self) -> None:
        self.handle_int()


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises `CannotServe`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        message = f"{settings.host}:{settings.port} {reason}; choose another port, for example make run PORT=8123"
        raise CannotServe(message) from error


def _open_as_many_files_as_we_may() -> None:
    """Each connection is an open file, and shells allow 1,024; a process may raise that up to its hard limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems name a hard limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(settings: Settings, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM; requests that are being answered then have ten seconds to finish."""
    _open_as_many_files_as_we_may()
    config = Config(
        APPLICATION,
        factory=True,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        workers=settings.workers,
    )
    if settings.workers == 1:
        server = _Server(config, on_ready)
        server.run(sockets=[listening])
        if not server.started:
            raise CannotServe("The application could not start; the log says why")
        return
    on_ready()
    _Fleet(config, sockets=[listening]).run()

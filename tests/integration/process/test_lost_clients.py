"""Clients that go, stop reading or never end what they began keep nothing of the server."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from entrypoints import server
from entrypoints.http.event_stream import stop_with_server
from entrypoints.server import Protocol

_REST: Final = 1.0
_GET: Final = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
_MANY: Final = 20 * 1024 * 1024
_PART: Final = 100_000
_LOOKED_AFTER: Final = 2 * 1024 * 1024
_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]


class _Site:
    """One server in this process, and whatever connections it has."""

    def __init__(self, state: ServerState, address: tuple[str, int]) -> None:
        self.state = state
        self.address = address

    @property
    def protocols(self) -> list[Protocol]:
        return [each for each in self.state.connections if isinstance(each, Protocol)]

    async def until_gone(self) -> None:
        async with asyncio.timeout(30):
            while self.state.connections or self.state.tasks:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def _client(address: Any, room: int = 65_536) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which no more than that waits to be read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.connect(address)
    reader, writer = await asyncio.open_connection(sock=client, limit=room)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def _serving(application: Any) -> AsyncIterator[_Site]:
    config = Config(application, http=Protocol, lifespan="off", log_config=None, access_log=False)
    config.timeout_keep_alive = _REST  # type: ignore[assignment]
    config.load()
    state = ServerState()
    listening = await asyncio.get_running_loop().create_server(
        lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield _Site(state, listening.sockets[0].getsockname())
    finally:
        listening.close()
        for each in tuple(state.connections):
            each.transport.abort()


async def _at_once(_: Any, __: _Receive, send: _Send) -> None:
    """Answers without a look at the body."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


async def test_the_rest_of_a_body_that_nobody_waits_for_is_no_use_of_a_connection() -> None:
    async with _serving(_at_once) as site, _client(site.address) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n")
        await reader.readuntil(b"no")
        began = asyncio.get_running_loop().time()
        writer.write(b"{")
        assert await asyncio.wait_for(reader.read(), 30) == b""
        assert asyncio.get_running_loop().time() - began > _REST * 0.9


async def test_blank_lines_between_requests_are_no_use_of_a_connection() -> None:
    async with _serving(_at_once) as site, _client(site.address) as (reader, writer):
        writer.write(_GET)
        await reader.readuntil(b"no")
        writer.write(b"\r\n")
        assert await asyncio.wait_for(reader.read(), 30) == b""


class _Endless:
    """The first answer has no end of its own; others have."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.stopped = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        self.asked += 1
        if self.asked > 1:
            await _at_once(scope, receive, send)
            return
        stop_with_server(scope, self.stopped.set)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(self._gone(receive))
        while not (gone.done() or self.stopped.is_set()):
            await send({"type": "http.response.body", "body": b"news", "more_body": True})
            await asyncio.sleep(0.01)
        gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _gone(self, receive: _Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.told.set()


@pytest.mark.parametrize("behind", [0, 1, 3])
async def test_an_endless_answer_is_told_that_its_reader_has_gone_whatever_was_asked_for_behind_it(behind: int) -> None:
    application = _Endless()
    async with _serving(application) as site, _client(site.address) as (reader, writer):
        writer.write(_GET * (1 + behind))
        await reader.readuntil(b"news")
        writer.transport.abort()
        await asyncio.wait_for(application.told.wait(), 30)
        await site.until_gone()


@pytest.mark.parametrize("behind", [0, 1, 3])
async def test_an_endless_answer_ends_with_the_server_whatever_was_asked_for_behind_it(behind: int) -> None:
    application = _Endless()
    async with _serving(application) as site, _client(site.address) as (reader, writer):
        writer.write(_GET * (1 + behind))
        await reader.readuntil(b"news")
        for each in site.protocols:
            each.shutdown()
        assert application.stopped.is_set()
        rest = await asyncio.wait_for(reader.read(), 30)
        assert rest.count(b"HTTP/1.1 401 ") == behind
        writer.close()
        await site.until_gone()


async def test_nothing_is_kept_of_what_was_answered_one_after_the_other() -> None:
    async with _serving(_at_once) as site, _client(site.address) as (reader, writer):
        writer.write(_GET * 5)
        for _ in range(5):
            await reader.readuntil(b"no")
        assert [each._answering is each.cycle for each in site.protocols] == [True]


class _Large:
    """More than a connection takes at once."""

    async def __call__(self, _: Any, __: _Receive, send: _Send) -> None:
        length = (b"content-length", str(_MANY).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": b"x" * _MANY})


class _InParts:
    """As much in parts, each of which is made when the one before has found room."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(_MANY // _PART + 1):
            await send({"type": "http.response.body", "body": b"x" * _PART, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("close", [b"", b"connection: close\r\n"])
@pytest.mark.parametrize("application", [_Large(), _InParts()])
async def test_an_answer_that_nobody_takes_is_given_up(application: Any, close: bytes) -> None:
    async with _serving(application) as site, _client(site.address, room=4096) as (_, writer):
        writer.write(_GET[:-2] + close + b"\r\n")
        await asyncio.sleep(_REST * 1.5)  # by then it has been closed in order, which waits for the reader
        (protocol,) = site.protocols
        protocol.end_if_unread()
        assert site.protocols
        protocol.end_if_unread()
        await site.until_gone()


@pytest.mark.parametrize("application", [_Large(), _InParts()])
async def test_a_reader_who_takes_little_at_a_time_gets_everything(application: Any) -> None:
    async with _serving(application) as site, _client(site.address) as (reader, writer):
        writer.write(_GET[:-2] + b"connection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        taken = 0
        while part := await reader.read(1024 * 1024):
            before, taken = taken, taken + len(part)
            if taken // _LOOKED_AFTER > before // _LOOKED_AFTER:
                for each in site.protocols:
                    each.end_if_unread()
        assert taken >= _MANY


async def test_a_reader_of_whom_only_the_kernel_knows_is_one() -> None:
    """It takes nothing more from us before much of its own is gone; until then our part stays as it is."""
    async with _serving(_Large()) as site, _client(site.address) as (reader, writer):
        writer.write(_GET)
        await reader.readuntil(b"\r\n\r\n")
        (protocol,) = site.protocols
        await _until_unchanged(protocol._untaken_bytes)
        ours = protocol.transport.get_write_buffer_size()
        protocol.end_if_unread()
        taken = 0
        while taken < 600_000:
            taken += len(await reader.read(50_000))
        await _until_unchanged(protocol._untaken_bytes)
        assert protocol.transport.get_write_buffer_size() == ours
        protocol.end_if_unread()
        assert not protocol.transport.is_closing()


async def _until_unchanged(figure: Callable[[], int]) -> None:
    before = -1
    while (now := figure()) != before:
        before = now
        await asyncio.sleep(0.2)


async def test_each_answer_has_its_own_time_to_be_taken() -> None:
    async with _serving(_at_once) as site, _client(site.address) as (reader, writer):
        writer.write(_GET)
        await reader.readuntil(b"no")
        (protocol,) = site.protocols
        protocol.end_if_unread()
        protocol.end_if_unread()
        writer.write(_GET)
        await reader.readuntil(b"no")
        protocol._unread, protocol._unread_of = 1, None  # of an answer before
        protocol.transport.get_write_buffer_size = lambda: 2  # type: ignore[method-assign]
        protocol.end_if_unread()
        assert site.protocols == [protocol]


class _Full(socket.socket):
    """A listening socket where nothing is left to make a connection of, until there is."""

    attempts = 0
    is_full = True

    def accept(self) -> tuple[socket.socket, Any]:
        self.attempts += 1
        if self.is_full:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


@asynccontextmanager
async def _real(application: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Full]:
    """The server itself on such a socket."""
    monkeypatch.setattr(server, "UNREAD_SECONDS", 0.2)
    listening = _Full(fileno=socket.create_server(("127.0.0.1", 0)).detach())
    config = Config(application, http=Protocol, lifespan="off", log_config=None, access_log=False, loop="asyncio")
    ready = asyncio.Event()
    serving = server._Server(config, ready.set)
    task = asyncio.create_task(serving.serve(sockets=[listening]))
    await ready.wait()
    try:
        yield listening
    finally:
        serving.should_exit = True
        await asyncio.wait_for(task, 30)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


async def test_where_nothing_is_left_for_a_connection_the_loop_does_not_spin(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with _real(_at_once, monkeypatch) as listening, _client(listening.getsockname()) as (reader, writer):
        writer.write(_GET)
        await asyncio.sleep(1.2)
        assert 1 <= listening.attempts <= 4
        assert (server.__name__, logging.WARNING) in {(name, level) for name, level, _ in caplog.record_tuples}
        listening.is_full = False
        assert (await asyncio.wait_for(reader.readuntil(b"no"), 30)).startswith(b"HTTP/1.1 401 ")


async def test_a_server_that_is_stopped_while_nothing_is_left_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _real(_at_once, monkeypatch) as listening, _client(listening.getsockname()):
        while not listening.attempts:
            await asyncio.sleep(0.01)
    attempts = listening.attempts
    await asyncio.sleep(server._ROOM_SECONDS * 1.5)
    assert listening.attempts == attempts


async def test_the_server_looks_for_answers_that_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _real(_Large(), monkeypatch) as listening:
        listening.is_full = False
        async with _client(listening.getsockname(), room=4096) as (reader, writer):
            writer.write(_GET)
            await asyncio.sleep(2.0)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(_MANY), 30)

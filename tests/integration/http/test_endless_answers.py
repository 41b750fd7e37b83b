"""Over a real socket: answers without an end of their own, a server that stops, and readers that take nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from litestar import get
from litestar.response import Stream

from entrypoints import server as serving
from entrypoints.http.event_stream import HEADERS, PING, event, retry, stop_with_server
from entrypoints.http.requests import ApiRequest
from entrypoints.server import Protocol
from tests.support.http import StubArea, build_app

_MUCH = b"x" * 1_000_000
# How long a server waits for answers that end, and what comes long before.
_PATIENT = 60
_LONG_BEFORE = 30


@dataclass
class Endless:
    """What a handler streams for ever, until it is stopped."""

    piece: bytes
    is_stopped: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            while not self.is_stopped.is_set():
                yield self.piece
                await asyncio.sleep(0.01)
        finally:
            self.is_over.set()


@asynccontextmanager
async def reading(endless: Endless) -> AsyncIterator[tuple[uvicorn.Server, asyncio.Task[None], asyncio.StreamReader]]:
    """A server that streams, and somebody who has asked for it."""

    @get("/endless", opt={"callers": ()})
    async def stream(request: ApiRequest) -> Stream:
        stop_with_server(request.scope, endless.is_stopped.set)
        return Stream(endless.pieces(), headers=dict(HEADERS))

    app = build_app(StubArea([stream]))
    config = uvicorn.Config(app, port=0, log_config=None, http=Protocol, ws="none", timeout_graceful_shutdown=_PATIENT)
    server = uvicorn.Server(config)
    serve = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET /endless HTTP/1.1\r\nHost: ace.test\r\n\r\n")
    try:
        yield server, serve, reader
    finally:
        writer.close()
        server.should_exit = True
        await serve


async def test_an_answer_ends_in_order_when_the_server_stops() -> None:
    endless = Endless(PING)
    async with reading(endless) as (server, serve, reader):
        await reader.readuntil(PING)
        began = time.monotonic()
        server.should_exit = True
        rest = b""
        while part := await reader.read(1024):
            rest += part
        await serve
    assert rest.endswith(b"0\r\n\r\n")
    assert time.monotonic() - began < _LONG_BEFORE
    assert endless.is_over.is_set()


async def test_a_reader_who_takes_nothing_does_not_hold_the_server_up() -> None:
    endless = Endless(_MUCH)
    async with reading(endless) as (server, serve, _):
        await asyncio.sleep(0.5)
        assert not endless.is_over.is_set()
        began = time.monotonic()
        server.should_exit = True
        await serve
    assert time.monotonic() - began < _LONG_BEFORE


async def test_a_reader_who_takes_nothing_for_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    long = serving.STREAM_PATIENCE_SECONDS
    monkeypatch.setattr(serving, "STREAM_PATIENCE_SECONDS", 0.3)
    endless = Endless(_MUCH)
    async with reading(endless):
        await asyncio.wait_for(endless.is_over.wait(), long - 10)


async def test_a_reader_who_reads_slowly_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "STREAM_PATIENCE_SECONDS", 0.3)
    endless = Endless(PING)
    async with reading(endless) as (_, _, reader):
        for _ in range(8):
            await reader.read(1024)
            await asyncio.sleep(0.1)
        assert not endless.is_over.is_set()


def test_events_are_written_as_browsers_read_them() -> None:
    assert event("snapshot", 7, b'{"a":1}') == b'id: 7\nevent: snapshot\ndata: {"a":1}\n\n'
    assert retry(2_000) == b"retry: 2000\n\n"
    assert PING == b": ping\n\n"

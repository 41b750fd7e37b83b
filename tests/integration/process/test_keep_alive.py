"""A connection that rests is closed, one that is used is not, and no request brings a timer of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from entrypoints.server import HEADER_LIMIT_BYTES, Protocol
from tests.support.timed_loop import TimedLoop

_REST = 1
_REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class _Answers:
    """Reads the body and says hello, when it may."""

    def __init__(self) -> None:
        self.begun, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def __call__(
        self, _: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        self.begun.set()
        while (await receive()).get("more_body"):
            pass
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})


class _Site:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loop: TimedLoop, served: list[Protocol]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.loop = loop
        self._served = served

    @property
    def is_closing(self) -> bool:
        return bool(self._served[0].transport.is_closing())

    async def ask(self, request: bytes = _REQUEST) -> bytes:
        self.writer.write(request)
        return await asyncio.wait_for(self.reader.readuntil(b"hello"), 60)


@asynccontextmanager
async def _connected(application: _Answers) -> AsyncIterator[_Site]:
    config = Config(application, http=Protocol, lifespan="off", log_config=None, access_log=False)
    config.timeout_keep_alive = _REST
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    timed, served = TimedLoop(loop), list[Protocol]()

    def serve() -> Protocol:
        served.append(Protocol(config=config, server_state=state, app_state={}, _loop=timed))  # type: ignore[arg-type]
        return served[-1]

    listening = await loop.create_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    try:
        yield _Site(reader, writer, timed, served)
    finally:
        writer.close()
        listening.close()
        await listening.wait_closed()


async def _until_closed(site: _Site) -> float:
    """Seconds that pass meanwhile, and not three times the rest."""
    began = site.loop.time()
    while not site.is_closing and site.loop.time() - began < _REST * 3:
        site.loop.advance(_REST / 100)
    assert site.is_closing
    assert await asyncio.wait_for(site.reader.read(), 60) == b""
    return site.loop.time() - began


async def test_a_connection_that_rests_is_closed_after_its_time() -> None:
    async with _connected(_Answers()) as site:
        await site.ask()
        assert _REST * 0.9 < await _until_closed(site) < _REST * 1.1


async def test_each_request_begins_the_rest_anew() -> None:
    async with _connected(_Answers()) as site:
        for _ in range(5):
            await site.ask()
            site.loop.advance(_REST * 0.7)
        await site.ask()
        assert _REST * 0.9 < await _until_closed(site) < _REST * 1.1


@pytest.mark.parametrize("times", [1.5, 3])
async def test_a_connection_that_waits_for_its_answer_does_not_rest(times: float) -> None:
    application = _Answers()
    async with _connected(application) as site:
        await site.ask()
        application.begun.clear()
        application.may_answer.clear()
        asking = asyncio.create_task(site.ask())
        await application.begun.wait()
        site.loop.advance(_REST * times)
        application.may_answer.set()
        assert (await asking).startswith(b"HTTP/1.1 200 ")
        assert _REST * 0.9 < await _until_closed(site) < _REST * 1.1


async def test_a_head_that_began_before_the_answer_ahead_of_it_ended_is_no_rest() -> None:
    application = _Answers()
    async with _connected(application) as site:
        application.may_answer.clear()
        application.begun.clear()
        site.writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" + b"GET / HTTP/1.1\r\nhost")
        await application.begun.wait()
        application.may_answer.set()
        await site.reader.readuntil(b"hello")
        application.may_answer.clear()
        application.begun.clear()
        site.writer.write(b": a\r\n\r\n")
        await application.begun.wait()
        site.loop.advance(_REST * 2)
        assert not site.is_closing
        application.may_answer.set()
        assert await asyncio.wait_for(site.reader.readuntil(b"hello"), 60)


async def test_a_body_that_comes_slowly_is_no_rest() -> None:
    application = _Answers()
    async with _connected(application) as site:
        await site.ask()
        application.begun.clear()
        site.writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{")
        await application.begun.wait()
        site.loop.advance(_REST * 1.5)
        assert (await site.ask(b"}")).startswith(b"HTTP/1.1 200 ")


async def test_requests_that_come_in_one_piece_bring_no_timers() -> None:
    async with _connected(_Answers()) as site:
        await site.ask()
        first = site.loop.timers
        for _ in range(20):
            await site.ask()
        assert site.loop.timers == first


async def test_a_crowd_of_requests_in_one_packet_is_answered_in_order_and_then_rests() -> None:
    async with _connected(_Answers()) as site:
        site.writer.write(_REQUEST * 4)
        for _ in range(4):
            assert (await asyncio.wait_for(site.reader.readuntil(b"hello"), 60)).startswith(b"HTTP/1.1 200 ")
        assert _REST * 0.9 < await _until_closed(site) < _REST * 1.1


async def test_headers_behind_a_body_are_counted_as_those_in_front_of_it() -> None:
    async with _connected(_Answers()) as site:
        site.writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
        line = b"x-more: " + b"a" * 1_000 + b"\r\n"
        site.writer.write(line * (HEADER_LIMIT_BYTES // len(line) + 2))
        answer = await asyncio.wait_for(site.reader.read(), 60)
        assert answer.startswith(b"HTTP/1.1 431 ")

"""A client that dribbles its request head is answered and let go; time is the test's here, the rest is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from entrypoints.server import HEADER_DEADLINE_SECONDS, KEEP_ALIVE_SECONDS, Protocol
from tests.support.timed_loop import TimedLoop


class _Served(Protocol):
    """Tells how much has come in."""

    received = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.received += len(data)


class _Client:
    """One connection, and the time of the server at its other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loop: TimedLoop) -> None:
        self.reader = reader
        self.loop = loop
        self.served: list[_Served] = []
        self._writer = writer
        self._written = 0

    @property
    def is_let_go(self) -> bool:
        return bool(self.served[0].transport.is_closing())

    async def write(self, text: bytes) -> None:
        """Returns when the server has taken it in."""
        self._writer.write(text)
        self._written += len(text)
        async with asyncio.timeout(60):
            while not self.served or self.served[0].received < self._written:
                await asyncio.sleep(0)

    async def answer(self) -> bytes:
        """What has come from a server that closes."""
        assert self.is_let_go
        return await asyncio.wait_for(self.reader.read(), 60)


async def _application(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Reads the whole body, says hello."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def _connected() -> AsyncIterator[_Client]:
    config = Config(_application, http=Protocol, lifespan="off", log_config=None, access_log=False)
    config.timeout_keep_alive = KEEP_ALIVE_SECONDS
    config.load()
    state, loop, served = ServerState(), TimedLoop(asyncio.get_running_loop()), list[_Served]()

    def serve() -> Protocol:
        served.append(_Served(config=config, server_state=state, app_state={}, _loop=loop))  # type: ignore[arg-type]
        return served[-1]

    listening = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    client = _Client(reader, writer, loop)
    client.served = served
    try:
        yield client
    finally:
        writer.close()
        listening.close()
        await listening.wait_closed()


def _assert_too_late(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "request.timeout"


@pytest.mark.parametrize(
    "beginning", [b"", b"G", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow:"], ids=["nothing", "a letter", "half a head"]
)
async def test_a_head_that_does_not_come_is_not_waited_for(beginning: bytes) -> None:
    async with _connected() as client:
        await client.write(beginning)
        client.loop.advance(HEADER_DEADLINE_SECONDS - 1)
        assert not client.is_let_go
        client.loop.advance(1)
        _assert_too_late(await client.answer())


async def test_dribbling_does_not_extend_the_deadline() -> None:
    """One byte now and then would keep a connection for ever if each byte began a new wait."""
    async with _connected() as client:
        await client.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")
        for _ in range(9):
            await client.write(b"a")
            client.loop.advance(HEADER_DEADLINE_SECONDS / 10)
        assert not client.is_let_go
        client.loop.advance(HEADER_DEADLINE_SECONDS / 10 + 0.001)
        _assert_too_late(await client.answer())


async def test_a_body_may_take_longer_than_the_head() -> None:
    async with _connected() as client:
        await client.write(b"POST / HTTP/1.1\r\nhost: a\r\n")
        await client.write(b"content-length: 2\r\n\r\n")
        client.loop.advance(HEADER_DEADLINE_SECONDS * 1.5)
        await client.write(b"{}")
        assert (await client.reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_may_rest_between_requests() -> None:
    async with _connected() as client:
        for _ in range(2):
            await client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await client.reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
            client.loop.advance(HEADER_DEADLINE_SECONDS * 1.5)


async def test_the_next_head_on_a_connection_has_a_deadline_too() -> None:
    async with _connected() as client:
        await client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await client.reader.readuntil(b"hello")
        await client.write(b"GET / HTTP/1.1\r\nhost")
        client.loop.advance(HEADER_DEADLINE_SECONDS)
        _assert_too_late(await client.answer())

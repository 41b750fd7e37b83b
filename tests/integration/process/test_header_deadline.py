"""A client that dribbles its request head is answered and let go; the deadline is shortened here, the rest is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from entrypoints import server
from entrypoints.server import Protocol

_DEADLINE = 0.2


async def _application(
    scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Reads the whole body, says hello."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = Config(_application, http=Protocol, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        listening.close()
        await listening.wait_closed()


@pytest.fixture(autouse=True)
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_DEADLINE_SECONDS", _DEADLINE)


async def _until_the_end(reader: asyncio.StreamReader) -> bytes:
    """What comes. Who still writes to a connection that was closed may find it reset after the answer."""
    parts: list[bytes] = []
    with suppress(ConnectionError):
        while part := await reader.read(4096):
            parts.append(part)
    return b"".join(parts)


def _assert_too_late(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "request.timeout"


@pytest.mark.parametrize(
    "beginning", [b"", b"G", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow:"], ids=["nothing", "a letter", "half a head"]
)
async def test_a_head_that_does_not_come_is_not_waited_for(beginning: bytes) -> None:
    async with _connected() as (reader, writer):
        writer.write(beginning)
        _assert_too_late(await asyncio.wait_for(reader.read(), 5))


async def test_dribbling_does_not_extend_the_deadline() -> None:
    """One byte now and then would keep a connection for ever if each byte began a new wait."""
    async with _connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")
        answer = asyncio.ensure_future(_until_the_end(reader))
        began = asyncio.get_running_loop().time()
        while not answer.done() and asyncio.get_running_loop().time() - began < 5:
            writer.write(b"a")
            await asyncio.wait([answer], timeout=_DEADLINE / 10)
        _assert_too_late(await answer)
        assert asyncio.get_running_loop().time() - began < 5


async def test_a_body_may_take_longer_than_the_head() -> None:
    async with _connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n")
        await asyncio.sleep(_DEADLINE * 1.5)
        writer.write(b"{}")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_may_rest_between_requests() -> None:
    async with _connected() as (reader, writer):
        for pause in (_DEADLINE * 1.5, 0):
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(pause)


async def test_the_next_head_on_a_connection_has_a_deadline_too() -> None:
    async with _connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await reader.readuntil(b"hello")
        writer.write(b"GET / HTTP/1.1\r\nhost")
        _assert_too_late(await asyncio.wait_for(reader.read(), 5))

"""Over a real socket: what only the server and the edge together can get wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import uvicorn

from entrypoints.server import Protocol
from tests.support.http import build_app
from tests.support.sample_area import sample_area


class Conversation:
    """One connection, spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, method: str, path: str, body: bytes = b"", *headers: str) -> tuple[int, dict[str, str], bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: ace.test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self.read(with_body=method != "HEAD")

    async def read(self, *, with_body: bool) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        length = int(headers.get("content-length", 0)) if with_body else 0
        return int(head[0].split()[1]), headers, await self.reader.readexactly(length)


@pytest.fixture
async def conversation() -> AsyncIterator[Conversation]:
    config = uvicorn.Config(
        build_app(sample_area()), port=0, log_config=None, http=Protocol, ws="none", lifespan="on", proxy_headers=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Conversation(reader, writer)
    writer.close()
    server.should_exit = True
    await serving


async def test_after_a_head_the_connection_serves_the_next_request(conversation: Conversation) -> None:
    for path in ("/healthz", "/items", "/stream", "/nothing"):
        status, headers, _ = await conversation.ask("HEAD", path)
        assert status == (404 if path == "/nothing" else 200)
        assert "x-request-id" in headers
    status, _, body = await conversation.ask("GET", "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


async def test_a_body_that_is_announced_too_large_is_refused_unread_and_the_connection_closed(
    conversation: Conversation,
) -> None:
    conversation.writer.write(
        b"POST /items HTTP/1.1\r\nHost: ace.test\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{"
    )
    status, headers, body = await conversation.read(with_body=True)
    assert (status, json.loads(body)["code"]) == (413, "request.too_large")
    assert headers["connection"] == "close"
    assert await conversation.reader.read() == b""


@pytest.mark.parametrize(
    ("path", "status"),
    [("/items/a%2Fb", 404), ("/items/%00", 404), ("/items/%ff", 404), ("//healthz//", 404), ("/items/a/../b", 404)],
)
async def test_odd_addresses_are_met_as_they_come_over_the_wire(
    conversation: Conversation, path: str, status: int
) -> None:
    assert (await conversation.ask("GET", path))[0] == status


async def test_two_requests_in_one_packet_are_answered_in_order(conversation: Conversation) -> None:
    request = b"GET /%s HTTP/1.1\r\nHost: ace.test\r\nX-Request-Id: %s\r\n\r\n"
    conversation.writer.write(request % (b"healthz", b"first") + request % (b"nothing", b"second"))
    answers = [await conversation.read(with_body=True) for _ in range(2)]
    assert [(status, headers["x-request-id"]) for status, headers, _ in answers] == [(200, "first"), (404, "second")]

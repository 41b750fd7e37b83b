"""A reader of server-sent events: it asks the application for a stream, takes what comes, and hangs up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from litestar.types import HTTPScope

from entrypoints.http.app import Application


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; a comment has the name `:`, and what is for the browser alone the name of its field."""

    name: str
    id: str = ""
    data: Any = None


@dataclass
class EventStream:
    """An answer that goes on. `waiting` is what has come and was not looked at."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    is_over: bool = False
    scope: HTTPScope | None = None
    waiting: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)
    _text: bytes = b""

    async def take(self, seconds: float = 30.0) -> Event:
        """The next event; comments and what is for the browser alone are passed over."""
        async with asyncio.timeout(seconds):
            while (event := await self.take_any()).name in (":", "retry"):
                pass
        return event

    async def take_any(self) -> Event:
        async with asyncio.timeout(30.0):
            event = await self.waiting.get()
        assert event is not None, "the stream is over"
        return event

    async def until(self, wanted: Callable[[Any], bool], seconds: float = 30.0) -> Any:
        """The data of the next event that `wanted` is true of."""
        async with asyncio.timeout(seconds):
            while not wanted(data := (await self.take(seconds)).data):
                pass
            return data

    async def end(self, seconds: float) -> None:
        """Waits until the stream is over."""
        async with asyncio.timeout(seconds):
            while await self.waiting.get() is not None:
                pass

    def add(self, body: bytes) -> None:
        *parts, self._text = (self._text + body).split(b"\n\n")
        for part in parts:
            self.waiting.put_nowait(_event(part.decode()))


@asynccontextmanager
async def listening(
    app: Application, path: str, token: str, query: str = "", *, patience: asyncio.Event | None = None
) -> AsyncIterator[EventStream]:
    """A stream, for as long as the block lasts. While `patience` is not set, its reader takes nothing."""
    stream, hung_up = EventStream(), asyncio.Event()

    async def receive() -> Any:
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            stream.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if patience is not None:
            await patience.wait()
        stream.add(message["body"])
        if not message.get("more_body"):
            hung_up.set()  # as servers do once the answer is complete

    async def answer() -> None:
        stream.scope = scope = _scope(path, query, token)
        try:
            await app(scope, receive, send)
        finally:
            stream.is_over = True
            stream.waiting.put_nowait(None)

    answering = asyncio.create_task(answer())
    try:
        yield stream
    finally:
        hung_up.set()
        if patience is not None:
            patience.set()
        await asyncio.wait_for(answering, 30)


def _scope(path: str, query: str, token: str) -> Any:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"ace.test"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("ace.test", 80),
        "state": {},
    }


def _event(text: str) -> Event:
    if text.startswith(":"):
        return Event(":")
    fields = dict(line.split(": ", 1) for line in text.split("\n"))
    if "event" not in fields:
        return Event(next(iter(fields)))
    return Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))

"""The process that asks: keep-alive connections, each sending its next request when the last one is answered.

It reads one `Load` from its standard input and writes one `Outcome`. It parses no more of an answer than its status and
its length, so that it is never what is measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import cast

import msgspec
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_ABANDON_SECONDS = 30.0


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Each request carries a value of the answer before it: what stands between `before` and `after` there."""

    request: bytes
    placeholder: bytes
    before: bytes
    after: bytes

    def next_request(self, answer: bytes) -> bytes:
        value = answer.partition(self.before)[2].partition(self.after)[0]
        return self.request.replace(self.placeholder, value)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: a stream of whole requests for each connection, until they are sent or the time is over."""

    host: str
    port: int
    seconds: float
    streams: list[list[bytes]]
    repeat: bool = False
    chain: Chain | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: seconds of each answered request, and the answers that were no 2xx."""

    seconds: float
    latencies: list[float]
    refused: int
    first_refusal: bytes


class _Run:
    """What the connections of a run share."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.latencies: list[float] = []
        self.refused = 0
        self.first_refusal = b""
        self.over = time.perf_counter() + load.seconds
        self.open = len(load.streams)
        self.done = asyncio.get_running_loop().create_future()

    def leave(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way."""

    def __init__(self, run: _Run, stream: list[bytes]) -> None:
        self._run = run
        self._stream = stream
        self._sent = 0
        self._started = 0.0
        self._received = b""
        self._awaited = 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it
        self._send(self._stream[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.leave()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._awaited == 0:
            self._awaited = _whole_length(self._received)
        if self._awaited and len(self._received) >= self._awaited:
            self._answered(self._received)

    def _send(self, request: bytes) -> None:
        assert self._transport is not None
        self._received, self._awaited = b"", 0
        self._started = time.perf_counter()
        self._transport.write(request)

    def _answered(self, answer: bytes) -> None:
        now, run = time.perf_counter(), self._run
        run.latencies.append(now - self._started)
        if answer[9:10] != b"2":
            run.refused += 1
            run.first_refusal = run.first_refusal or answer
        self._sent += 1
        request = None if now >= run.over else self._next(answer)
        if request is not None:
            self._send(request)
        elif self._transport is not None:
            self._transport.close()

    def _next(self, answer: bytes) -> bytes | None:
        load = self._run.load
        if load.chain is not None:
            return load.chain.next_request(answer)
        if load.repeat:
            return self._stream[self._sent % len(self._stream)]
        return self._stream[self._sent] if self._sent < len(self._stream) else None


async def run(load: Load) -> Outcome:
    """Sends the load; a server that answers no more ends it all the same."""
    loop, state = asyncio.get_running_loop(), _Run(load)
    started = time.perf_counter()
    for stream in load.streams:
        await loop.create_connection(partial(_Connection, state, stream), load.host, load.port)
    await asyncio.wait([state.done], timeout=load.seconds + _ABANDON_SECONDS)
    return Outcome(
        seconds=time.perf_counter() - started,
        latencies=state.latencies,
        refused=state.refused,
        first_refusal=state.first_refusal,
    )


def _whole_length(received: bytes) -> int:
    """The length of the answer with its head, 0 while the head is not complete."""
    end = received.find(_HEAD_END)
    if end < 0:
        return 0
    start = received.find(_LENGTH, 0, end)
    length = 0 if start < 0 else int(received[start + len(_LENGTH) : received.index(b"\r", start)])
    return end + len(_HEAD_END) + length


if __name__ == "__main__":
    wanted = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(run(wanted))))
    sys.stdout.buffer.flush()

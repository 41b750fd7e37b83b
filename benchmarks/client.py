"""The process that asks: keep-alive connections, each sending its next request when the last one is answered.

It reads a `Load` from its standard input and then, for each round it is told of, goes on where it stopped and writes an
`Outcome`. It parses no more of an answer than its status and its length, so that it is never what is measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import cast

import msgspec
import uvloop

from benchmarks.answers import whole_length

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
    """What to send: a stream of whole requests for each connection, over and over with `repeat`."""

    host: str
    port: int
    streams: list[list[bytes]]
    repeat: bool = False
    chain: Chain | None = None


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Send for some seconds, or until everything is sent."""

    seconds: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a round: seconds of each request that was granted, the answers that were no 2xx, connections lost.

    `client_seconds` is the CPU that the client itself took.
    """

    seconds: float
    client_seconds: float
    latencies: list[float]
    refused: int
    lost: int
    first_refusal: bytes


class _Run:
    """What the connections share; made anew for each round."""

    def __init__(self, load: Load, seconds: float) -> None:
        self.load = load
        self.latencies: list[float] = []
        self.refused = 0
        self.lost = 0
        self.first_refusal = b""
        self.started = time.perf_counter()
        self.over = self.started + seconds
        self.active = 0
        self.done = asyncio.get_running_loop().create_future()

    def leave(self) -> None:
        self.active -= 1
        if self.active == 0 and not self.done.done():
            self.done.set_result(None)

    def refuse(self, answer: bytes) -> None:
        self.refused += 1
        self.first_refusal = self.first_refusal or answer


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, stream: list[bytes]) -> None:
        self._stream = stream
        self._run: _Run | None = None
        self._sent = 0
        self._started = 0.0
        self._answer = b""
        self._received = b""
        self._awaited = 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._run is not None:
            self._run.lost += 1
            self._leave(self._run)

    def take_part(self, run: _Run) -> None:
        """Goes on with the first request that was not sent yet, if any is left."""
        request = self._next(run.load)
        if request is None or self._transport is None:
            run.lost += self._transport is None
            return
        self._run = run
        run.active += 1
        self._send(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._awaited == 0:
            self._awaited = whole_length(self._received)
        if self._awaited and len(self._received) >= self._awaited and self._run is not None:
            self._answered(self._run, self._received)

    def _send(self, request: bytes) -> None:
        assert self._transport is not None
        self._received, self._awaited = b"", 0
        self._sent += 1
        self._started = time.perf_counter()
        self._transport.write(request)

    def _answered(self, run: _Run, answer: bytes) -> None:
        now = time.perf_counter()
        if answer[9:10] == b"2":
            run.latencies.append(now - self._started)
        else:
            run.refuse(answer)
        self._answer = answer
        request = None if now >= run.over else self._next(run.load)
        if request is None:
            self._leave(run)
        else:
            self._send(request)

    def _leave(self, run: _Run) -> None:
        self._run = None
        run.leave()

    def _next(self, load: Load) -> bytes | None:
        if load.chain is not None and self._answer:
            return load.chain.next_request(self._answer)
        if load.repeat:
            return self._stream[self._sent % len(self._stream)]
        return self._stream[self._sent] if self._sent < len(self._stream) else None


async def _connect(load: Load) -> list[_Connection]:
    loop, connections = asyncio.get_running_loop(), []
    for stream in load.streams:
        _, connection = await loop.create_connection(partial(_Connection, stream), load.host, load.port)
        connections.append(connection)
    return connections


async def _run(load: Load, connections: list[_Connection], seconds: float) -> Outcome:
    """One round; a server that answers no more ends it all the same."""
    run, used = _Run(load, seconds), time.process_time()
    for connection in connections:
        connection.take_part(run)
    if run.active:
        await asyncio.wait([run.done], timeout=seconds + _ABANDON_SECONDS)
    return Outcome(
        seconds=time.perf_counter() - run.started,
        client_seconds=time.process_time() - used,
        latencies=run.latencies,
        refused=run.refused,
        lost=run.lost,
        first_refusal=run.first_refusal,
    )


async def main() -> None:
    """Rounds until the standard input ends. Nothing is under way between them, so that reading it may block."""
    load = msgspec.msgpack.decode(_read_message(), type=Load)
    connections = await _connect(load)
    while message := _read_message():
        wanted = msgspec.msgpack.decode(message, type=Round)
        answer = msgspec.msgpack.encode(await _run(load, connections, wanted.seconds))
        sys.stdout.buffer.write(len(answer).to_bytes(4) + answer)
        sys.stdout.buffer.flush()


def _read_message() -> bytes:
    length = int.from_bytes(sys.stdin.buffer.read(4))
    return sys.stdin.buffer.read(length)


if __name__ == "__main__":
    uvloop.run(main())

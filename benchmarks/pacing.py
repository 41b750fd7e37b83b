"""The process that asks at a fixed rate, whatever the answers take: candidates do not wait for each other.

The requests have a plan: the n-th is due n / rate seconds after the start, on the n-th connection in turn. Its time is
counted from then on, also where an earlier answer was still awaited on that connection: when a server stops a second,
every request tells of it that was due meanwhile, not only those that could be sent.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import deque
from functools import partial
from typing import cast

import msgspec
import uvloop

from benchmarks.answers import whole_length

_TICK_SECONDS = 0.001
_CONNECTING_AT_ONCE = 100


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """For each connection a head with everything but the body, and bodies of one length that all take in turn.

    `patience` is how long answers are waited for after the last request was due.
    """

    host: str
    port: int
    rate: float
    seconds: float
    heads: list[bytes]
    bodies: list[bytes]
    patience: float = 10.0


class PacedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from when each answered request was due; `unanswered` were due and got no answer in time.

    `late` is by how many seconds the client itself sent a request too late at most, `client_seconds` its CPU.
    """

    due: int
    latencies: list[float]
    refused: int
    lost: int
    unanswered: int
    first_refusal: bytes
    seconds: float
    late: float
    client_seconds: float

    @property
    def accepted(self) -> int:
        return len(self.latencies) - self.refused


class _Plan:
    """What is due when, and what came of it."""

    def __init__(self, paced: Paced) -> None:
        self.paced = paced
        self.total = round(paced.rate * paced.seconds)
        self.latencies: list[float] = []
        self.refused = 0
        self.lost = 0
        self.first_refusal = b""
        self.sent = 0
        self.late = 0.0
        self.last_answer = 0.0

    def body(self) -> bytes:
        self.sent += 1
        return self.paced.bodies[self.sent // len(self.paced.heads) % len(self.paced.bodies)]


class _Candidate(asyncio.Protocol):
    """A keep-alive connection: what is due while an answer is awaited is sent after it."""

    def __init__(self, plan: _Plan, head: bytes) -> None:
        self._plan = plan
        self._head = head
        self._waiting: deque[float] = deque()
        self._due = 0.0
        self._busy = False
        self._received = b""
        self._awaited = 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._plan.lost += 1

    def ask(self, due: float) -> None:
        if self._busy:
            self._waiting.append(due)
        elif self._transport is not None:
            self._busy, self._due = True, due
            self._transport.write(self._head + self._plan.body())

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._awaited == 0:
            self._awaited = whole_length(self._received)
        if self._awaited and len(self._received) >= self._awaited:
            self._answered()

    def _answered(self) -> None:
        plan, answer = self._plan, self._received
        plan.last_answer = time.perf_counter()
        plan.latencies.append(plan.last_answer - self._due)
        if answer[9:10] != b"2":
            plan.refused += 1
            plan.first_refusal = plan.first_refusal or answer
        self._received, self._awaited, self._busy = b"", 0, False
        if self._waiting:
            self.ask(self._waiting.popleft())


async def _connect(plan: _Plan) -> list[_Candidate]:
    """Some at once, so that thousands do not overrun the server's backlog."""
    loop, paced, candidates = asyncio.get_running_loop(), plan.paced, []
    for start in range(0, len(paced.heads), _CONNECTING_AT_ONCE):
        heads = paced.heads[start : start + _CONNECTING_AT_ONCE]
        made = await asyncio.gather(
            *(loop.create_connection(partial(_Candidate, plan, head), paced.host, paced.port) for head in heads)
        )
        candidates += [candidate for _, candidate in made]
    return candidates


async def _run(plan: _Plan, candidates: list[_Candidate]) -> PacedOutcome:
    """All that is due, and then a while for the answers that are still missing."""
    used, started = time.process_time(), time.perf_counter()
    asked, interval, count = 0, 1 / plan.paced.rate, len(candidates)
    while asked < plan.total:
        now = time.perf_counter()
        due = min(plan.total, int((now - started) / interval) + 1)
        if due > asked:
            plan.late = max(plan.late, now - started - asked * interval)
        for number in range(asked, due):
            candidates[number % count].ask(started + number * interval)
        asked = due
        await asyncio.sleep(_TICK_SECONDS)
    patience = time.perf_counter() + plan.paced.patience
    while len(plan.latencies) < plan.total and time.perf_counter() < patience:  # noqa: ASYNC110 - no cost while it runs
        await asyncio.sleep(_TICK_SECONDS)
    return PacedOutcome(
        due=plan.total,
        latencies=plan.latencies,
        refused=plan.refused,
        lost=plan.lost,
        unanswered=plan.total - len(plan.latencies),
        first_refusal=plan.first_refusal,
        seconds=max(plan.last_answer - started, interval),
        late=plan.late,
        client_seconds=time.process_time() - used,
    )


async def main() -> None:
    """Connects, tells how many connections there are, waits for the word to start, and tells what came of it."""
    paced = msgspec.msgpack.decode(_read_message(), type=Paced)
    plan = _Plan(paced)
    candidates = await _connect(plan)
    _write_message(len(candidates))
    gc.collect()
    gc.freeze()
    gc.disable()  # it would stop the clock that is read here
    _read_message()
    _write_message(await _run(plan, candidates))


def _read_message() -> bytes:
    length = int.from_bytes(sys.stdin.buffer.read(4))
    return sys.stdin.buffer.read(length)


def _write_message(message: object) -> None:
    text = msgspec.msgpack.encode(message)
    sys.stdout.buffer.write(len(text).to_bytes(4) + text)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main())

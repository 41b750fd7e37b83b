"""Everybody hands in within one second, at the deadline."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from tests.exam_day.candidate import Candidate, ExamIsOver
from tests.exam_day.ledger import Ledger, Tally
from tests.exam_day.site import Site, clients_of, close_window, prepare_package, register
from tests.exam_day.together import together
from tests.exam_day.verdict import complaints, verified

_LATENCY = 60
_QUESTIONS = 15
_ANSWERED = 5
_FREE_SECONDS = 10.0
_PREPARING_SECONDS = 0.12
"""For starting and answering, each; whoever is not done by then has an error to show for it."""


@dataclass(slots=True)
class Stampede:
    """How long each had to wait for an answer, retries included, and what was wrong."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        waits = sorted(self.waits) or [math.nan]
        middle, late = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.99))]
        yield f"{len(waits)} submits within one second: p50 {middle:.2f} s, p99 {late:.2f} s, last {waits[-1]:.2f} s"
        yield "answers: " + ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        yield f"{len(self.complaints)} complaints" if self.complaints else "nothing was lost"
        yield from self.complaints[:30]


async def run(site: Site, candidates: int, say: Callable[[str], None] = print) -> Stampede:
    """Candidates answer some questions each, and hand in at an instant of their own within the last second."""
    found = Stampede()
    async with clients_of(site, candidates) as clients:
        package = await prepare_package(clients[0], seconds=3600, latency=_LATENCY, questions=_QUESTIONS)
        ledgers = await register(clients, package)
        say(f"{candidates} candidates are registered")
        closes_at = datetime.now(UTC) + timedelta(seconds=_FREE_SECONDS + candidates * _PREPARING_SECONDS)
        await close_window(clients[0], package, closes_at)
        tally = Tally()
        people = [_calm(clients[ledger.number], ledger, tally) for ledger in ledgers]
        turn = asyncio.Semaphore(32)
        await together(_prepare(each, package, turn) for each in people)
        left = (closes_at - datetime.now(UTC)).total_seconds() - 1
        say(f"all have answered, {left:.0f} s are left until the last second")
        await asyncio.sleep(left)
        await together(_hand_in(each, found) for each in people)
    found.complaints += [*tally.complaints, *complaints(site, ledgers, latency=_LATENCY), *verified(site)]
    return found


def _calm(client: httpx.AsyncClient, ledger: Ledger, tally: Tally) -> Candidate:
    chance = random.Random(ledger.number)
    return Candidate(client=client, ledger=ledger, tally=tally, chance=chance, pause_seconds=0)


async def _prepare(candidate: Candidate, package: str, turn: asyncio.Semaphore) -> None:
    async with turn:
        await candidate.start(package)
        try:
            for _ in range(_ANSWERED if candidate.ledger.session_id else 0):
                await candidate.answer()
        except ExamIsOver:
            candidate.tally.complain(f"{candidate.ledger.session_id}: it was over before its candidate had answered")


async def _hand_in(candidate: Candidate, found: Stampede) -> None:
    client, ledger = candidate.client, candidate.ledger
    await asyncio.sleep(candidate.chance.random())
    began, last = time.monotonic(), "no answer"
    for _ in range(60):
        try:
            answer = await client.post(f"/exam-sessions/{ledger.session_id}/submit", json={}, headers=ledger.headers)
        except httpx.HTTPError as error:
            last = type(error).__name__
            continue
        found.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            found.waits.append(time.monotonic() - began)
            candidate.handed_in(answer.json())
            return
        last = answer.text
        if answer.status_code != 503:
            break
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    found.complaints.append(f"{ledger.session_id}: its submit was not answered: {last[:200]}")

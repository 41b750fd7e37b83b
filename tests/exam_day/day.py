"""A whole exam day: candidates sit an exam while processes are killed, hand in or disappear, and are judged."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import psycopg

from tests.exam_day.candidate import ANSWER_WITHIN, Candidate
from tests.exam_day.ledger import Tally
from tests.exam_day.site import Site, clients_of, prepare_package, register
from tests.exam_day.together import together
from tests.exam_day.verdict import complaints, verified

LATENCY = 2
_QUESTIONS = 15
_BACK_SECONDS = 4.0
"""What a process that was killed may need to be back."""
_STARTED_AT_ONCE = 32
_START_SECONDS = 0.04
"""What a start and a submit of one of many take together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large the day is. Each round is so many seconds of work, with a fault in the middle of it.

    A share of the candidates disappears instead of handing in. `seed` makes their luck, not the machine's. Where the
    machine has more to do than this, an answer may take longer than the promised six seconds to get here.
    """

    candidates: int
    rounds: Sequence[str] = ("server", "database")
    round_seconds: float = 8.0
    pause_seconds: float = 0.8
    disappear: float = 0.3
    seed: int = 1
    answer_within: float = ANSWER_WITHIN


@dataclass(slots=True)
class Day:
    """What came of it; `complaints` must be empty."""

    tally: Tally = field(default_factory=Tally)
    complaints: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def told(self) -> Iterator[str]:
        yield "  ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        yield ", ".join(f"{name}: {count}" for name, count in sorted(self.tally.done.items()))
        yield f"slowest answer {self.tally.slowest_seconds:.2f} s ({self.tally.slowest})"
        yield f"{len(self.complaints)} complaints" if self.complaints else "nothing was lost"
        yield from self.complaints[:30]


async def hold(site: Site, plan: Plan, say: Callable[[str], None] = print) -> Day:
    """Hold an exam day on a site that is served."""
    day, began = Day(), time.monotonic()

    def done(part: str) -> None:
        nonlocal began
        day.seconds[part], began = time.monotonic() - began, time.monotonic()
        say(f"{part}: {day.seconds[part]:.1f} s")

    async with clients_of(site, plan.candidates) as clients:
        allowed = int(len(plan.rounds) * (plan.round_seconds + _BACK_SECONDS) + plan.candidates * _START_SECONDS)
        package = await prepare_package(clients[0], seconds=allowed, latency=LATENCY, questions=_QUESTIONS)
        ledgers = await register(clients, package)
        done("registered")
        candidates = [
            Candidate(
                client=clients[ledger.number],
                ledger=ledger,
                tally=day.tally,
                chance=random.Random(plan.seed * 100_000 + ledger.number),
                pause_seconds=plan.pause_seconds,
            )
            for ledger in ledgers
        ]
        turn = asyncio.Semaphore(_STARTED_AT_ONCE)
        await together(_start(each, package, turn) for each in candidates)
        done("started")
        await _under_fire(site, plan, candidates, say)
        done("sat")
        staying = candidates[int(len(candidates) * plan.disappear) :]
        await together(each.submit() for each in staying)
        done("handed in")
        await _let_time_pass(site, candidates)
        done("ended")
    day.complaints = [*day.tally.complaints, *complaints(site, ledgers, latency=LATENCY), *verified(site)]
    if day.tally.slowest_seconds > plan.answer_within:
        day.complaints.append(f"an answer took {day.tally.slowest_seconds:.1f} s")
    done("judged")
    return day


async def _start(candidate: Candidate, package: str, turn: asyncio.Semaphore) -> None:
    async with turn:
        await candidate.start(package)


async def _under_fire(site: Site, plan: Plan, candidates: Sequence[Candidate], say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as sitting:
        for each in candidates:
            sitting.create_task(each.sit(stop))
        for fault in plan.rounds:
            await asyncio.sleep(plan.round_seconds / 2)
            began = time.monotonic()
            if fault == "server":
                await _kill_server(site, candidates[0].tally)
            elif fault == "database":
                await asyncio.to_thread(site.kill_database)
            say(f"{began:.1f} {fault} killed, back after {time.monotonic() - began:.1f} s")
            await asyncio.sleep(plan.round_seconds / 2)
        stop.set()


async def _kill_server(site: Site, tally: Tally) -> None:
    tally.served_since = math.inf
    await asyncio.to_thread(site.kill_server)
    tally.served_since = time.monotonic()


async def _let_time_pass(site: Site, candidates: Sequence[Candidate]) -> None:
    """Those who disappeared are handed in by time: some when they look again, the others by the sweeper, at once."""
    wait = await asyncio.to_thread(_seconds_until_all_are_due, site)
    await asyncio.sleep(wait)
    looking = [each.look() for each in candidates if each.ledger.submitted is None and each.ledger.number % 2]
    async with asyncio.TaskGroup() as group:
        sweeping = group.create_task(asyncio.to_thread(site.ace.run, "exam", "sweep"))
        for each in looking:
            group.create_task(each)
    swept = sweeping.result()
    if swept.returncode != 0:
        candidates[0].tally.complain(f"ace exam sweep: {swept.stdout}{swept.stderr}")


def _seconds_until_all_are_due(site: Site) -> float:
    with psycopg.connect(site.ace.database_url) as connection:
        row = connection.execute(
            "select extract(epoch from max(due_at) - clock_timestamp()) from exam_sessions where sealed_at is null"
        ).fetchone()
    return 0.0 if row is None or row[0] is None else max(0.0, float(row[0])) + 0.2

"""Many candidates at once, each with a live exam and a connection of their own, and people who sign in meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles

import msgspec
import psycopg

from benchmarks import content, people
from benchmarks.client import Load
from benchmarks.content import SNAPSHOT_BYTES, snapshot
from benchmarks.driver import Driver, PacedDriver
from benchmarks.pacing import Paced, PacedOutcome
from benchmarks.people import STUDENTS, VISITORS, credentials_of
from benchmarks.requests import post, sign_in
from benchmarks.site import HOST, Site

# Three digits, so that all snapshots have one length.
_TURNS = range(100, 108)
_SETTLING_SECONDS = 2.0


def prepare_crowd(connection: psycopg.Connection, count: int) -> None:
    """Students `usr_crowd_<n>`, each signed in and in the middle of an exam."""
    people.add_people(connection, "crowd", count)
    people.add_sessions(connection, "crowd", count, people="crowd")
    content.add_exams(connection, "crowd", people="crowd", count=count)
    content.settle(connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What each candidate's page sends: a head of their own, and the next snapshot."""

    site: Site
    heads: Sequence[bytes]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, site: Site, count: int) -> Crowd:
        bodies = [b'{"snapshot":%s}' % snapshot(turn) for turn in _TURNS]
        assert {len(body) for body in bodies} == {SNAPSHOT_BYTES + len(b'{"snapshot":}')}
        heads = [
            post(f"/exam-sessions/exs_crowd_{number}/heartbeat", bodies[0], login.writing).removesuffix(bodies[0])
            for number, login in enumerate(people.signed_for(site, "crowd", count))
        ]
        return cls(site=site, heads=heads, bodies=bodies)

    def at_rate(self, rate: float, seconds: float) -> Paced:
        """As candidates do: each at its own time, whether others were answered or not."""
        return Paced(
            host=HOST,
            port=self.site.port,
            rate=rate,
            seconds=seconds,
            heads=list(self.heads),
            bodies=list(self.bodies),
        )

    def in_turn(self, connections: int) -> Load:
        """Each of some sends the next heartbeat when the last one is answered: as many as there can be."""
        streams = [[head + body for body in self.bodies] for head in self.heads[:connections]]
        return Load(host=HOST, port=self.site.port, streams=streams, repeat=True)


class PacedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What came of requests at a fixed rate; times are counted from when a request was due.

    Microseconds of CPU for each request; `late_ms` is the most that the client was late with one.
    """

    connections: int
    due: int
    answered: int
    refused: int
    lost: int
    per_second: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    server_us: float
    postgres_us: float
    client_us: float
    late_ms: float
    first_refusal: str = ""

    @property
    def errors(self) -> int:
        return self.due - self.answered + self.refused + self.lost


def storm(crowd: Crowd, rate: float, seconds: float) -> PacedFigures:
    """Heartbeats of the whole crowd at a rate, over as many connections, all of them open before the first one."""
    with PacedDriver(crowd.at_rate(rate, seconds)) as driver:
        connections = driver.wait_until_connected()
        server, postgres = crowd.site.server_seconds(), crowd.site.postgres_seconds()
        driver.start()
        outcome = driver.outcome()
        server, postgres = crowd.site.server_seconds() - server, crowd.site.postgres_seconds() - postgres
    return _figures(outcome, connections, server, postgres)


def _figures(outcome: PacedOutcome, connections: int, server: float, postgres: float) -> PacedFigures:
    count = max(1, len(outcome.latencies))
    percentiles = quantiles(outcome.latencies or [0.0, 0.0], n=100)
    return PacedFigures(
        connections=connections,
        due=outcome.due,
        answered=len(outcome.latencies),
        refused=outcome.refused,
        lost=outcome.lost,
        per_second=len(outcome.latencies) / outcome.seconds,
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
        worst_ms=max(outcome.latencies, default=0.0) * 1e3,
        server_us=server / count * 1e6,
        postgres_us=postgres / count * 1e6,
        client_us=outcome.client_seconds / count * 1e6,
        late_ms=outcome.late * 1e3,
        first_refusal=outcome.first_refusal.decode(errors="replace"),
    )


class CrowdFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Heartbeats on many connections, each in turn, while so many people sign in each second."""

    connections: int
    logins_per_second: float
    logins_refused: int
    refused: int
    per_second: float
    p50_ms: float
    p99_ms: float

    @property
    def stretch(self) -> float:
        """How many times the median the slowest hundredth takes."""
        return self.p99_ms / self.p50_ms


def measure_crowd(crowd: Crowd, connections: int, seconds: float, logins: float) -> CrowdFigures:
    """With `logins` above 0, people sign in at that rate from before until after."""
    with _signing_in(crowd.site, logins, seconds) as entering, Driver(crowd.in_turn(connections)) as driver:
        driver.run(_SETTLING_SECONDS)
        outcome = driver.run(seconds)
        signed_in = None if entering is None else entering.outcome()
    percentiles = quantiles(outcome.latencies, n=100)
    return CrowdFigures(
        connections=connections,
        refused=outcome.refused + outcome.lost,
        logins_per_second=0.0 if signed_in is None else signed_in.accepted / signed_in.seconds,
        logins_refused=0 if signed_in is None else signed_in.due - signed_in.accepted,
        per_second=len(outcome.latencies) / outcome.seconds,
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
    )


@contextmanager
def _signing_in(site: Site, rate: float, seconds: float) -> Iterator[PacedDriver | None]:
    if not rate:
        yield None
        return
    # Whole requests as heads: each visitor's has a length of its own.
    heads = [sign_in(credentials_of(STUDENTS + visitor)) for visitor in range(VISITORS)]
    paced = Paced(host=HOST, port=site.port, rate=rate, seconds=seconds + _SETTLING_SECONDS, heads=heads, bodies=[b""])
    with PacedDriver(paced) as driver:
        driver.wait_until_connected()
        driver.start()
        yield driver

"""One operation after the other, in rounds: the product under load, then pgbench with the same statements.

What else runs on the machine comes and goes; a figure is the median of its rounds, and the ratio that of their ratios.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median, quantiles

import msgspec
import psycopg

from benchmarks.client import Load, Outcome
from benchmarks.driver import Driver, accepted
from benchmarks.limit import Limit, measure_limit
from benchmarks.operations import Operation
from benchmarks.site import Site

_WARM_UP_SECONDS = 0.8


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table; microseconds are of CPU, for each request; `limit_us` of pgbench and PostgreSQL.

    `ratio` is the sum over the limit, `least` and `most` what it was in the best and the worst round.
    """

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    postgres_us: float
    client_us: float
    wal_bytes: float
    limit_us: float
    limit_per_second: float
    ratio: float
    least: float
    most: float
    rounds: int
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    outcome: Outcome
    server_us: float
    postgres_us: float
    wal_bytes: float
    limit: Limit

    @property
    def ratio(self) -> float:
        return (self.server_us + self.postgres_us) / self.limit.microseconds


def measure(site: Site, connection: psycopg.Connection, operation: Operation, *, brief: bool = False) -> Figures:
    """The figures of an operation; `brief` for one short round. Refuses to give any if a request was refused."""
    seconds, turns = (0.5, 1) if brief else (operation.seconds, operation.rounds)
    with Driver(operation.load) as driver:
        accepted(driver.run(min(_WARM_UP_SECONDS, seconds)), operation.name, but=operation.may_refuse)
        rounds = [_measured(site, connection, operation, driver, turn, seconds) for turn in range(turns)]
    latencies = [latency for each in rounds for latency in each.outcome.latencies]
    percentiles = quantiles(latencies, n=100)
    return Figures(
        name=operation.name,
        per_second=median(len(each.outcome.latencies) / each.outcome.seconds for each in rounds),
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
        server_us=median(each.server_us for each in rounds),
        postgres_us=median(each.postgres_us for each in rounds),
        client_us=median(each.outcome.client_seconds / len(each.outcome.latencies) * 1e6 for each in rounds),
        wal_bytes=median(each.wal_bytes for each in rounds),
        limit_us=median(each.limit.microseconds for each in rounds),
        limit_per_second=median(each.limit.per_second for each in rounds),
        ratio=median(each.ratio for each in rounds),
        least=min(each.ratio for each in rounds),
        most=max(each.ratio for each in rounds),
        rounds=len(rounds),
        goal=operation.goal,
    )


def _measured(
    site: Site, connection: psycopg.Connection, operation: Operation, driver: Driver, turn: int, seconds: float
) -> _Round:
    wal, server, postgres = _wal_position(connection), site.server_seconds(), site.postgres_seconds()
    outcome = accepted(driver.run(seconds), operation.name, but=operation.may_refuse)
    server, postgres = site.server_seconds() - server, site.postgres_seconds() - postgres
    wal, count = _wal_position(connection) - wal, len(outcome.latencies)
    return _Round(
        outcome=outcome,
        server_us=server / count * 1e6,
        postgres_us=postgres / count * 1e6,
        wal_bytes=wal / count,
        limit=measure_limit(site, operation.script(connection), seconds, turn),
    )


class FloodFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How long reads take while nobody signs in, and while everybody does."""

    readers: int
    quiet_p99_ms: float
    flooded_p99_ms: float
    signed_in_per_second: float
    told_to_wait_per_second: float


def measure_flood(readers: Load, flood: Load, seconds: float) -> FloodFigures:
    """Reads before and during a flood of sign-ins, which begins before the reads and ends after them."""
    with Driver(readers) as reading, Driver(flood) as entering, ThreadPoolExecutor(1) as aside:
        reading.run(seconds)
        before = reading.run(seconds)
        signing_in = aside.submit(entering.run, seconds + 2.0)
        time.sleep(1.0)
        during, outcome = reading.run(seconds), signing_in.result()
    return FloodFigures(
        readers=len(readers.streams),
        quiet_p99_ms=quantiles(before.latencies, n=100)[98] * 1e3,
        flooded_p99_ms=quantiles(during.latencies, n=100)[98] * 1e3,
        signed_in_per_second=len(outcome.latencies) / outcome.seconds,
        told_to_wait_per_second=outcome.refused / outcome.seconds,
    )


def _wal_position(connection: psycopg.Connection) -> int:
    row = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])

"""One operation after the other: the product under load, then pgbench with the same statements."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles

import msgspec
import psycopg

from benchmarks.client import Load, Outcome
from benchmarks.limit import Limit, measure_limit
from benchmarks.operations import Operation
from benchmarks.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One line of the table; microseconds are of CPU, for each request."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    postgres_us: float
    wal_bytes: float
    limit: Limit

    @property
    def ratio(self) -> float:
        """How many times the CPU that pgbench and PostgreSQL take for the same statements."""
        return (self.server_us + self.postgres_us) / self.limit.microseconds


def measure(site: Site, connection: psycopg.Connection, operation: Operation, seconds: float) -> Figures:
    """The figures of an operation. Refuses to give any if a request was refused."""
    _send(operation.warm_up)
    wal, server, postgres = _wal_position(connection), site.server_seconds(), site.postgres_seconds()
    outcome = _send(operation.load)
    server, postgres = site.server_seconds() - server, site.postgres_seconds() - postgres
    wal = _wal_position(connection) - wal
    if outcome.refused:
        answer = outcome.first_refusal.decode(errors="replace")
        raise RuntimeError(f"{operation.name}: {outcome.refused} requests were refused, the first with\n{answer}")
    count = len(outcome.latencies)
    percentiles = quantiles(outcome.latencies, n=100)
    return Figures(
        name=operation.name,
        per_second=count / outcome.seconds,
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
        server_us=server / count * 1e6,
        postgres_us=postgres / count * 1e6,
        wal_bytes=wal / count,
        limit=measure_limit(site, operation.script(connection), seconds),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodFigures:
    """How long reads take while nobody signs in, and while everybody does."""

    quiet_p99_ms: float
    flooded_p99_ms: float
    signed_in_per_second: float
    told_to_wait_per_second: float


def measure_flood(quiet: Load, flooded: Load, flood: Load) -> FloodFigures:
    """Reads before and during a flood of sign-ins, which begins before the reads and ends after them."""
    _send(quiet)
    before = _send(quiet)
    with ThreadPoolExecutor(1) as aside:
        signing_in = aside.submit(_send, flood)
        time.sleep((flood.seconds - flooded.seconds) / 2)
        during = _send(flooded)
        outcome = signing_in.result()
    return FloodFigures(
        quiet_p99_ms=quantiles(before.latencies, n=100)[98] * 1e3,
        flooded_p99_ms=quantiles(during.latencies, n=100)[98] * 1e3,
        signed_in_per_second=(len(outcome.latencies) - outcome.refused) / outcome.seconds,
        told_to_wait_per_second=outcome.refused / outcome.seconds,
    )


def _send(load: Load) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client"],
        input=msgspec.msgpack.encode(load),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


def _wal_position(connection: psycopg.Connection) -> int:
    row = connection.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])

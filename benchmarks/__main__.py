"""`python -m benchmarks [--quick]`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import click
import psycopg

from benchmarks import content
from benchmarks.importing import ImportFigures, measure_import
from benchmarks.limit import CLIENTS
from benchmarks.measuring import Figures, measure, measure_flood
from benchmarks.operations import Operation, Plan
from benchmarks.site import Site, running_site
from entrypoints.cli.support import stop_on_signals

_READERS = 8
_HEADER = f"{'':30}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'app':>7}{'PG':>6}{'sum':>7}{'limit':>8}{'ratio':>8}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done. `sessions` are answered by each side; `grown` more make the database large."""

    seconds: float
    sessions: int
    grown: int
    import_rows: int


_FULL = Size(seconds=3.0, sessions=1_600, grown=100_000, import_rows=20_000)
_QUICK = Size(seconds=0.5, sessions=400, grown=0, import_rows=2_000)


@click.command()
@click.option("--quick", is_flag=True, help="A glance in less than 20 seconds.")
def main(quick: bool) -> None:
    """Measure the main operations against the limit that PostgreSQL itself sets."""
    stop_on_signals()
    size = _QUICK if quick else _FULL
    with running_site() as site, psycopg.connect(site.urls.owner, autocommit=True) as connection:
        for line in _preamble(connection):
            click.echo(line)
        plan = _prepare(site, connection, size)
        for operation in plan.operations():
            _show(measure(site, connection, operation, size.seconds))
        click.echo(_flooded(plan, size))
        _begin_exams(connection)
        for operation in plan.exam_operations():
            _show(measure(site, connection, operation, size.seconds))
        content.forget_exams(connection)
        for operation in _grow(plan, connection, size):
            _show(measure(site, connection, operation, size.seconds))
        click.echo(f"\nMost memory of the server process: {site.server_memory_mib():.0f} MiB")
        click.echo(_told(measure_import(site, size.import_rows)))


def _prepare(site: Site, connection: psycopg.Connection, size: Size) -> Plan:
    content.prepare_people(connection)
    content.add_papers(connection, "one", count=content.STUDENTS, slots=1)
    content.add_papers(connection, "long", count=content.STUDENTS, slots=content.PAPER)
    for side in ("app", "limit"):
        content.add_papers(connection, side, count=size.sessions, slots=content.PAPER)
    content.settle(connection)
    return Plan(
        port=site.port,
        logins=content.sign_in(site),
        other_logins=content.sign_in(site, CLIENTS),
        seconds=size.seconds,
        sessions=size.sessions,
    )


def _begin_exams(connection: psycopg.Connection) -> None:
    for side in ("warm", "app", "limit"):
        content.add_exams(connection, side, slots=content.PAPER)
    content.settle(connection)


def _flooded(plan: Plan, size: Size) -> str:
    quiet = plan.calm_readers(_READERS, size.seconds)
    figures = measure_flood(quiet, quiet, plan.flood(size.seconds + 2.0))
    return (
        f"{_READERS} readers while {content.VISITORS} people sign in again and again: p99"
        f" {figures.quiet_p99_ms:.1f} ms before, {figures.flooded_p99_ms:.1f} ms meanwhile"
        f" ({figures.flooded_p99_ms / figures.quiet_p99_ms:.1f} times);"
        f" {figures.signed_in_per_second:.0f} sign-ins/s, {figures.told_to_wait_per_second:.0f}/s told to wait"
    )


def _grow(plan: Plan, connection: psycopg.Connection, size: Size) -> Iterator[Operation]:
    """What has been read before, once the database is large."""
    if size.grown:
        content.add_papers(connection, "grown", count=size.grown, slots=1)
        content.settle(connection)
        yield plan.read_paper(f"read, among {size.grown:,} sessions", "grown", size.grown)


def _preamble(connection: psycopg.Connection) -> Iterator[str]:
    row = connection.execute(
        "select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')"
    ).fetchone()
    assert row is not None
    version, fsync, commit = row
    yield f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {version}"
    yield f"Durable commits: fsync {fsync}, synchronous_commit {commit}"
    yield f"{content.STUDENTS} keep-alive connections from one client process, one server process, all on this machine."
    yield "app, PG, sum: microseconds of CPU per request, of the server process and of PostgreSQL."
    yield f"limit: the same for pgbench with the very same statements, prepared, on {CLIENTS} connections."
    yield "ratio: sum / limit. WAL B: bytes of write-ahead log per request."
    yield f"\n{_HEADER}{'WAL B':>8}{'pgbench/s':>11}"


def _show(figures: Figures) -> None:
    total = figures.server_us + figures.postgres_us
    click.echo(
        f"{figures.name:30}{figures.per_second:8,.0f}{figures.p50_ms:8.1f}{figures.p99_ms:8.1f}"
        f"{figures.server_us:7,.0f}{figures.postgres_us:6,.0f}{total:7,.0f}{figures.limit.microseconds:8,.0f}"
        f"{figures.ratio:8.1f}{figures.wal_bytes:8,.0f}{figures.limit.per_second:11,.0f}"
    )


def _told(figures: ImportFigures) -> str:
    rate = figures.rows / figures.seconds
    return (
        f"Import of {figures.rows:,} new questions, published: {figures.seconds:.1f} s, {rate:,.0f} rows/s,"
        f" at most {figures.peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()

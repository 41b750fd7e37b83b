"""`python -m benchmarks.storm`: the heartbeats of 100,000 candidates (one each in 15 s) on as many connections as fit.

Then 500 candidates who send one after the other as fast as they are answered, alone and while people sign in.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg

from benchmarks import bank, people
from benchmarks.content import QUESTIONS
from benchmarks.crowd import Crowd, PacedFigures, measure_crowd, prepare_crowd, storm
from benchmarks.report import Report, told_crowd, told_machine
from benchmarks.site import Site, running_site
from entrypoints.cli.support import stop_on_signals

_AT_ONCE = 500
_LOGINS = 20.0
_CROWD_SECONDS = 5.0
# Files that a process has open besides its connections.
_OTHER_FILES = 200


@click.command()
@click.option("--rate", default=6_667.0, show_default=True, help="Heartbeats a second.")
@click.option("--seconds", default=60.0, show_default=True, help="For how long.")
@click.option("--connections", default=5_000, show_default=True, help="Candidates, each with a connection.")
@click.option("--workers", default=None, help="Server processes (ACE_WORKERS); as many as by default unless told.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write every figure to this file.")
def main(rate: float, seconds: float, connections: int, workers: str | None, path: Path | None) -> None:
    """Send heartbeats at the rate of a hundred thousand candidates; fails if any is refused or lost."""
    stop_on_signals()
    _open_files(connections)
    settings = {} if workers is None else {"ACE_WORKERS": workers}
    with running_site(**settings) as site, psycopg.connect(site.urls.owner, autocommit=True) as connection:
        report = Report.of(connection, settings)
        click.echo("\n".join(told_machine(report)))
        crowd = _prepared(site, connection, connections)
        click.echo(f"\n{rate:,.0f} heartbeats/s for {seconds:.0f} s on {connections:,} connections …")
        report.storm = storm(crowd, rate, seconds)
        click.echo("\n".join(_told(report.storm)))
        for logins in (0.0, _LOGINS):
            report.crowds.append(measure_crowd(crowd, min(_AT_ONCE, connections), _CROWD_SECONDS, logins))
            click.echo(told_crowd(report.crowds[-1]))
        report.memory_mib = site.server_memory_mib()
        click.echo(f"Most memory of the server process: {report.memory_mib:.0f} MiB")
    report.write(path)
    if report.storm.errors:
        raise SystemExit(1)


def _prepared(site: Site, connection: psycopg.Connection, count: int) -> Crowd:
    bank.add_package(connection)
    bank.add_questions(connection, 1, QUESTIONS)
    people.prepare_people(connection)
    prepare_crowd(connection, max(count, _AT_ONCE))
    return Crowd.of(site, max(count, _AT_ONCE))


def _open_files(connections: int) -> None:
    """Server and client inherit it. Raises `UsageError` where the system does not allow so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise click.UsageError(
            f"{connections:,} connections need {wanted:,} open files, and the system allows {hard:,}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _told(figures: PacedFigures) -> Iterator[str]:
    total = figures.server_us + figures.postgres_us
    yield (
        f"due {figures.due:,}, answered {figures.answered:,}, refused {figures.refused:,}, connections lost"
        f" {figures.lost:,}: {figures.errors:,} errors; {figures.per_second:,.0f} answers/s"
    )
    yield (
        f"p50 {figures.p50_ms:.1f} ms, p99 {figures.p99_ms:.1f} ms, slowest {figures.worst_ms:.0f} ms,"
        " each counted from when it was due"
    )
    yield (
        f"CPU µs a heartbeat: server {figures.server_us:.0f}, PostgreSQL {figures.postgres_us:.0f}, together"
        f" {total:.0f}; client {figures.client_us:.0f}, which was late by {figures.late_ms:.0f} ms at most"
    )
    if figures.first_refusal:
        yield f"The first refusal:\n{figures.first_refusal}"


if __name__ == "__main__":
    main()

"""What a run found, as text for people and as JSON for comparisons."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from benchmarks.crowd import CrowdFigures, PacedFigures
from benchmarks.importing import ImportFigures
from benchmarks.limit import CLIENTS
from benchmarks.measuring import Figures, FloodFigures
from benchmarks.other_tool import OtherTool
from benchmarks.people import STUDENTS
from benchmarks.storage import HeartbeatStorage

HEADER = (
    f"{'':31}{'req/s':>7}{'p50 ms':>8}{'p99 ms':>8}{'app':>7}{'PG':>6}{'sum':>7}{'limit':>7}{'ratio':>7}"
    f"{'of the rounds':>15}{'goal':>6}{'WAL B':>7}{'pgbench/s':>11}{'client':>8}"
)
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_connections")
_ROOT = Path(__file__).parents[1]


class Report(msgspec.Struct, kw_only=True):
    """Of one run: of what, where, and every figure."""

    commit: str
    at: str
    machine: dict[str, str]
    postgres: dict[str, str]
    settings: dict[str, str]
    operations: list[Figures] = []
    crowds: list[CrowdFigures] = []
    storm: PacedFigures | None = None
    flood: FloodFigures | None = None
    heartbeat: HeartbeatStorage | None = None
    other_tool: OtherTool | None = None
    imported: ImportFigures | None = None
    memory_mib: float | None = None

    @classmethod
    def of(cls, connection: psycopg.Connection, settings: Mapping[str, str]) -> Report:
        """With no figures yet; `settings` are those of the server that differ from its defaults."""
        row = connection.execute(
            "select jsonb_object_agg(name, setting) from pg_settings where name = any(%s)", [list(_SETTINGS)]
        ).fetchone()
        assert row is not None
        return cls(
            commit=_commit(),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            machine={
                "cores": str(os.cpu_count()),
                "processor": _processor(),
                "system": f"{platform.system()} {platform.release()}",
                "python": platform.python_version(),
            },
            postgres=row[0],
            settings={"ACE_ENVIRONMENT": "production"} | dict(settings),
        )

    def write(self, path: Path | None) -> None:
        """To a file, if one is named."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")


def told_machine(report: Report) -> Iterator[str]:
    machine, postgres = report.machine, report.postgres
    yield f"{report.commit}, {report.at}"
    yield f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}, PostgreSQL " + ", ".join(
        f"{name.replace('server_version', '')} {postgres[name]}".strip() for name in _SETTINGS
    )
    told = ", ".join(f"{name}={value}" for name, value in report.settings.items())
    yield f"Server: {told}; clients, server and PostgreSQL on this machine"


def told_columns() -> Iterator[str]:
    yield f"{STUDENTS} keep-alive connections unless told otherwise. Medians of rounds; p50, p99 of all requests."
    yield "app, PG, sum: microseconds of CPU for each request, of the server and of PostgreSQL; client: of the driver."
    yield f"limit: the same of pgbench and PostgreSQL for the very same statements, prepared, on {CLIENTS} connections."
    yield "ratio: sum / limit, and its least and most of the rounds. WAL B: bytes of write-ahead log for each request."


def told(figures: Figures) -> str:
    """A line of the table."""
    total = figures.server_us + figures.postgres_us
    goal = "" if figures.goal is None else f"{figures.goal:.1f}"
    return (
        f"{figures.name:31}{figures.per_second:7,.0f}{figures.p50_ms:8.1f}{figures.p99_ms:8.1f}"
        f"{figures.server_us:7,.0f}{figures.postgres_us:6,.0f}{total:7,.0f}{figures.limit_us:7,.0f}"
        f"{figures.ratio:7.2f}{f'{figures.least:.2f}-{figures.most:.2f}':>15}{goal:>6}{figures.wal_bytes:7,.0f}"
        f"{figures.limit_per_second:11,.0f}{figures.client_us:8,.0f}"
    )


def told_crowd(figures: CrowdFigures) -> str:
    logins = figures.logins_per_second
    refused = f" ({figures.logins_refused} were told to wait)" if figures.logins_refused else ""
    meanwhile = f"while {logins:.0f} people/s sign in{refused}" if logins else "alone"
    return (
        f"Heartbeats on {figures.connections} connections {meanwhile}: {figures.per_second:,.0f}/s,"
        f" {figures.refused} refused, p50 {figures.p50_ms:.1f} ms, p99 {figures.p99_ms:.1f} ms"
        f" ({figures.stretch:.1f} times)"
    )


def told_flood(figures: FloodFigures, visitors: int) -> str:
    return (
        f"{figures.readers} readers while {visitors} people sign in again and again: p99"
        f" {figures.quiet_p99_ms:.1f} ms before, {figures.flooded_p99_ms:.1f} ms meanwhile"
        f" ({figures.flooded_p99_ms / figures.quiet_p99_ms:.1f} times);"
        f" {figures.signed_in_per_second:.0f} sign-ins/s, {figures.told_to_wait_per_second:.0f}/s told to wait"
    )


def told_storage(figures: HeartbeatStorage) -> str:
    return (
        f"A heartbeat writes {figures.records:.0f} records of {figures.bytes:.0f} bytes to the write-ahead log,"
        f" its commit apart; {figures.hot:.0%} of the updates touch no index"
    )


def told_other_tool(figures: OtherTool | None) -> str:
    if figures is None:
        return "wrk is not installed: nothing to compare our driver with"
    return (
        f"The same read by wrk: {figures.wrk_per_second:,.0f}/s, {figures.wrk_us:.0f} µs each; by our driver:"
        f" {figures.driver_per_second:,.0f}/s, {figures.driver_us:.0f} µs each"
    )


def told_import(figures: ImportFigures) -> str:
    rate = figures.rows / figures.seconds
    return (
        f"Import of {figures.rows:,} new questions, published: {figures.seconds:.1f} s, {rate:,.0f} rows/s,"
        f" at most {figures.peak_mib:.0f} MiB"
    )


def _commit() -> str:
    """Of this checkout, with a plus where it was changed since; unknown where there is none."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],  # noqa: S607 - whichever git there is
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    return text.partition("model name")[2].partition(":")[2].partition("\n")[0].strip() or platform.machine()

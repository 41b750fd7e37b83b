"""How fast `ace import questions` is, and how much memory it takes: `python -m benchmarks.importing [--rows N]`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec
import psycopg

from adapters.system.embedded_postgres import EmbeddedPostgres
from benchmarks.cpu import cpu_seconds, descendants, memory_of
from benchmarks.site import ACE, Site, environment, postmaster
from entrypoints.cli.support import stop_on_signals

_HEADER = ("question-id", "domain", "question-text", "option-a", "option-b", "option-c", "option-d")
_MORE = (
    "explanation-a",
    "explanation-b",
    "explanation-c",
    "explanation-d",
    "difficulty",
    "correct answer",
)
_SAMPLE_SECONDS = 0.25
_TOLD_SECONDS = 5.0
_MIB = 1024 * 1024


class ImportFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Of the whole command, its start included."""

    rows: int
    seconds: float
    peak_mib: float


@dataclass(slots=True)
class Watched:
    """What is seen of an import from outside, several times a second."""

    peaks: dict[int, float] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    most_at_once: float = 0.0
    backend_peak: float = 0.0
    progress: list[str] = field(default_factory=list)


def measure_import(site: Site, rows: int) -> ImportFigures:
    """Imports and publishes a file of new questions."""
    path = site.folder / "bench-questions.csv"
    _write(path, rows)
    started = time.perf_counter()
    process = site.command("import", "questions", str(path), "--publish", "--json")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the import ended with {process.returncode}")
    return ImportFigures(rows=rows, seconds=time.perf_counter() - started, peak_mib=usage.ru_maxrss / 1024)


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="How many questions the file has.")
def main(rows: int) -> None:
    """Import a large file into an embedded PostgreSQL twice: all new, then all known."""
    stop_on_signals()
    with TemporaryDirectory(prefix="ace-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        path = folder / "questions.csv"
        _write(path, rows)
        click.echo(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores")
        with EmbeddedPostgres(folder / "data" / "postgres") as urls:
            subprocess.run([ACE, "migrate"], env=environment(folder), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            for what in ("all new", "the same again"):
                _measure(what, folder, path, urls.owner, rows)


def _measure(what: str, folder: Path, path: Path, url: str, rows: int) -> None:
    server = postmaster(folder)
    before, started = cpu_seconds(server), time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        process = subprocess.Popen(  # noqa: S603 (our own program, arguments of our own)
            [ACE, "import", "questions", str(path), "--json"], env=environment(folder), stdout=subprocess.PIPE
        )
        watched, over = Watched(), threading.Event()
        watcher = threading.Thread(target=_watch, args=(watched, over, process.pid, server, connection, started))
        watcher.start()
        try:
            assert process.stdout is not None
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - started
        finally:
            over.set()
            watcher.join()
            if process.returncode is None:  # somebody has had enough of it
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"the import ended with {process.returncode}")
    report = json.loads(output)
    counts = ", ".join(f"{report[name]:,} {name}" for name in ("created", "updated", "unchanged", "rejected"))
    click.echo(f"\n{what}: {counts}")
    click.echo(f"  {seconds:.1f} s, {rows / seconds:,.0f} rows/s, the command's start included")
    own, theirs = usage.ru_utime + usage.ru_stime, cpu_seconds(server) - before
    click.echo(f"  CPU: {own / rows * 1e6:.0f} µs a row in ace, {theirs / rows * 1e6:.0f} in PostgreSQL")
    for pid, peak in watched.peaks.items():
        click.echo(f"  peak memory {peak:6.1f} MiB  {watched.names[pid]}")
    click.echo(f"  peak memory {watched.most_at_once:6.1f} MiB  all processes of the command at once")
    click.echo(f"  peak memory {watched.backend_peak:6.1f} MiB  its PostgreSQL session, without the shared buffers")
    for line in watched.progress:
        click.echo(f"  {line}")


def _watch(
    watched: Watched, over: threading.Event, pid: int, server: int, connection: psycopg.Connection, started: float
) -> None:
    told = 0.0
    while not over.wait(_SAMPLE_SECONDS):
        current = {process: memory_of(process) for process in (pid, *descendants(pid)) if process != server}
        for process, memory in current.items():
            if memory is not None:
                watched.peaks[process] = max(watched.peaks.get(process, 0.0), memory.peak)
                watched.names.setdefault(process, memory.name)
        now = sum(memory.resident for memory in current.values() if memory is not None)
        watched.most_at_once = max(watched.most_at_once, now)
        sessions = [memory_of(process) for process in descendants(server)]
        watched.backend_peak = max(watched.backend_peak, *(memory.private for memory in sessions if memory), 0.0)
        if time.perf_counter() - started - told >= _TOLD_SECONDS:
            told = time.perf_counter() - started
            row = connection.execute(
                "select records, bytes_read, bytes_total from question_imports where status = 'running'"
            ).fetchone()
            if row is not None and row[2]:
                records, read, total = row
                watched.progress.append(
                    f"after {told:5.1f} s: {records:9,} records, {read / total:4.0%} of the file read"
                )


def _write(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_HEADER, *_MORE))
        writer.writerows(_rows(rows))


def _rows(rows: int) -> Iterator[tuple[str, ...]]:
    """About 200 bytes each, as in the collections that schools bring along."""
    for number in range(rows):
        yield (
            f"bench-{number:07}",
            f"Topic {number % 12}",
            f"Question {number}: which statement describes the exhibit best?",
            f"Statement one of {number}",
            f"Statement two of {number}",
            "Statement six",
            "Statement ten",
            f"Right: fact {number}.",
            "",
            "",
            "",
            ("easy", "medium", "hard")[number % 3],
            "ABCD"[number % 4],
        )


if __name__ == "__main__":
    main()

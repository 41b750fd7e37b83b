"""`python -m benchmarks.compare BEFORE AFTER`: two runs side by side, from the files that `--json` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from benchmarks.measuring import Figures
from benchmarks.report import Report

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SAME_MACHINE = "these are of different machines: compare ratios only"


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
def main(before: Path, after: Path) -> None:
    """Tell what changed between two runs of the benchmark."""
    for line in compared(_read(before), _read(after)):
        click.echo(line)


def compared(before: Report, after: Report) -> Iterator[str]:
    """A line for each operation that both have, and for what surrounds them."""
    yield f"{before.commit} ({before.at}) → {after.commit} ({after.at})"
    if before.machine != after.machine or before.postgres != after.postgres:
        yield _SAME_MACHINE
    if before.settings != after.settings:
        yield f"settings {before.settings} → {after.settings}"
    yield f"\n{'':31}{'µs of CPU':>17}{'':>8}{'ratio to pgbench':>19}{'p99 ms':>17}{'WAL B':>17}"
    known = {each.name: each for each in before.operations}
    for each in after.operations:
        if each.name in known:
            yield _line(known[each.name], each)
    for name, (old, new) in _others(before, after).items():
        if old is not None and new is not None:
            yield f"{name:31}{_pair(old, new)}{_change(old, new):>8}"


def _line(old: Figures, new: Figures) -> str:
    sums = [each.server_us + each.postgres_us for each in (old, new)]
    return (
        f"{new.name:31}{_pair(*sums)}{_change(*sums):>8}{f'{old.ratio:.2f} → {new.ratio:.2f}':>19}"
        f"{_pair(old.p99_ms, new.p99_ms, digits=1)}{_pair(old.wal_bytes, new.wal_bytes)}"
    )


def _others(before: Report, after: Report) -> dict[str, tuple[float | None, float | None]]:
    def both(name: str) -> tuple[float | None, float | None]:
        old, new = getattr(before, name), getattr(after, name)
        return (old and old.p99_ms, new and new.p99_ms)

    others = {"storm, p99 ms": both("storm")}
    for old, new in zip(before.crowds, after.crowds, strict=False):
        meanwhile = "with sign-ins" if new.logins_per_second else "alone"
        others[f"{new.connections} connections {meanwhile}, p99"] = (old.p99_ms, new.p99_ms)
    return others | {"memory of the server, MiB": (before.memory_mib, after.memory_mib)}


def _pair(old: float, new: float, *, digits: int = 0) -> str:
    return f"{f'{old:,.{digits}f} → {new:,.{digits}f}':>17}"


def _change(old: float, new: float) -> str:
    return f"{new / old - 1:+.0%}" if old else ""


def _read(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report)


if __name__ == "__main__":
    main()

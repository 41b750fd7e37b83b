"""`python -m tests.exam_day`: an exam day in full, or `--short`; with `--broken` on a build that must be condemned."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from tests.exam_day import stampede
from tests.exam_day.broken import DEFECTS
from tests.exam_day.day import Plan, hold
from tests.exam_day.site import installed

_FULL = Plan(candidates=300, rounds=("server", "database") * 3, round_seconds=15.0)
_SHORT = Plan(candidates=200, rounds=("server", "database"), round_seconds=6.0)


@click.command()
@click.option("--short", is_flag=True, help="200 candidates, one fault of each kind.")
@click.option("--broken", type=click.Choice(sorted(DEFECTS)), help="Serve with this defect: it must be found.")
@click.option("--stampede", "crowd", type=int, default=500, show_default=True, help="How many hand in at once.")
@click.option("--seed", type=int, default=1, show_default=True, help="The luck of the candidates.")
def main(short: bool, broken: str | None, crowd: int, seed: int) -> None:
    """Hold an exam day on this machine; exits with 1 if anything was lost."""
    plan = _SHORT if short or broken else _FULL
    plan = replace(plan, seed=seed)
    folder = Path(tempfile.mkdtemp(prefix="ace-exam-day-"))
    try:
        lost = _hold(folder, plan, broken) + (0 if short or broken else _stampede(folder, crowd))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if lost else 0)


def _hold(folder: Path, plan: Plan, broken: str | None) -> int:
    with installed(folder / "day", broken) as site:
        day = asyncio.run(hold(site, plan))
    for line in day.told():
        click.echo(line)
    return len(day.complaints)


def _stampede(folder: Path, crowd: int) -> int:
    with installed(folder / "stampede", None) as site:
        found = asyncio.run(stampede.run(site, crowd))
    for line in found.told():
        click.echo(line)
    return len(found.complaints)


if __name__ == "__main__":
    main()

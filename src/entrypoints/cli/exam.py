"""`ace exam`: looking after exams from outside."""

from __future__ import annotations

import sys

import click
import msgspec

from entrypoints.cli.exam_verify import verify
from entrypoints.cli.support import REFUSED, database, use


@click.group()
def exam() -> None:
    """Exams."""


@exam.command()
@click.option("--json", "as_json", is_flag=True, help="Tell what was found and done as JSON.")
def sweep(*, as_json: bool) -> None:
    """Write down what became of exams whose time is over: handed in and graded, overdue, or given up.

    The server does this every minute, and at once where somebody looks at such an exam. Ends with 1 where a session
    could not be ended; what went wrong is in the log, and the next sweep tries again.
    """
    with database() as settings:
        swept = use(settings, lambda container: container.sweep_exams()())
    if as_json:
        click.echo(msgspec.json.encode(swept).decode())
    else:
        click.echo(f"{swept.due} due, {swept.ended} ended, {swept.failed} failed")
    if swept.failed:
        sys.exit(REFUSED)


exam.add_command(verify)

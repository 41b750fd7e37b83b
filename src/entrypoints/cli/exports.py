"""`ace export questions`: the questions of a bank into a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, cast

import click
import msgspec

from application.question_bank.export_stream import ExportTally
from application.question_bank.exporting import ExportOrder
from application.question_bank.ports.exporting import ExportFormat, ExportVersions
from entrypoints.cli.support import database, use
from entrypoints.container import Container

_LOSSES_SHOWN = 20
_STANDARD_OUTPUT = Path("-")
_BY_ENDING = {
    ".csv": ExportFormat.CSV,
    ".jsonl": ExportFormat.JSONL,
    ".ndjson": ExportFormat.JSONL,
    ".gift": ExportFormat.GIFT,
    ".txt": ExportFormat.GIFT,
    ".aiken": ExportFormat.AIKEN,
    ".xml": ExportFormat.MOODLE_XML,
    ".zip": ExportFormat.CANVAS_QTI,
}
_FORMATS = [each.value for each in ExportFormat]


@click.group("export")
def export() -> None:
    """Take content out into files."""


@export.command()
@click.argument("bank")
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    help="Without it the ending of the file tells: .csv, .jsonl, .gift, .aiken, .txt (gift), .xml (moodle_xml) or .zip "
    "(canvas_qti); standard output gets jsonl.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file to write; - is standard output, and everything else is then told on the error channel.",
)
@click.option("--published", is_flag=True, help="The published versions only, instead of the latest ones.")
@click.option("--excel-safe", is_flag=True, help="CSV: an apostrophe before what spreadsheets take for a formula.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was exported and lost as JSON.")
def questions(bank: str, output: Path, *, as_json: bool, **options: Any) -> None:
    """Export the questions of BANK (its slug), keys included. The file is replaced only when it is complete."""
    order = ExportOrder(
        bank=bank,
        format=format_of(options["format_"], output),
        versions=ExportVersions.PUBLISHED if options["published"] else ExportVersions.LATEST,
        excel_safe=options["excel_safe"],
    )
    with database() as settings:

        async def write(container: Container) -> ExportTally:
            exported = await container.export_questions()(None, order)
            with _opened(output) as file:
                async for piece in exported.pieces():
                    file.write(piece)
            return exported.tally

        tally = use(settings, write)
    aside = output == _STANDARD_OUTPUT
    if as_json:
        click.echo(_json(order, output, tally), err=aside)
    else:
        click.echo(f"{bank} -> {output}: {tally.exported} of {tally.questions} questions", err=aside)
        _tell_losses(tally)


def format_of(stated: str | None, output: Path) -> ExportFormat:
    """What was said, else what the file is called: what is in it must be what its name promises."""
    if stated is not None:
        return ExportFormat(stated)
    if output == _STANDARD_OUTPUT:
        return ExportFormat.JSONL
    found = _BY_ENDING.get(output.suffix.lower())
    if found is None:
        message = f"The ending of {output.name} tells no format; name one with --format: {', '.join(_FORMATS)}."
        raise click.UsageError(message)
    return found


@contextmanager
def _opened(output: Path) -> Iterator[IO[bytes]]:
    if output == _STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with _replaced(output) as file:
        yield file


@contextmanager
def _replaced(output: Path) -> Iterator[IO[bytes]]:
    """Written beside its place and moved there at the end, so that a file of this name is always whole."""
    with NamedTemporaryFile(dir=output.absolute().parent, prefix=f".{output.name}.", delete=False) as file:
        try:
            yield cast(IO[bytes], file)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(output)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise


def _json(order: ExportOrder, output: Path, tally: ExportTally) -> str:
    told = {
        "file": str(output),
        "format": order.format.value,
        "questions": tally.questions,
        "exported": tally.exported,
        "losses": dict(sorted(tally.losses.counts.items())),
        "problems": tally.losses.kept,
    }
    return msgspec.json.encode(told).decode()


def _tell_losses(tally: ExportTally) -> None:
    for code, count in sorted(tally.losses.counts.items()):
        click.echo(f"  {code}: {count}", err=True)
    kept = tally.losses.kept
    for loss in kept[:_LOSSES_SHOWN]:
        click.echo(f"  {loss.external_id}: {loss.code}: {loss.message}", err=True)
    if sum(tally.losses.counts.values()) > _LOSSES_SHOWN:
        click.echo("  … more; --json lists them", err=True)

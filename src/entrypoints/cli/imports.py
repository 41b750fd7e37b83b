"""`ace import questions`: files of questions into banks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from application.enrollment.defining import PackageOutline
from application.question_bank.imports import ImportOrder
from application.question_bank.ports.importing import FileOptions
from domain.errors import DomainError
from domain.question_bank.banks import bank_slug, bank_title
from domain.question_bank.import_report import ImportMode, ImportProgress, ImportReport, ImportStatus
from entrypoints.cli.import_text import refusal, summary
from entrypoints.cli.support import REFUSED, database, use
from entrypoints.container import Container

_BAR = 30


@click.group("import")
def import_() -> None:
    """Bring content in from files."""


@import_.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_", help="csv, jsonl, gift, aiken, moodle_xml or qti; without it the file tells.")
@click.option("--bank", "--exam-type", "bank", help="The bank; without it the name of each file is its bank.")
@click.option("--package", help="Slug of an exam package that draws from the bank from now on; made if it is missing.")
@click.option("--publish", is_flag=True, help="Publish the questions instead of leaving them as drafts.")
@click.option("--dry-run", is_flag=True, help="Change nothing, tell what would happen.")
@click.option("--partial", is_flag=True, help="Import what is right even if other records are wrong.")
@click.option("--encoding", help="The encoding, where the file does not tell it.")
@click.option("--delimiter", help="The delimiter, where the header does not tell it.")
@click.option("--answer-base", type=click.Choice(["0", "1"]), help="Answers are numbers, counted from 0 or 1.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write the rejected records here.")
@click.option("--json", "as_json", is_flag=True, help="One report or refusal per line, as JSON.")
def questions(files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Import FILES of questions, each by itself. The same file again changes nothing.

    A file that is refused is told and the next one has its turn; the command then ends with 1.
    """
    if options["rejects"] and len(files) > 1:
        raise click.UsageError("--rejects belongs to one file.")
    with database() as settings:

        async def import_all(container: Container) -> list[bool]:
            return [await _imported(container, path, as_json=as_json, **options) for path in files]

        outcomes = use(settings, import_all)
    if not all(outcomes):
        sys.exit(REFUSED)


async def _imported(container: Container, path: Path, *, as_json: bool, **options: Any) -> bool:
    """Whether the file was taken. One that is refused is told with its name and keeps no other from its turn."""
    try:
        report = await _import(container, path, quiet=as_json, **options)
    except DomainError as error:
        refused = {"file": path.name, "refused": {"code": error.code, "detail": error.detail}}
        click.echo(msgspec.json.encode(refused).decode() if as_json else refusal(str(path), error), err=not as_json)
        return False
    click.echo(msgspec.json.encode(report).decode() if as_json else summary(report))
    return report.status is ImportStatus.SUCCEEDED or options["dry_run"]


async def _import(container: Container, path: Path, *, quiet: bool, **options: Any) -> ImportReport:
    order, define_package = _order(container, path, **options), container.define_package()
    outline = _outline(options["package"], order.bank)
    if outline is not None:
        define_package.draft(outline)  # refuses before anything is imported
    with ExitStack() as stack:
        progress = _progress(stack, path, quiet=quiet)
        report = await container.import_questions()(None, order, progress)
    if outline is not None and report.status is ImportStatus.SUCCEEDED and not options["dry_run"]:
        await define_package(None, outline)
    if options["rejects"]:
        await _write_rejects(container, report, options["rejects"])
    return report


async def _write_rejects(container: Container, report: ImportReport, path: Path) -> None:
    """The rejected records, to be corrected and imported again; no file where there are none."""
    if report.rejected:
        with path.open("wb") as file:
            async for piece in container.read_rejects().pieces(report.id, excel_safe=False):
                file.write(piece)


def _outline(package: str | None, bank: str) -> PackageOutline | None:
    return PackageOutline(slug=package, title=bank_title(package), banks=(bank,)) if package else None


def _order(container: Container, path: Path, **options: Any) -> ImportOrder:
    base: dict[str | None, Literal[0, 1] | None] = {None: None, "0": 0, "1": 1}
    how = FileOptions(
        format=options["format_"],
        encoding=options["encoding"],
        delimiter=options["delimiter"],
        answer_base=base[options["answer_base"]],
    )
    mode = ImportMode.SKIP_INVALID if options["partial"] else ImportMode.ALL_OR_NOTHING
    return ImportOrder(
        file=container.question_files().from_path(path, how),
        bank=options["bank"] or bank_slug(path.name),
        mode=ImportMode.DRY_RUN if options["dry_run"] else mode,
        publish=options["publish"],
    )


def _progress(stack: ExitStack, path: Path, *, quiet: bool) -> Callable[[ImportProgress], None]:
    """A line that moves once a second on a terminal, nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        return lambda progress: None
    stack.callback(lambda: click.echo("\r\x1b[K", nl=False, err=True))

    def show(progress: ImportProgress) -> None:
        click.echo(f"\r\x1b[K{path.name}: {_bar(progress)} {progress.records:,} records", nl=False, err=True)

    return show


def _bar(progress: ImportProgress) -> str:
    """How much of the file was read; the rest of the time belongs to the database."""
    if not progress.bytes_total:
        return ""
    done = min(1.0, progress.bytes_read / progress.bytes_total)
    full = int(done * _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {done:4.0%}"

"""`ace import questions`: files of questions into banks."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from application.enrollment.defining import PackageOutline
from application.question_bank.imports import ImportOrder
from application.question_bank.ports.importing import FileOptions
from domain.question_bank.banks import bank_slug, bank_title
from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus
from entrypoints.cli.support import REFUSED, database, use
from entrypoints.container import Container

_PROBLEMS_SHOWN = 20


@click.group("import")
def import_() -> None:
    """Bring content in from files."""


@import_.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_", help="csv; without it the ending of the file tells.")
@click.option("--bank", "--exam-type", "bank", help="The bank; without it the name of each file is its bank.")
@click.option("--package", help="Slug of an exam package that draws from the bank from now on; made if it is missing.")
@click.option("--publish", is_flag=True, help="Publish the questions instead of leaving them as drafts.")
@click.option("--dry-run", is_flag=True, help="Change nothing, tell what would happen.")
@click.option("--partial", is_flag=True, help="Import what is right even if other records are wrong.")
@click.option("--encoding", help="The encoding, where the file does not tell it.")
@click.option("--delimiter", help="The delimiter, where the header does not tell it.")
@click.option("--answer-base", type=click.Choice(["0", "1"]), help="Answers are numbers, counted from 0 or 1.")
@click.option("--json", "as_json", is_flag=True, help="One report per line, as JSON.")
def questions(files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Import FILES of questions. The same file again changes nothing."""
    with database() as settings:

        async def import_all(container: Container) -> list[ImportReport]:
            return [await _import(container, path, as_json=as_json, **options) for path in files]

        reports = use(settings, import_all)
    if any(report.status is not ImportStatus.SUCCEEDED and not options["dry_run"] for report in reports):
        sys.exit(REFUSED)


async def _import(container: Container, path: Path, *, as_json: bool, **options: Any) -> ImportReport:
    order, define_package = _order(container, path, **options), container.define_package()
    outline = _outline(options["package"], order.bank)
    if outline is not None:
        define_package.draft(outline)  # refuses before anything is imported
    with ExitStack() as stack:
        progress = _progress(stack, path, quiet=as_json)
        report = await container.import_questions()(None, order, progress)
    if outline is not None and report.status is ImportStatus.SUCCEEDED and not options["dry_run"]:
        await define_package(None, outline)
    click.echo(msgspec.json.encode(report).decode() if as_json else _summary(report))
    return report


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


def _progress(stack: ExitStack, path: Path, *, quiet: bool) -> Any:
    """A line that counts records on a terminal, nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        return lambda records: None
    stack.callback(lambda: click.echo("\r\x1b[K", nl=False, err=True))
    return lambda records: click.echo(f"\r{path.name}: {records:,} records", nl=False, err=True)


def _summary(report: ImportReport) -> str:
    counts = ", ".join(
        f"{getattr(report, name)} {name}" for name in ("created", "updated", "unchanged", "skipped", "rejected")
    )
    outcome = {ImportStatus.REFUSED: "REFUSED, nothing was imported: "}.get(report.status, "")
    lines = [f"{report.file} -> {report.bank}: {outcome}{report.total} records: {counts}"]
    lines += [
        f"  record {problem.record}, line {problem.line}: {problem.severity} {problem.code}: {problem.message}"
        for problem in report.problems[:_PROBLEMS_SHOWN]
    ]
    if len(report.problems) > _PROBLEMS_SHOWN:
        lines.append(f"  … {len(report.problems) - _PROBLEMS_SHOWN} more; --json lists them")
    return "\n".join(lines)

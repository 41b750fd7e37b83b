"""`python -m benchmarks [--quick] [--json FILE]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg

from benchmarks import bank, content, people, scripts
from benchmarks.crowd import Crowd, measure_crowd, prepare_crowd
from benchmarks.importing import measure_import
from benchmarks.limit import CLIENTS
from benchmarks.measuring import measure, measure_flood
from benchmarks.operations import ROUNDS, Operation, Plan
from benchmarks.other_tool import compare_with_wrk
from benchmarks.report import (
    HEADER,
    Report,
    told,
    told_columns,
    told_crowd,
    told_flood,
    told_import,
    told_machine,
    told_other_tool,
    told_storage,
)
from benchmarks.site import Site, running_site
from benchmarks.storage import measure_heartbeat
from domain.auth.people import Role
from entrypoints.cli.support import stop_on_signals

_READERS = 8
_LOGINS = 20.0
_SETTLED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done. `papers` are answered by the product, `limit_papers` by pgbench in each round; `grown` sessions
    and as many questions and people make the database large; `crowd` candidates send at once.
    """

    brief: bool
    papers: int
    limit_papers: int
    crowd: int
    crowd_seconds: float
    grown: int
    import_rows: int


_FULL = Size(
    brief=False, papers=2_800, limit_papers=800, crowd=500, crowd_seconds=4.0, grown=100_000, import_rows=20_000
)
_QUICK = Size(brief=True, papers=400, limit_papers=100, crowd=100, crowd_seconds=0.5, grown=2_000, import_rows=1_000)


@click.command()
@click.option("--quick", is_flag=True, help="A glance in less than half a minute.")
@click.option(
    "--only", metavar="WORDS", multiple=True, help="Only operations whose names begin so, nothing beside them."
)
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write every figure to this file.")
def main(quick: bool, only: tuple[str, ...], path: Path | None) -> None:
    """Measure the main operations against the limit that PostgreSQL itself sets."""
    stop_on_signals()
    size = _QUICK if quick else _FULL
    with running_site() as site, psycopg.connect(site.urls.owner, autocommit=True) as connection:
        report = Report.of(connection, {})
        for line in (*told_machine(report), *told_columns(), f"\n{HEADER}"):
            click.echo(line)
        for line in _lines(report, site, connection, size, only):
            click.echo(line)
    report.write(path)


def _lines(
    report: Report, site: Site, connection: psycopg.Connection, size: Size, only: tuple[str, ...]
) -> Iterator[str]:
    plan = prepare(site, connection, size)

    def measured(operations: Iterator[Operation], make_ready: Callable[[], None] | None = None) -> Iterator[str]:
        for operation in operations:
            if not only or operation.name.startswith(only):
                if make_ready is not None:
                    make_ready()
                    make_ready = None
                report.operations.append(measure(site, connection, operation, brief=size.brief))
                yield told(report.operations[-1])

    yield from measured(plan.operations())
    if not only:
        report.flood = measure_flood(plan.calm_readers(_READERS), plan.flood(), 0.5 if size.brief else 2.0)
    yield from measured(plan.exam_operations(), lambda: begin_exams(connection))
    if not only:
        report.heartbeat = measure_heartbeat(connection, scripts.heartbeat())
        yield from _crowded(report, site, connection, size)
    yield from measured(plan.grown_operations(size.grown, size.grown), lambda: _grow(connection, size))
    if not only:
        yield from _beside(report, site, plan, size)


def prepare(site: Site, connection: psycopg.Connection, size: Size) -> Plan:
    """Whatever practice and the doors need."""
    bank.add_package(connection)
    bank.add_questions(connection, 1, content.QUESTIONS)
    people.prepare_people(connection)
    # Others, so that PostgreSQL plans for tables of some size, as after some days of use.
    people.add_people(connection, "settled", _SETTLED)
    people.add_sessions(connection, "settled", _SETTLED, people="settled")
    content.add_papers(connection, "one", count=people.STUDENTS, slots=1)
    content.add_papers(connection, "long", count=people.STUDENTS, slots=content.PAPER)
    content.add_papers(connection, "app", count=size.papers, slots=content.PAPER)
    for turn in range(ROUNDS):
        content.add_papers(connection, f"limit{turn}", count=size.limit_papers, slots=content.PAPER, students=CLIENTS)
        people.add_sessions(connection, f"limit{turn}", CLIENTS, people="bench")
    content.settle(connection)
    return Plan(
        port=site.port,
        logins=people.sign_in(site),
        admins=people.signed_for(site, "admin", people.ADMINS, role=Role.ADMIN),
        papers=size.papers,
        limit_papers=size.limit_papers,
    )


def begin_exams(connection: psycopg.Connection) -> None:
    """One of each student for the product, one for each round of pgbench."""
    for label in ("app", *(f"limit{turn}" for turn in range(ROUNDS))):
        content.add_exams(connection, label)
    content.settle(connection)


def _crowded(report: Report, site: Site, connection: psycopg.Connection, size: Size) -> Iterator[str]:
    prepare_crowd(connection, size.crowd)
    crowd = Crowd.of(site, size.crowd)
    yield ""
    for logins in (0.0, _LOGINS):
        report.crowds.append(measure_crowd(crowd, size.crowd, size.crowd_seconds, logins))
        yield told_crowd(report.crowds[-1])
    yield ""


def _grow(connection: psycopg.Connection, size: Size) -> None:
    """Much of everything, and no exams: practice looks closer while its student sits one."""
    content.forget_exams(connection)
    content.add_papers(connection, "grown", count=size.grown, slots=1)
    bank.add_questions(connection, content.QUESTIONS + 1, size.grown)
    people.add_people(connection, "listed", size.grown)
    content.settle(connection)


def _beside(report: Report, site: Site, plan: Plan, size: Size) -> Iterator[str]:
    """What is no operation of the table."""
    assert report.flood is not None
    assert report.heartbeat is not None
    yield ""
    yield told_storage(report.heartbeat)
    yield told_flood(report.flood, people.VISITORS)
    report.other_tool = compare_with_wrk(site, plan.one_read(), people.STUDENTS, 1 if size.brief else 3)
    yield told_other_tool(report.other_tool)
    report.memory_mib = site.server_memory_mib()
    yield f"Most memory of the server process: {report.memory_mib:.0f} MiB"
    report.imported = measure_import(site, size.import_rows)
    yield told_import(report.imported)


if __name__ == "__main__":
    main()

"""`python -m benchmarks.lists [--quick]`: lists and searches among a million questions, their plans and their times."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import psycopg

from adapters.postgres.database import Database
from adapters.postgres.migrations import Migrations
from adapters.postgres.question_bank.indexing import PostgresIndexingWork
from adapters.postgres.question_bank.listing import page_of_questions
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.embedded_postgres import ConnectionUrls, EmbeddedPostgres
from application.question_bank.indexing import IndexingOrder, IndexQuestions
from application.question_bank.listing import QuestionFilter
from benchmarks import list_content
from benchmarks.list_matrix import ADMIN, LIMIT, Asked, every_list
from benchmarks.list_plans import rows_read, whole_tables_read
from entrypoints.cli.support import stop_on_signals

FULL: Final = 1_000_000
QUICK: Final = 20_000
# No list looks at more rows than this, index entries that only count included: a tenth of the largest bank.
MOST_ROWS: Final = 100_000
_TIMES_EACH: Final = 2
_REINDEXED_BANK: Final = "qbk_02"
# What no bound holds for: words that very many questions have, but hardly any of the newest ten thousands.
_UNBOUNDED: Final = {
    "a word of the older half": QuestionFilter(bank_id=list_content.LARGE_BANK, text="legacy"),
    "without a word of nearly all": QuestionFilter(text=f"{list_content.word(30)} -{list_content.word(1)}"),
    "a word that all have and none may": QuestionFilter(text="-ext"),
}
_TITLES: Final = ("p50 ms", "p95 ms", "max ms", "PG p50", "PG p95", "PG max")
_INDEX_SIZES: Final = """
select c.relname, pg_relation_size(c.oid) / 1048576.0
  from pg_class c where c.relname ~ '^(questions_listed|question_search)' and c.relkind in ('r', 'i') order by 1
"""


class ReadsTooMuch(RuntimeError):
    """A list reads a whole table, or more rows than its bounds allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A list: how long it takes, how much of that PostgreSQL works (milliseconds), and the rows that it looks at."""

    asked: Asked
    milliseconds: float
    working: float
    rows: float


def report_lists(count: int, every: int = 1) -> Iterator[str]:
    """Lines of a report on every list, or on every so-manieth. Raises `ReadsTooMuch` where a plan does."""
    with _filled(count) as (urls, line), psycopg.connect(urls.app, autocommit=True) as connection:
        yield line
        yield from _families([_measured(connection, asked) for asked in islice(every_list(count), 0, None, every)])
        yield from _unbounded(connection)
        yield from _sizes(connection)
        yield asyncio.run(_reindexing(urls))


@contextmanager
def _filled(count: int) -> Iterator[tuple[ConnectionUrls, str]]:
    with TemporaryDirectory(prefix="ace-lists-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run under another account, and its own folder is closed anyway
        with EmbeddedPostgres(folder / "postgres") as urls:
            Migrations(urls.owner).up()
            superuser = urls.superuser.replace("/postgres?", f"/{urls.database}?")
            started = time.perf_counter()
            with psycopg.connect(superuser, autocommit=True) as connection:
                list_content.fill(connection, count)
                filled = time.perf_counter()
                list_content.make_searchable(connection, count)
            searchable = time.perf_counter()
            making, indexing = filled - started, searchable - filled
            rate = f"{count / indexing:,.0f} rows/s, the index of words made afterwards"
            yield urls, f"{count:,} questions made in {making:.0f} s, searchable after {indexing:.0f} s more ({rate})"


def _measured(connection: psycopg.Connection, asked: Asked) -> Measured:
    query, params = asked.page
    ((found,),) = connection.execute(
        b"explain (analyze, format json) " + query.as_bytes(connection), params, prepare=False
    ).fetchall()
    plan: Any = found[0]["Plan"]
    if whole := whole_tables_read(plan):
        raise ReadsTooMuch(f"{asked.name}: {', '.join(whole)}")
    if (rows := rows_read(plan)) > MOST_ROWS:
        raise ReadsTooMuch(f"{asked.name} looks at {rows:,.0f} rows")
    milliseconds, working = _fastest(connection, asked)
    return Measured(asked=asked, milliseconds=milliseconds, working=working, rows=rows)


def _fastest(connection: psycopg.Connection, asked: Asked) -> tuple[float, float]:
    """Of a few times, since what else this machine does is not the list's; milliseconds, planning included."""
    query, params = asked.page
    process = connection.info.backend_pid
    times = []
    for _ in range(_TIMES_EACH):
        started, working = time.perf_counter(), _running_seconds(process)
        connection.execute(query, params, prepare=False).fetchall()
        times.append((time.perf_counter() - started, _running_seconds(process) - working))
    milliseconds, working = (min(each) * 1e3 for each in zip(*times, strict=True))
    return milliseconds, working


def _running_seconds(process: int) -> float:
    """How long a process has had a processor, exact to the nanosecond, of Linux."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def _families(measured: list[Measured]) -> Iterator[str]:
    families: dict[str, list[Measured]] = defaultdict(list)
    for each in measured:
        families[each.asked.family].append(each)
    yield "\nPG: milliseconds that PostgreSQL computes; what else runs on this machine only adds to the others."
    yield f"{'':32}{'lists':>7}" + "".join(f"{title:>9}" for title in _TITLES) + f"{'most rows':>11}"
    for name, members in [*families.items(), ("all", measured)]:
        most = max(each.rows for each in members)
        taken = _spread([each.milliseconds for each in members])
        yield f"{name:32}{len(members):7,}{taken}{_spread([each.working for each in members])}{most:11,.0f}"
    slowest = max(measured, key=lambda each: each.working)
    yield f"\nThe most work, {slowest.working:.1f} ms: {slowest.asked.name}"


def _spread(values: list[float]) -> str:
    """Median, 95th percentile and maximum."""
    percentiles = quantiles(values, n=20, method="inclusive")
    return f"{percentiles[9]:9.1f}{percentiles[18]:9.1f}{max(values):9.1f}"


def _unbounded(connection: psycopg.Connection) -> Iterator[str]:
    for name, chosen in _UNBOUNDED.items():
        asked = Asked(family=name, name=name, page=page_of_questions(chosen, ADMIN, None, LIMIT))
        milliseconds, working = _fastest(connection, asked)
        yield f"Not bounded, {name}: {milliseconds:.0f} ms, PG {working:.0f} ms"


def _sizes(connection: psycopg.Connection) -> Iterator[str]:
    sizes = connection.execute(_INDEX_SIZES).fetchall()
    yield "MiB: " + ", ".join(f"{name} {float(size):,.0f}" for name, size in sizes)


async def _reindexing(urls: ConnectionUrls) -> str:
    """The job as the worker does it, on a bank that is indexed already and has forgotten its documents."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        gone = connection.execute("delete from question_search where question_bank_id = %s", [_REINDEXED_BANK]).rowcount
    database = Database(urls.app)
    await database.open()
    transact = PostgresTransaction(database, PostgresIndexingWork, TimeOrderedIds())
    started = time.perf_counter()
    await IndexQuestions(transact=transact, steps=FULL)(IndexingOrder(bank=_REINDEXED_BANK).job.payload)
    seconds = time.perf_counter() - started
    await database.close()
    return f"The job indexed {gone:,} questions among them in {seconds:.1f} s: {gone / seconds:,.0f} rows/s"


@click.command()
@click.option("--quick", is_flag=True, help=f"Among {QUICK:,} questions instead of {FULL:,}, a fifth of the lists.")
def main(quick: bool) -> None:
    """Fill a bank, then check the plan of every list and measure it; fails where a whole table is read."""
    stop_on_signals()
    for line in report_lists(QUICK, every=5) if quick else report_lists(FULL):
        click.echo(line)


if __name__ == "__main__":
    main()

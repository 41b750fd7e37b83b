"""What an import does to a bank: the same suite on memory and on PostgreSQL, and what only PostgreSQL can show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from adapters.memory.question_bank.imports import MemoryImportRegister, MemoryImportWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.question_bank.import_register import PostgresImportReader, PostgresImportRegister
from adapters.postgres.question_bank.imports import PostgresImportTransaction, PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.ports import Transaction
from application.question_bank.imports import ImportOrder, ImportQuestions, ImportRunning, ImportsBusy
from application.question_bank.ports.importing import ApplyImport, ImportRegister, ImportWork
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus
from tests.support.import_files import FIRST, SECOND, THIRD, BrokenFile, file_of, order
from tests.support.postgres import ClonedDatabase, SettableClock

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.exists(), reason="the question corpora are not beside the checkout")
EXPECTED = json.loads((CORPORA / "edge" / "EXPECTED.json").read_text()) if CORPORA.exists() else {}
EDGES = {name: wanted for name, wanted in EXPECTED.items() if name.endswith(".csv")}

ADMIN = Actor(user_id="usr_admin", role=Role.ADMIN, session_id="ses_admin")
# Version, status, published version, stem.
Kept = tuple[int, str, int | None, str]


@dataclass(frozen=True, slots=True)
class Bank:
    """The use case over one store, and how to see what the store then holds."""

    import_questions: ImportQuestions
    kept: Callable[[], Mapping[str, Kept]]

    async def __call__(
        self, *rows: str, mode: ImportMode = ImportMode.ALL_OR_NOTHING, publish: bool = False
    ) -> ImportReport:
        return await self.import_questions(None, order(*rows, mode=mode, publish=publish))


def use_case(transact: Transaction[ImportWork], ids: TimeOrderedIds, register: ImportRegister) -> ImportQuestions:
    return ImportQuestions(transact, ids, AsyncioThreads(), register)


@pytest.fixture
def register(database: Database) -> PostgresImportRegister:
    return PostgresImportRegister(database)


@pytest.fixture(params=["memory", "postgres"])
def bank(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> Bank:
    if request.param == "memory":
        store = MemoryStore()
        in_memory = MemoryTransaction(store, MemoryImportWork, clock)
        return Bank(use_case(in_memory, ids, MemoryImportRegister(store)), lambda: _kept_in_memory(store))
    database: Database = request.getfixturevalue("database")
    cloned: ClonedDatabase = request.getfixturevalue("cloned")
    transact = PostgresTransaction(database, PostgresImportWork, ids, clock)
    return Bank(use_case(transact, ids, PostgresImportRegister(database)), lambda: _kept_in_postgres(cloned))


@pytest.fixture
def on_postgres(database: Database, ids: TimeOrderedIds, register: PostgresImportRegister) -> ImportQuestions:
    return use_case(PostgresTransaction(database, PostgresImportWork, ids, deadline_seconds=60), ids, register)


def _kept_in_memory(store: MemoryStore) -> Mapping[str, Kept]:
    return {
        external_id: (kept.version, kept.status, kept.published_version, kept.latest.stem.text)
        for (_, external_id), kept in store.tables["questions"].items()
    }


def _kept_in_postgres(cloned: ClonedDatabase) -> Mapping[str, Kept]:
    with psycopg.connect(cloned.urls.app) as connection:
        rows = connection.execute(
            """
            select q.external_id, v.version, v.status, q.published_version, v.stem
              from questions q join question_versions v on v.question_id = q.id and v.version = q.latest_version
            """
        ).fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.skipped, report.rejected


async def test_new_questions_are_drafts(bank: Bank) -> None:
    assert counts(await bank(FIRST, SECOND, THIRD)) == (3, 0, 0, 0, 0)
    assert bank.kept() == {
        "Q1": (1, "draft", None, "What is one?"),
        "Q2": (1, "draft", None, "What is two?"),
        "Q3": (1, "draft", None, "What is three?"),
    }


async def test_the_same_again_changes_nothing(bank: Bank) -> None:
    await bank(FIRST, SECOND, THIRD)
    before = bank.kept()

    assert counts(await bank(FIRST, SECOND, THIRD)) == (0, 0, 3, 0, 0)
    assert bank.kept() == before


async def test_a_changed_draft_is_rewritten_and_others_stay(bank: Bank) -> None:
    await bank(FIRST, SECOND)

    assert counts(await bank(FIRST.replace("one?", "1?"), SECOND, THIRD)) == (1, 1, 1, 0, 0)
    assert bank.kept()["Q1"] == (1, "draft", None, "What is 1?")


async def test_a_changed_published_question_opens_one_version_in_review(bank: Bank) -> None:
    await bank(FIRST, publish=True)

    await bank(FIRST.replace("one?", "1?"))
    await bank(FIRST.replace("one?", "uno?"))

    assert bank.kept()["Q1"] == (2, "in_review", 1, "What is uno?")


async def test_publishing_a_change_supersedes_the_version_before(bank: Bank) -> None:
    await bank(FIRST, SECOND, publish=True)

    assert counts(await bank(FIRST.replace("one?", "1?"), SECOND, publish=True)) == (0, 1, 1, 0, 0)
    assert bank.kept()["Q1"] == (2, "published", 2, "What is 1?")


async def test_publishing_publishes_drafts_that_say_the_same(bank: Bank) -> None:
    await bank(FIRST, SECOND)

    assert counts(await bank(FIRST, SECOND, publish=True)) == (0, 2, 0, 0, 0)
    assert counts(await bank(FIRST, SECOND, publish=True)) == (0, 0, 2, 0, 0)
    assert {kept[1] for kept in bank.kept().values()} == {"published"}


@pytest.mark.parametrize("mode", [ImportMode.ALL_OR_NOTHING, ImportMode.DRY_RUN])
async def test_a_refused_import_and_a_dry_run_leave_nothing_behind(bank: Bank, mode: ImportMode) -> None:
    wrong = SECOND.replace('"A,C"', "Z")

    await bank(FIRST, wrong if mode is ImportMode.ALL_OR_NOTHING else SECOND, mode=mode)

    assert bank.kept() == {}


async def test_repeated_ids_are_judged_alike(bank: Bank) -> None:
    """The rule is one function of the domain; PostgreSQL does the same as a set."""
    rows = [FIRST, SECOND, FIRST, THIRD, THIRD.replace("three", "drei"), FIRST]

    report = await bank(*rows, mode=ImportMode.SKIP_INVALID)

    assert counts(report) == (2, 0, 0, 2, 2)
    assert [
        (problem.record, problem.code, problem.detail) for problem in report.problems if problem.field == "question-id"
    ] == [
        (4, "duplicate_identical_of", "2"),
        (5, "duplicate_id", None),
        (6, "duplicate_id", None),
        (7, "duplicate_identical_of", "2"),
    ]


async def test_a_question_is_stored_with_its_key_apart(on_postgres: ImportQuestions, cloned: ClonedDatabase) -> None:
    await on_postgres(None, order(FIRST, SECOND, THIRD, publish=True))

    with psycopg.connect(cloned.urls.app) as connection:
        rows = connection.execute(
            """
            select q.external_id, v.kind, v.choices, v.answer_key, t.name, v.difficulty_id, v.tags, q.topic_id = t.id
              from questions q join question_versions v on v.question_id = q.id
              left join question_topics t on t.id = v.topic_id order by 1
            """
        ).fetchall()
    assert [row[1] for row in rows] == ["single", "multiple", "single"]
    assert rows[0][2] == [{"id": key, "text": key.lower(), "format": "plain"} for key in "ABCD"]
    assert rows[0][3] == {
        "correct": ["B"],
        "weights": None,
        "explanations": {"B": {"text": "because", "format": "plain"}},
        "explanation": None,
    }
    assert [row[4:] for row in rows] == [
        ("Routing", "dif_easy", ["ip", "net"], True),
        ("Switching", "dif_hard", [], True),
        (None, None, [], None),
    ]


async def test_nothing_stays_staged_and_the_act_is_audited_once(
    on_postgres: ImportQuestions, cloned: ClonedDatabase
) -> None:
    await on_postgres(None, order(FIRST, SECOND))
    await on_postgres(None, order(FIRST, SECOND))

    with psycopg.connect(cloned.urls.app) as connection:
        (staged,) = connection.execute("select count(*) from question_import_rows").fetchone() or (None,)
        audited = connection.execute("select action, subject, after - 'import_id' from audit_log").fetchall()
    assert staged == 0
    facts = {"file": "network.csv", "mode": "all_or_nothing", "publish": False, "created": 2, "updated": 0}
    assert audited == [("question_bank.imported", "bank:network", facts)]


async def test_the_report_can_be_read_again(on_postgres: ImportQuestions, database: Database) -> None:
    report = await on_postgres(None, order(FIRST, SECOND.replace('"A,C"', "Z"), THIRD))

    reader = PostgresImportReader(database)
    kept = await reader.find(report.id, ADMIN)
    assert kept is not None
    assert (kept.report, kept.actor_id) == (report, None)
    assert await reader.find("imp_unknown", ADMIN) is None
    assert not await reader.was_imported("network")


async def test_one_import_per_bank_at_a_time(
    database: Database, ids: TimeOrderedIds, register: PostgresImportRegister
) -> None:
    """While one import holds the bank, another one into it is refused at once, and one into another bank is not."""
    transact = PostgresTransaction(database, PostgresImportWork, ids)
    importing = use_case(transact, ids, register)
    held, finish = asyncio.Event(), asyncio.Event()

    async def keep_bank(work: ImportWork) -> None:
        await work.begin(ApplyImport(bank="network", import_id="imp_other", actor=None, publish=False))
        held.set()
        await finish.wait()

    keeper = asyncio.create_task(transact(keep_bank))
    await held.wait()
    with pytest.raises(ImportRunning):
        await importing(None, order(FIRST))
    assert (await importing(None, order(FIRST, bank="other"))).created == 1
    finish.set()
    await keeper


async def test_more_imports_than_a_process_takes_are_refused_at_once(
    database: Database, ids: TimeOrderedIds, register: PostgresImportRegister
) -> None:
    """The third is told to come back; a place is free when an import has ended, whether or not its caller stayed."""
    transact = PostgresImportTransaction(database, ids, deadline_seconds=30)
    finish = asyncio.Event()

    def keep(bank: str) -> asyncio.Task[None]:
        async def unit(work: ImportWork) -> None:
            await work.begin(ApplyImport(bank=bank, import_id=bank, actor=None, publish=False))
            await finish.wait()

        return asyncio.create_task(transact(unit))

    keepers = [keep("one"), keep("two")]
    await asyncio.sleep(0)
    keepers[0].cancel()
    with pytest.raises(ImportsBusy):
        await use_case(transact, ids, register)(None, order(FIRST))
    finish.set()
    await asyncio.gather(*keepers, return_exceptions=True)
    assert (await _eventually_imported(use_case(transact, ids, register))).created == 1


async def _eventually_imported(importing: ImportQuestions) -> ImportReport:
    while True:
        try:
            return await importing(None, order(FIRST))
        except ImportsBusy:
            await asyncio.sleep(0.01)


async def test_a_file_that_breaks_off_leaves_nothing_behind(
    on_postgres: ImportQuestions, cloned: ClonedDatabase
) -> None:
    """The reading of the file fails while a batch is on its way to the store."""
    with pytest.raises(OSError, match="gone"):
        await on_postgres(None, ImportOrder(file=BrokenFile(), bank="broken"))

    with psycopg.connect(cloned.urls.app) as connection:
        assert connection.execute("select count(*) from question_import_rows").fetchone() == (0,)
        assert connection.execute("select count(*) from question_banks").fetchone() == (0,)


async def test_thousands_of_rows_are_judged_at_once_whatever_the_planner_believes(
    on_postgres: ImportQuestions, cloned: ClonedDatabase
) -> None:
    """Statistics that were taken while nothing was staged used to make the search for duplicates quadratic."""
    with cloned.administration() as connection:
        connection.execute("analyze question_import_rows")
    rows = [FIRST.replace("Q1,", f"Q{n},") for n in range(4_900)]

    async with asyncio.timeout(10):
        report = await on_postgres(None, order(*rows))

    assert report.created == 4_900


async def test_a_file_without_questions_makes_no_bank(on_postgres: ImportQuestions, cloned: ClonedDatabase) -> None:
    assert (await on_postgres(None, order(bank="empty"))).total == 0

    with psycopg.connect(cloned.urls.app) as connection:
        assert connection.execute("select count(*) from question_banks").fetchone() == (0,)
        assert connection.execute("select count(*) from audit_log").fetchone() == (0,)


async def test_eight_imports_of_one_file_at_once_make_its_questions_once(on_postgres: ImportQuestions) -> None:
    outcomes = await asyncio.gather(*(_outcome(on_postgres) for _ in range(8)))

    reports = [outcome for outcome in outcomes if isinstance(outcome, ImportReport)]
    assert sum(report.created for report in reports) == 2
    assert all(isinstance(outcome, ImportReport | DomainError) for outcome in outcomes)


async def _outcome(importing: ImportQuestions) -> ImportReport | DomainError:
    try:
        return await importing(None, order(FIRST, SECOND))
    except DomainError as refusal:
        return refusal


@needs_corpora
@pytest.mark.parametrize(("name", "questions"), [("a1101", 128), ("a1102", 27), ("network", 62), ("security", 60)])
async def test_the_files_of_the_practice_platform_come_in_whole(
    on_postgres: ImportQuestions, name: str, questions: int
) -> None:
    file = file_of((CORPORA / "csv" / "comptia-seed" / f"{name}.csv").read_bytes(), f"{name}.csv")

    first, second = [await on_postgres(None, ImportOrder(file=file, bank=name)) for _ in range(2)]

    assert counts(first) == (questions, 0, 0, 0, 0)
    assert counts(second) == (0, 0, questions, 0, 0)


@needs_corpora
@pytest.mark.parametrize("name", sorted(EDGES))
async def test_every_edge_case_comes_out_as_it_should(on_postgres: ImportQuestions, name: str) -> None:
    wanted = EDGES[name]
    importing = ImportOrder(
        file=file_of((CORPORA / "edge" / name).read_bytes(), name), bank="edge", mode=ImportMode.SKIP_INVALID
    )
    if "fatal" in wanted:
        with pytest.raises(DomainError) as caught:
            await on_postgres(None, importing)
        assert caught.value.code == f"import.{wanted['fatal'].partition(':')[0]}"
        return

    report = await on_postgres(None, importing)

    assert report.status is ImportStatus.SUCCEEDED
    assert report.created in (wanted["ok"], wanted.get("ok_alt"))
    assert report.total == wanted["rows"]
    found = {(str(problem.record), problem.code) for problem in report.problems}
    for record, code in {**wanted.get("errors", {}), **wanted.get("warnings", {})}.items():
        assert (record, code.partition(":")[0]) in found

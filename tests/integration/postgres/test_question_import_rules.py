"""Who may change what by an import, what it counts, what it rejects, and what the schema itself still refuses."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import psycopg
import pytest

from adapters.memory.question_bank.imports import MemoryImportRegister, MemoryImportWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.question_bank.import_register import (
    PostgresImportReader,
    PostgresImportRegister,
)
from adapters.postgres.question_bank.imports import PostgresImportTransaction, PostgresImportWork
from adapters.postgres.question_bank.taxonomy import PostgresTaxonomyWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank.imports import ImportOrder, ImportQuestions
from application.question_bank.taxonomy import CreateBank, CreateTopic, DeleteBank, DeleteTopic, NewBank
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import ImportMode, ImportReport, ImportStatus, SetFindings
from domain.question_bank.imported import Severity
from domain.question_bank.lifecycle_refusals import BankNotFound
from domain.question_bank.taxonomy import BankInUse, TopicInUse
from tests.support.import_files import FIRST, SECOND, THIRD, file_of, order
from tests.support.postgres import ClonedDatabase, SettableClock

ANN, BEN, ADMIN = (
    Actor(user_id=f"usr_{name}", role=role, session_id=f"ses_{name}")
    for name, role in (("ann", Role.INSTRUCTOR), ("ben", Role.INSTRUCTOR), ("admin", Role.ADMIN))
)
CHANGED = FIRST.replace("What is one?", "What is it?")
BAD = "Q9,Routing,What is nine?,a,b,c,d,,,,,,,Z"


@dataclass(frozen=True, slots=True)
class Imports:
    """The use case over one store, and what was rejected there."""

    use: ImportQuestions
    rejects: Callable[[str], Any]

    async def __call__(self, actor: Actor | None, *rows: str, **how: Any) -> ImportReport:
        return await self.use(actor, order(*rows, **how))

    async def rejected(self, report: ImportReport) -> list[list[str]]:
        content: bytes = await self.rejects(report.id)
        return list(csv.reader(StringIO(content.decode(), newline="")))


@pytest.fixture(autouse=True)
def people(cloned: ClonedDatabase) -> None:
    with psycopg.connect(cloned.urls.app) as connection:
        for actor in (ANN, BEN, ADMIN):
            connection.execute(
                """
                insert into users (id, email, role, password_hash, created_at, updated_at)
                values (%s, %s, %s, 'none', now(), now())
                """,
                (actor.user_id, f"{actor.user_id}@school.example", actor.role.value),
            )


@pytest.fixture
def on_postgres(database: Database, ids: TimeOrderedIds) -> Imports:
    transact = PostgresImportTransaction(database, ids, deadline_seconds=60)
    reader = PostgresImportReader(database)

    async def rejects(import_id: str) -> bytes:
        return b"".join([piece async for piece in reader.rejects(import_id)])

    return Imports(ImportQuestions(transact, ids, AsyncioThreads(), PostgresImportRegister(database)), rejects)


@pytest.fixture(params=["memory", "postgres"])
def imports(request: pytest.FixtureRequest, clock: SettableClock, ids: TimeOrderedIds) -> Imports:
    if request.param == "postgres":
        found: Imports = request.getfixturevalue("on_postgres")
        return found
    store = MemoryStore()
    register = MemoryImportRegister(store)

    async def rejects(import_id: str) -> bytes:
        return register.rejects.get(import_id, b"")

    transact = MemoryTransaction(store, MemoryImportWork, clock)
    return Imports(ImportQuestions(transact, ids, AsyncioThreads(), register), rejects)


@pytest.fixture
def ask(cloned: ClonedDatabase) -> Callable[..., list[tuple[Any, ...]]]:
    def query(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(cloned.urls.app) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return query


Ask = Callable[..., list[tuple[Any, ...]]]


async def test_the_same_content_under_another_id_is_a_warning(imports: Imports) -> None:
    report = await imports(ANN, FIRST, FIRST.replace("Q1,", "Q7,"), SECOND, FIRST.replace("Q1,", "Q8,"))

    assert (report.created, report.rejected, report.skipped) == (4, 0, 0)
    assert report.warnings == {"same_content_as": 2}
    assert [(problem.record, problem.detail) for problem in report.problems] == [(3, "2"), (5, "2")]


async def test_of_a_file_full_of_remarks_the_conflict_is_told(imports: Imports) -> None:
    report = await imports(ANN, *[FIRST] * 1_002, SECOND, SECOND.replace("What is", "Where is"))

    assert (report.status, len(report.problems), report.warnings) == (
        ImportStatus.REFUSED,
        1_000,
        {"duplicate_identical_of": 1_001},
    )
    assert [problem.code for problem in report.problems[-2:]] == ["duplicate_id", "duplicate_id"]


async def test_an_instructor_does_not_change_what_others_wrote(imports: Imports) -> None:
    await imports(ADMIN, FIRST, SECOND)

    whole = await imports(ANN, CHANGED, SECOND, THIRD)
    partly = await imports(ANN, CHANGED, SECOND, THIRD, mode=ImportMode.SKIP_INVALID)

    assert (whole.status, whole.rejected) == (ImportStatus.REFUSED, 1)
    assert (partly.created, partly.updated, partly.unchanged, partly.rejected) == (1, 0, 1, 1)
    assert [(problem.record, problem.code) for problem in partly.problems if problem.code != "missing_domain"][:1] == [
        (2, "not_an_editor")
    ]
    assert (await imports(ADMIN, FIRST, SECOND)).unchanged == 2


async def test_an_instructor_changes_what_they_wrote_and_what_is_in_their_bank(imports: Imports) -> None:
    await imports(ANN, FIRST)
    await imports(BEN, SECOND)

    assert (await imports(ANN, CHANGED, SECOND.replace("two?", "2?"))).updated == 2
    assert (await imports(BEN, SECOND.replace("two?", "zwei?"))).updated == 1
    assert (await imports(BEN, FIRST, mode=ImportMode.SKIP_INVALID)).rejected == 1


async def test_a_co_editor_changes_what_is_in_the_bank(on_postgres: Imports, ask: Ask) -> None:
    await on_postgres(ANN, FIRST)
    ask("insert into question_bank_editors select id, %s from question_banks", BEN.user_id)

    assert (await on_postgres(BEN, CHANGED)).updated == 1


async def test_a_hidden_bank_is_not_there_for_others(on_postgres: Imports, ask: Ask) -> None:
    await on_postgres(ANN, FIRST)
    ask("update question_banks set visibility = 'hidden'")

    with pytest.raises(BankNotFound):
        await on_postgres(BEN, FIRST)
    assert (await on_postgres(ANN, FIRST)).unchanged == 1
    assert (await on_postgres(ADMIN, FIRST)).unchanged == 1


async def test_a_bank_counts_what_is_published_in_it(on_postgres: Imports, ask: Ask) -> None:
    """New ones, drafts that are published, and nothing twice."""
    counted = "select published_count from question_banks"
    await on_postgres(None, FIRST, SECOND)
    assert ask(counted) == [(0,)]
    await on_postgres(None, FIRST, THIRD, publish=True)
    assert ask(counted) == [(2,)]
    await on_postgres(None, CHANGED, SECOND, publish=True)
    assert ask(counted) == [(3,)]
    await on_postgres(None, FIRST)
    assert ask(counted) == [(3,)]
    assert ask("select count(*) from questions where published_version is not null") == [(3,)]


async def test_a_report_tells_of_what_it_changed_in_review(imports: Imports) -> None:
    """Beside the other findings of the set; not of what is new, the same, refused, or published."""
    await imports(ADMIN, FIRST, SECOND, publish=True)
    assert (await imports(ADMIN, CHANGED, SECOND)).warnings == {}
    again = [CHANGED.replace("is it?", "is that?"), CHANGED.replace("Q1,", "Q7,").replace("is it?", "is that?")]

    trial = await imports(ADMIN, *again, SECOND, mode=ImportMode.DRY_RUN)
    foreign = await imports(ANN, *again, SECOND, mode=ImportMode.DRY_RUN)
    report = await imports(ADMIN, *again, SECOND)

    for told in (trial, report):
        assert told.warnings == {"changed_in_review": 1, "same_content_as": 1}
        assert [(found.record, found.code) for found in told.problems] == [
            (2, "changed_in_review"),
            (3, "same_content_as"),
        ]
    assert (foreign.warnings, foreign.rejected) == ({"same_content_as": 1}, 1)
    assert (report.created, report.updated, report.unchanged) == (1, 1, 1)
    assert (await imports(ADMIN, again[0])).warnings == {}
    assert (await imports(ADMIN, FIRST, publish=True)).warnings == {}


_HANDED_IN = """
    insert into question_reviews (question_id, version, round, submitted_by, submitted_at)
    select id, 1, 1, %s, now() from questions
"""


async def test_a_version_in_review_is_rewritten_and_stays_there(on_postgres: Imports, ask: Ask) -> None:
    """Whoever was about to decide has read something else: the round has ended, and the report says so."""
    await on_postgres(ANN, FIRST)
    ask("update question_versions set status = 'in_review'")
    ask("update questions set latest_status = 'in_review'")
    ask(_HANDED_IN, ANN.user_id)

    trial = await on_postgres(ADMIN, CHANGED, mode=ImportMode.DRY_RUN)
    assert ask("select decision from question_reviews") == [(None,)]
    report = await on_postgres(ADMIN, CHANGED)

    for told in (trial, report):
        assert told.warnings == {"changed_in_review": 1}
        assert [(found.record, found.code, found.severity) for found in told.problems] == [
            (2, "changed_in_review", Severity.WARNING)
        ]
    assert ask("select decision, decided_by, decided_at is not null from question_reviews") == [
        ("withdrawn", ADMIN.user_id, True)
    ]
    assert ask("select version, status, rev, editors from question_versions") == [
        (1, "in_review", 2, [ANN.user_id, ADMIN.user_id])
    ]
    assert ask("select latest_status, latest_version from questions") == [("in_review", 1)]


async def test_what_an_import_publishes_waits_for_no_decision(on_postgres: Imports, ask: Ask) -> None:
    await on_postgres(ANN, FIRST)
    ask("update question_versions set status = 'in_review'")
    ask(_HANDED_IN, ANN.user_id)

    assert (await on_postgres(ADMIN, FIRST, publish=True)).warnings == {}

    assert ask("select decision, decided_by from question_reviews") == [("approved", ADMIN.user_id)]
    assert ask("select status from question_versions") == [("published",)]


async def test_of_an_id_with_two_contents_nothing_stays(on_postgres: Imports, ask: Ask) -> None:
    """Neither the question that was added with its block nor the topic that only it named."""
    rows = [SECOND, FIRST.replace("Routing", "Rare"), CHANGED.replace("Routing", "Rare")]

    report = await on_postgres(ANN, *rows, mode=ImportMode.SKIP_INVALID)

    assert (report.created, report.rejected) == (1, 2)
    assert ask("select external_id from questions") == [("Q2",)]
    assert ask("select name from question_topics") == [("Switching",)]


async def test_rejected_records_can_be_corrected_and_imported_again(imports: Imports) -> None:
    report = await imports(None, FIRST, BAD, SECOND, mode=ImportMode.SKIP_INVALID)

    header, *rows = await imports.rejected(report)

    assert header[:5] == ["problem-record", "problem-line", "problem-codes", "problem-messages", "question-id"]
    assert [row[:5] for row in rows] == [["3", "3", "answer_not_an_option", "There is no option Z.", "Q9"]]
    text = StringIO()
    csv.writer(text).writerows([header, *[[*row[:-1], "A"] for row in rows]])
    corrected = ImportOrder(file=file_of(text.getvalue().encode()), bank="network")
    again = await imports.use(None, corrected)
    assert (again.created, again.rejected, again.warnings) == (1, 0, {})


async def test_what_the_file_as_a_set_refuses_is_among_the_rejected(imports: Imports) -> None:
    """After what was wrong by itself, with the cells of the file; also when the import was refused as a whole."""
    report = await imports(None, FIRST, BAD, CHANGED)

    assert report.status is ImportStatus.REFUSED
    _, *rows = await imports.rejected(report)
    assert [(row[0], row[2], row[4]) for row in rows] == [
        ("3", "answer_not_an_option", "Q9"),
        ("2", "duplicate_id", "Q1"),
        ("4", "duplicate_id", "Q1"),
    ]
    assert len(rows) == report.rejected
    assert await imports.rejected(await imports(None, FIRST)) == []


async def test_what_changed_is_found_by_its_words(on_postgres: Imports, ask: Ask) -> None:
    """At once after a small import, by a job after a large one."""
    await on_postgres(None, FIRST, SECOND)
    assert ask("select count(*) from question_search") == [(2,)]
    jobs = """
        select b.slug from procrastinate_jobs join question_banks b on b.id = args ->> 'bank'
        where task_name = 'index_questions'
    """
    assert ask(jobs) == []

    await on_postgres(None, *[FIRST.replace("Q1,", f"Q{n},") for n in range(501)], bank="large")

    assert ask(jobs) == [("large",)]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update questions set question_bank_id = 'qbk_none'", "questions_question_bank_id_fkey"),
        (
            """
            insert into question_versions (question_id, version, status, kind, stem, stem_format, choices, answer_key,
                                           content_hash, created_at, updated_at)
            values ('qst_none', 1, 'draft', 'single', 'x', 'plain', '[]', '{}', sha256(''), now(), now())
            """,
            "question_versions_question_id_fkey",
        ),
    ],
)
async def test_the_schema_refuses_what_names_nothing(
    on_postgres: Imports, ask: Ask, statement: str, constraint: str
) -> None:
    await on_postgres(None, FIRST)

    with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
        ask(statement)

    assert caught.value.diag.constraint_name in {constraint, constraint.replace("questions_", "question_versions_")}


class _Hesitant(PostgresImportWork):
    """An import that has staged its rows and waits before it judges them."""

    staged = asyncio.Event()
    go_on = asyncio.Event()

    async def judge(self) -> SetFindings:
        self.staged.set()
        await self.go_on.wait()
        return await super().judge()


@pytest.mark.parametrize("what", ["topic", "bank"])
async def test_what_an_import_needs_is_not_deleted_under_it(
    on_postgres: Imports, database: Database, ids: TimeOrderedIds, ask: Ask, what: str
) -> None:
    """Whoever deletes waits until the import ends, and is refused then."""
    taxonomy = PostgresTransaction(database, PostgresTaxonomyWork, ids)
    bank = await CreateBank(transact=taxonomy, ids=ids)(ADMIN, NewBank(title="The bank", slug="demo"))
    topic = await CreateTopic(transact=taxonomy, ids=ids)(ADMIN, bank.id, "Routing")
    _Hesitant.staged, _Hesitant.go_on = asyncio.Event(), asyncio.Event()
    transact = PostgresTransaction(database, _Hesitant, ids, deadline_seconds=60)
    importing = asyncio.create_task(replace(on_postgres.use, transact=transact)(None, order(FIRST, bank="demo")))
    await _Hesitant.staged.wait()
    deleting = asyncio.create_task(
        DeleteTopic(transact=taxonomy)(ADMIN, topic.id)
        if what == "topic"
        else DeleteBank(transact=taxonomy)(ADMIN, bank.id)
    )
    await asyncio.sleep(0.2)
    assert not deleting.done()
    _Hesitant.go_on.set()
    assert (await importing).created == 1
    with pytest.raises(TopicInUse if what == "topic" else BankInUse):
        await deleting
    assert ask("select count(*) from questions q join question_topics t on t.id = q.topic_id") == [(1,)]

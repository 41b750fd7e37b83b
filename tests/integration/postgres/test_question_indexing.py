"""Making questions searchable: by whoever changes one, and by the job behind a large import."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank import listing
from adapters.postgres.question_bank.indexing import PostgresIndexingWork, index_questions
from adapters.postgres.question_bank.listing import PostgresQuestionListReader
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from application.question_bank.indexing import IndexingOrder, IndexQuestions
from application.question_bank.listing import QuestionFilter
from application.question_bank.ports.indexing import IndexingStep
from domain.question_bank.lifecycle import VersionStatus
from tests.support.listed_questions import ADMIN, ABank, AQuestion, Shelf
from tests.support.postgres import ClonedDatabase

NETS = ABank(id="qbk_nets")
KEYS = ABank(id="qbk_keys")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def shelf(cloned: ClonedDatabase) -> Shelf:
    """Questions that nobody has indexed yet."""
    shelf = Shelf(cloned, indexing=False)
    shelf.settle()
    return shelf


@pytest.fixture
def transact(database: Database, ids: TimeOrderedIds) -> PostgresTransaction[PostgresIndexingWork]:
    return PostgresTransaction(database, PostgresIndexingWork, ids)


@pytest.fixture
def reader(database: Database) -> PostgresQuestionListReader:
    return PostgresQuestionListReader(database)


async def _run(database: Database, job: IndexQuestions, order: IndexingOrder) -> int:
    """How many jobs it takes, each of which the one before has left."""
    jobs, waiting = 0, [dict(order.job.payload)]
    while waiting:
        await job(waiting.pop())
        jobs += 1
        rows = await database.fetch_all(
            "delete from procrastinate_jobs where task_name = 'index_questions' returning args"
        )
        waiting += [row["args"] for row in rows]
    return jobs


async def _found(reader: PostgresQuestionListReader, text: str) -> list[str]:
    return [item.id for item in await reader.page(QuestionFilter(text=text), ADMIN, after=None, limit=100)]


async def _indexed(database: Database) -> list[str]:
    rows = await database.fetch_all("select question_id from question_search order by 1")
    return [row["question_id"] for row in rows]


async def test_the_questions_of_a_bank_are_found_by_their_words_after_the_job(
    shelf: Shelf,
    database: Database,
    transact: PostgresTransaction[PostgresIndexingWork],
    reader: PostgresQuestionListReader,
) -> None:
    shelf.add(*(AQuestion(id=f"qst_{n:02}", bank=(NETS, KEYS)[n % 2], stem=f"router number{n}") for n in range(20)))
    assert await _found(reader, "router") == []
    job = IndexQuestions(transact=transact, batch=3, steps=2)
    assert await _run(database, job, IndexingOrder(bank="nets")) == 2
    assert await _indexed(database) == [f"qst_{n:02}" for n in range(0, 20, 2)]
    assert await _found(reader, "number4") == ["qst_04"]
    await _run(database, job, IndexingOrder(bank=KEYS.id))
    assert len(await _found(reader, "router")) == 20


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_steps_find_each_question_of_a_bank_once_and_few_of_them_lead_past_the_others(
    shelf: Shelf, transact: PostgresTransaction[PostgresIndexingWork], limit: int
) -> None:
    """Side by side, and more and more of another bank between them."""
    own = {0, 1, 2, 3, 5, 11, 17, 29, 30, 48}
    shelf.add(*(AQuestion(id=f"qst_{n:02}", bank=NETS if n in own else KEYS) for n in range(59)))
    found: list[str] = []
    steps, after = 0, ""
    while True:

        async def look(work: PostgresIndexingWork, after: str = after) -> IndexingStep:
            return await work.hold_questions(NETS.id, changed_since=None, after=after, limit=limit)

        step = await transact(look)
        assert len(step.question_ids) <= limit
        found += step.question_ids
        steps += 1
        if step.reached is None:
            break
        assert step.reached > after
        after = step.reached
    assert found == [f"qst_{n:02}" for n in sorted(own)]
    assert steps <= 10 / limit + 59 / (10 * limit) + 2


async def test_a_job_that_runs_again_changes_nothing(
    shelf: Shelf, database: Database, transact: PostgresTransaction[PostgresIndexingWork]
) -> None:
    shelf.add(*(AQuestion(id=f"qst_{n}", bank=NETS) for n in range(3)))
    job = IndexQuestions(transact=transact)
    await _run(database, job, IndexingOrder(bank="nets"))
    before = await database.fetch_all("select ctid, * from question_search order by question_id")
    await _run(database, job, IndexingOrder(bank="nets"))
    assert await database.fetch_all("select ctid, * from question_search order by question_id") == before


async def test_what_has_not_changed_since_is_left_alone(
    shelf: Shelf, database: Database, transact: PostgresTransaction[PostgresIndexingWork]
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=NETS), AQuestion(id="qst_2", bank=NETS))
    await database.fetch_all(
        "update questions set updated_at = %(at)s where id = 'qst_1' returning id", {"at": LONG_AGO}
    )
    order = IndexingOrder(bank="nets", changed_since=datetime(2021, 1, 1, tzinfo=UTC))
    await _run(database, IndexQuestions(transact=transact), order)
    assert await _indexed(database) == ["qst_2"]


async def test_a_deleted_question_is_forgotten(
    shelf: Shelf, database: Database, transact: PostgresTransaction[PostgresIndexingWork]
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=NETS))
    await _run(database, IndexQuestions(transact=transact), IndexingOrder(bank="nets"))
    await database.fetch_all("delete from question_versions returning question_id")
    await database.fetch_all("delete from questions returning id")
    assert await _indexed(database) == []


async def test_a_question_that_is_changed_while_the_job_runs_is_found_as_it_is_afterwards(
    shelf: Shelf,
    database: Database,
    transact: PostgresTransaction[PostgresIndexingWork],
    reader: PostgresQuestionListReader,
) -> None:
    """The job has chosen the question when its editor holds it; it waits, and reads what the editor wrote."""
    shelf.add(AQuestion(id="qst_1", bank=NETS, stem="old"))
    held, waiting = asyncio.Event(), asyncio.Event()

    async def edit(work: PostgresWork) -> None:
        await work._one("select id from questions where id = 'qst_1' for update")
        held.set()
        await waiting.wait()
        await work._run("update question_versions set stem = 'new' where question_id = 'qst_1'")
        await index_questions(work, ["qst_1"])

    async def look(work: PostgresIndexingWork) -> None:
        step = asyncio.ensure_future(work.hold_questions("nets", changed_since=None, after="", limit=10))
        while not await _somebody_waits(database):
            await asyncio.sleep(0)
        waiting.set()
        await work.index_questions((await step).question_ids)

    editing = asyncio.create_task(PostgresTransaction(database, PostgresWork, TimeOrderedIds())(edit))
    await held.wait()
    await transact(look)
    await editing
    assert await _found(reader, "new") == ["qst_1"]
    assert await _found(reader, "old") == []


async def _somebody_waits(database: Database) -> bool:
    row = await database.fetch_one("select exists (select from pg_locks where not granted) as yes")
    return row is not None and bool(row["yes"])


async def test_an_editor_waits_for_the_job_and_has_the_last_word(
    shelf: Shelf,
    database: Database,
    transact: PostgresTransaction[PostgresIndexingWork],
    reader: PostgresQuestionListReader,
) -> None:
    shelf.add(AQuestion(id="qst_1", bank=NETS, stem="old"))

    async def edit(work: PostgresWork) -> None:
        await work._one("select id from questions where id = 'qst_1' for update")
        await work._run("update question_versions set stem = 'new' where question_id = 'qst_1'")
        await index_questions(work, ["qst_1"])

    editing: list[asyncio.Task[None]] = []

    async def index(work: PostgresIndexingWork) -> None:
        step = await work.hold_questions("nets", changed_since=None, after="", limit=10)
        editing.append(asyncio.create_task(PostgresTransaction(database, PostgresWork, TimeOrderedIds())(edit)))
        while not await _somebody_waits(database):
            await asyncio.sleep(0)
        await work.index_questions(step.question_ids)

    await transact(index)
    await editing[0]
    assert await _found(reader, "new") == ["qst_1"]


@pytest.mark.parametrize("candidates", [1, 10])
@pytest.mark.parametrize("reach", [1, 10])
@pytest.mark.parametrize("few", [0, 10])
async def test_a_filter_is_right_while_the_document_does_not_know_of_a_change_yet(
    shelf: Shelf,
    database: Database,
    transact: PostgresTransaction[PostgresIndexingWork],
    reader: PostgresQuestionListReader,
    monkeypatch: pytest.MonkeyPatch,
    candidates: int,
    reach: int,
    few: int,
) -> None:
    """Whoever searches drafts never sees one that is published by now, wherever it was found."""
    monkeypatch.setattr(listing, "_CANDIDATES_IN_A_ROW", candidates)
    monkeypatch.setattr(listing, "_CANDIDATES_AT_LEAST", candidates)
    monkeypatch.setattr(listing, "_WALKED_SEARCHING", candidates)
    monkeypatch.setattr(listing, "_FEW_FILTERED", few)
    monkeypatch.setattr(listing, "_REACH_OF_ALL_BANKS", reach)
    shelf.add(
        AQuestion(id="qst_1", bank=NETS, stem="router"),
        AQuestion(id="qst_2", bank=NETS, stem="router"),
        *(AQuestion(id=f"qst_{number}", bank=NETS, stem="switch") for number in range(3, 7)),
    )
    await _run(database, IndexQuestions(transact=transact), IndexingOrder(bank="nets"))
    await database.fetch_all(
        "update questions set latest_status = 'published', published_version = 1 where id = 'qst_1' returning id"
    )
    drafts = QuestionFilter(text="router", status=VersionStatus.DRAFT)
    assert [item.id for item in await reader.page(drafts, ADMIN, after=None, limit=5)] == ["qst_2"]

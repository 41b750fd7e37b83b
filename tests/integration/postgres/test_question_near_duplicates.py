"""Near duplicates on PostgreSQL: what each with each would find, found without comparing each with each."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import combinations

import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank import near_duplicates
from adapters.postgres.question_bank.near_duplicates import PostgresComparingWork, PostgresNearDuplicateReader
from adapters.postgres.transaction import PostgresTransaction
from application.question_bank.changes import QuestionChange
from application.question_bank.imports import ImportOrder
from application.question_bank.near_duplicates import (
    CompareQuestions,
    ComparingOrder,
    ComparisonNotFound,
    ReadNearDuplicates,
)
from application.question_bank.ports.importing import FileOptions
from application.question_bank.ports.near_duplicates import NearDuplicate
from domain.auth.people import Actor, Role
from domain.question_bank.import_report import ImportMode
from domain.question_bank.imported import FormattedText
from domain.question_bank.lifecycle import Expected
from domain.question_bank.similarity import ALIKE, resemblance, shingles, sketch
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.support.postgres import ClonedDatabase

ADMIN = Actor(user_id="usr_admin", role=Role.ADMIN, session_id="ses_1")
INSTRUCTOR = Actor(user_id="usr_instructor", role=Role.INSTRUCTOR, session_id="ses_2")
OTHER = Actor(user_id="usr_other", role=Role.INSTRUCTOR, session_id="ses_3")
HEADER = (
    "question-id,domain,question-text,option-a,option-b,option-c,option-d,"
    "explanation-a,explanation-b,explanation-c,explanation-d,correct answer"
)


def people(cloned: ClonedDatabase) -> None:
    """Whoever does something of their own is there."""
    with cloned.administration() as connection:
        for actor in (ADMIN, INSTRUCTOR):
            connection.execute(
                "insert into users (id, email, role, password_hash, created_at, updated_at)"
                " values (%s, %s, %s, 'none', now(), now())",
                (actor.user_id, f"{actor.user_id}@school.example", actor.role.value),
            )


@pytest.fixture
async def container(cloned: ClonedDatabase, database: Database) -> Container:
    container = Container(settings=Settings(database_url=cloned.urls.app))
    container.database.override(database)
    return container


async def imported(container: Container, rows: Sequence[tuple[str, str]], bank: str = "words") -> ComparingOrder:
    """Import (id, text) rows; answers the order of the comparison that follows."""
    lines = [HEADER, *(f"{id_},About,{text},yes,no,,,,,,,A" for id_, text in rows)]
    file = container.question_files().from_file("f.csv", io.BytesIO("\n".join(lines).encode()), FileOptions())
    report = await container.import_questions()(None, ImportOrder(file=file, bank=bank))
    assert report.created + report.updated + report.unchanged == len(rows), report
    (row,) = await container.database().fetch_all(
        "select b.id, max(q.updated_at) as at from questions q join question_banks b on b.id = q.question_bank_id"
        " where b.slug = %(bank)s group by b.id",
        {"bank": bank},
    )
    return ComparingOrder(import_id=report.id, bank_id=row["id"], changed_at=row["at"])


async def compare(container: Container, order: ComparingOrder, **limits: int) -> list[NearDuplicate]:
    await CompareQuestions(transact=container.comparing_transaction(), **limits)(order.job.payload)
    return await found(container, order)


async def found(container: Container, order: ComparingOrder) -> list[NearDuplicate]:
    reader = PostgresNearDuplicateReader(container.database())
    return list(await reader.pairs(order.import_id, after=None, limit=1_000))


def names(pairs: Sequence[NearDuplicate]) -> set[frozenset[str]]:
    return {frozenset((pair.external_id, pair.other_external_id)) for pair in pairs}


def sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """Sentences of which some are others with a word or two changed."""
    dice = random.Random(seed)
    texts: list[list[str]] = []
    for number in range(count):
        if texts and dice.random() < 0.5:
            words = [*dice.choice(texts)]
            for _ in range(dice.randrange(3)):
                words[dice.randrange(len(words))] = f"new{number}"
        else:
            words = [f"w{dice.randrange(500)}" for _ in range(dice.randrange(12, 40))]
        texts.append(words)
    return [(f"q{number}", " ".join(words)) for number, words in enumerate(texts)]


@pytest.mark.parametrize("step", [500, 7])
async def test_it_finds_what_comparing_each_with_each_finds(
    container: Container, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """However many steps it takes, past however many questions of another bank."""
    monkeypatch.setattr(near_duplicates, "_STEP", step)
    monkeypatch.setattr(near_duplicates, "_HELD", step)
    await imported(container, sentences(90, seed=1), bank="other")
    rows = sentences(150, seed=7)
    order = await imported(container, rows)
    pairs = await compare(container, order)
    of_bank = (
        "select q.id, q.external_id from questions q join question_banks b on b.id = q.question_bank_id"
        " where b.slug = 'words'"
    )
    told = await container.database().fetch_all(of_bank)
    stated = await container.comparing_transaction()(lambda work: work.stated([row["id"] for row in told]))
    by_name = {row["external_id"]: shingles(stated[row["id"]]) for row in told}
    expected = {frozenset(pair): resemblance(by_name[pair[0]], by_name[pair[1]]) for pair in combinations(by_name, 2)}
    alike = {pair for pair, share in expected.items() if share >= ALIKE}
    assert len(alike) > 20
    assert names(pairs) <= alike
    assert len(names(pairs)) == len(pairs)
    assert len(names(pairs)) >= 0.99 * len(alike)
    for pair in pairs:
        exact = expected[frozenset((pair.external_id, pair.other_external_id))]
        assert Decimal(0) <= Decimal(exact.numerator) / exact.denominator - pair.resemblance < Decimal("0.001")
    assert [pair.resemblance for pair in pairs] == sorted((pair.resemblance for pair in pairs), reverse=True)


async def test_a_later_import_is_compared_with_the_bank_and_not_with_others(container: Container) -> None:
    text = "a question of some length about nothing in particular that anybody would want to know"
    await compare(container, await imported(container, [("old", text)]))
    await compare(container, await imported(container, [("elsewhere", text)], bank="other"))
    order = await imported(container, [("new", text), ("different", "something else entirely that is not like it")])
    (pair,) = await compare(container, order)
    assert (pair.external_id, pair.other_external_id) == ("new", "old")
    assert (pair.resemblance, pair.identical) == (Decimal(1), True)
    assert await compare(container, order) == [pair]


async def test_a_changed_question_is_known_by_its_new_text(container: Container) -> None:
    one, two = "alpha beta gamma delta epsilon zeta eta theta", "iota kappa lambda mu nu xi omicron pi"
    await compare(container, await imported(container, [("first", one)]))
    await compare(container, await imported(container, [("first", two)]))
    order = await imported(container, [("like-the-old", one), ("like-the-new", two)])
    assert names(await compare(container, order)) == {frozenset(("like-the-new", "first"))}


async def test_a_phrase_that_everybody_uses_compares_nobody(container: Container) -> None:
    """Thirty questions share every shingle: their pairs are not told, or a million would be a matter of years."""
    order = await imported(container, [(f"q{number}", "the same words again and again") for number in range(30)])
    assert await compare(container, order) == []


async def test_no_more_pairs_are_kept_than_anybody_reads(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that reaches the bound is the last one, and the import counts as compared all the same."""
    monkeypatch.setattr(near_duplicates, "_STEP", 12)
    texts = [f"group {n // 10} says of group {n // 10} what group {n // 10} always says" for n in range(40)]
    order = await imported(container, [(f"q{n}", text) for n, text in enumerate(texts)])
    few = await compare(container, order, most_pairs=1)
    assert 0 < len(few) < 4 * 45
    read = ReadNearDuplicates(near_duplicate_reader=PostgresNearDuplicateReader(container.database()))
    assert (await read(ADMIN, order.import_id, after=None, limit=1))[0] is True
    assert len(await compare(container, order)) == 4 * 45


async def test_what_is_deleted_meanwhile_is_not_told(container: Container, cloned: ClonedDatabase) -> None:
    text = "a question of some length about nothing in particular that anybody would want to know"
    order = await imported(container, [("one", text), ("two", text)])
    assert len(await compare(container, order)) == 1
    with cloned.administration() as connection:
        connection.execute("delete from question_versions")
        connection.execute("delete from questions where external_id = 'one'")
    assert await found(container, order) == []
    assert await compare(container, order) == []


async def test_a_comparison_is_pending_until_it_has_been_made(container: Container, cloned: ClonedDatabase) -> None:
    read = ReadNearDuplicates(near_duplicate_reader=PostgresNearDuplicateReader(container.database()))
    order = await imported(container, [("one", "something to compare")])
    assert await read(INSTRUCTOR, order.import_id, after=None, limit=10) == (False, ())
    await compare(container, order)
    assert await read(INSTRUCTOR, order.import_id, after=None, limit=10) == (True, ())
    with pytest.raises(ComparisonNotFound):
        await read(INSTRUCTOR, "imp_none", after=None, limit=10)
    with cloned.administration() as connection:
        connection.execute("update question_banks set visibility = 'hidden'")
    with pytest.raises(ComparisonNotFound):
        await read(INSTRUCTOR, order.import_id, after=None, limit=10)
    assert await read(ADMIN, order.import_id, after=None, limit=10) == (True, ())
    with cloned.administration() as connection:
        connection.execute("update question_banks set slug = 'renamed'")
    await imported(container, [("one", "a bank of its own")])
    with pytest.raises(ComparisonNotFound):
        await read(INSTRUCTOR, order.import_id, after=None, limit=10)


@pytest.mark.parametrize("gone", [False, True])
async def test_where_there_is_no_bank_only_the_importer_learns_of_it(
    container: Container, cloned: ClonedDatabase, gone: bool
) -> None:
    read = ReadNearDuplicates(near_duplicate_reader=PostgresNearDuplicateReader(container.database()))
    people(cloned)
    file = container.question_files().from_file(
        "f.csv", io.BytesIO(f"{HEADER}\nq,,x,y,n,,,,,,,A".encode()), FileOptions()
    )
    mode = ImportMode.ALL_OR_NOTHING if gone else ImportMode.DRY_RUN
    report = await container.import_questions()(INSTRUCTOR, ImportOrder(file=file, bank="new", mode=mode))
    with cloned.administration() as connection:
        for table in ("question_versions", "questions", "question_banks"):
            connection.execute(f"delete from {table}".encode())
    for actor in (INSTRUCTOR, ADMIN):
        assert await read(actor, report.id, after=None, limit=10) == (False, ())
    with pytest.raises(ComparisonNotFound):
        await read(OTHER, report.id, after=None, limit=10)


async def test_a_bank_may_be_called_something_else_before_it_is_compared(
    container: Container, cloned: ClonedDatabase
) -> None:
    text = "a question of some length about nothing in particular that anybody would want to know"
    order = await imported(container, [("one", text), ("two", text)])
    with cloned.administration() as connection:
        connection.execute("update question_banks set slug = 'renamed'")
        jobs = "select args from procrastinate_jobs where task_name = 'compare_questions'"
        ((payload,),) = connection.execute(jobs).fetchall()
    await CompareQuestions(transact=container.comparing_transaction())(payload)
    assert names(await found(container, order)) == {frozenset(("one", "two"))}


async def test_questions_that_are_older_than_sketches_are_found(
    container: Container, cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step, past those that have no words and so never get one; other banks are left alone."""
    monkeypatch.setattr(near_duplicates, "_HELD", 2)
    text = "a question of some length about nothing in particular that anybody would want to know"
    wordless = [(f"w{number}", f"wordless {number}") for number in range(5)]
    await imported(container, [*wordless, ("old", text)])
    await imported(container, [("elsewhere", text)], bank="other")
    with cloned.administration() as connection:
        connection.execute("update question_versions set stem = '?', choices = '[]' where stem like 'wordless%'")
    order = await imported(container, [("new", text)])
    async with asyncio.timeout(60):
        assert names(await compare(container, order)) == {frozenset(("new", "old"))}
        assert names(await compare(container, order)) == {frozenset(("new", "old"))}
    with cloned.administration() as connection:
        sketched = (
            "select distinct q.external_id from question_sketches s join questions q on q.id = s.question_id order by 1"
        )
        assert connection.execute(sketched).fetchall() == [("new",), ("old",)]


class _Hesitant(PostgresComparingWork):
    """Has read what the questions say and waits before it writes their sketches."""

    read = asyncio.Event()
    go_on = asyncio.Event()

    async def replace(self, sketches: Mapping[str, Sequence[int]]) -> None:
        self.read.set()
        await self.go_on.wait()
        await super().replace(sketches)


async def test_comparisons_and_changes_of_the_same_questions_do_not_get_in_each_others_way(
    container: Container, cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes first, at the end every sketch is that of what its question says."""
    monkeypatch.setattr(near_duplicates, "_HELD", 7)
    people(cloned)
    order = await imported(container, sentences(40, seed=11))
    ids = [row["id"] for row in await container.database().fetch_all("select id from questions order by id desc")]

    async def change(by: int) -> None:
        for number, id_ in enumerate(ids):
            if number % 2 == by:
                says = FormattedText(text=f"what {id_} says now is something else")
                await container.edit_question()(ADMIN, id_, QuestionChange(stem=says), Expected())

    compares = [CompareQuestions(transact=container.comparing_transaction())(order.job.payload) for _ in range(2)]
    await asyncio.gather(*compares, change(0), change(1))

    stated = await container.comparing_transaction()(lambda work: work.stated(ids))
    kept = "select question_id, array_agg(value order by value) as values from question_sketches group by 1"
    assert {row["question_id"]: row["values"] for row in await container.database().fetch_all(kept)} == {
        id_: sorted(sketch(shingles(says))) for id_, says in stated.items()
    }


async def test_a_question_that_is_changed_while_it_is_compared_keeps_its_new_sketch(
    container: Container, cloned: ClonedDatabase
) -> None:
    """Whoever changes it waits for the comparison, which would otherwise write what it has read before."""
    people(cloned)
    one, two = "alpha beta gamma delta epsilon zeta eta theta", "iota kappa lambda mu nu xi omicron pi"
    order = await imported(container, [("first", one)])
    (row,) = await container.database().fetch_all("select id from questions")
    _Hesitant.read, _Hesitant.go_on = asyncio.Event(), asyncio.Event()
    transact = PostgresTransaction(container.database(), _Hesitant, container.ids())
    comparing = asyncio.create_task(CompareQuestions(transact=transact)(order.job.payload))
    await _Hesitant.read.wait()
    change = QuestionChange(stem=FormattedText(text=two))
    changing = asyncio.create_task(container.edit_question()(ADMIN, row["id"], change, Expected()))
    await asyncio.sleep(0.3)
    waits = not changing.done()
    _Hesitant.go_on.set()
    await comparing
    await changing
    assert waits
    order = await imported(container, [("like-the-old", one), ("like-the-new", two)])
    assert names(await compare(container, order)) == {frozenset(("like-the-new", "first"))}


async def test_pages_follow_each_other(container: Container) -> None:
    order = await imported(container, sentences(60, seed=3))
    whole = await compare(container, order)
    assert len(whole) > 5
    reader = PostgresNearDuplicateReader(container.database())
    pages: list[NearDuplicate] = []
    after = None
    while page := await reader.pairs(order.import_id, after=after, limit=2):
        pages += page
        after = (page[-1].resemblance, page[-1].question_id, page[-1].other_id)
    assert pages == whole

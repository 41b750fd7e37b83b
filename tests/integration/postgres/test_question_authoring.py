"""What every store of authoring keeps: the same suite on memory and on PostgreSQL, and what only PostgreSQL shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank.imports import PostgresImportWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from adapters.system.threads import AsyncioThreads
from application.question_bank.changes import QuestionChange
from application.question_bank.imports import ImportQuestions
from application.question_bank.ports.authoring import AuthoringWork, Labels
from domain.question_bank.authority import BankAccess
from domain.question_bank.content import QuestionContent
from domain.question_bank.imported import FormattedText, ImportedChoice, Prompt, TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import Expected, Question, VersionStatus
from domain.question_bank.lifecycle_refusals import (
    ExternalIdTaken,
    OpenVersionExists,
    QuestionInUse,
    QuestionStale,
    WrongStatus,
)
from domain.question_bank.review import Decision
from tests.support.authoring_builders import ANN, BANKS, BEN, COMPLETE, DEN, NET, ROOT, a_question, text
from tests.support.authoring_stores import AuthoringStore, InMemory, OnPostgres
from tests.support.import_files import order
from tests.support.postgres import ClonedDatabase, SettableClock

HTML = FormattedText(text="<p>safe <b>b</b></p>", format=TextFormat.HTML)
FULL = QuestionContent(
    kind=QuestionKind.MATCHING,
    stem=FormattedText(text="Γειά $x^2$ 'quoted' \"so\" \\", format=TextFormat.MARKDOWN),
    choices=(
        ImportedChoice(key="A", text=HTML, correct=True, weight=Decimal("0.3333333"), explanation=text("because")),
        ImportedChoice(key="B", text=text("<script>"), correct=False, weight=Decimal("-0.5"), pinned=True),
    ),
    prompts=(Prompt(text=HTML, choice="B"), Prompt(text=text("two"), choice="A")),
    explanation=HTML,
    topic_id="top_switch",
    difficulty_id="dif_hard",
    tags=("ip", "Ünïcode"),
    points=Decimal("2.5"),
    shuffle=False,
)
SECOND_DRAFT = """
insert into question_versions select (jsonb_populate_record(v, '{"version": 2}')).* from question_versions v
"""


@pytest.fixture(params=["memory", "postgres"])
def empty_store(request: pytest.FixtureRequest, clock: SettableClock) -> AuthoringStore:
    if request.param == "memory":
        return InMemory(clock=clock)
    database: Database = request.getfixturevalue("database")
    return OnPostgres(database=database, clock=clock)


@pytest.fixture
async def store(empty_store: AuthoringStore) -> AuthoringStore:
    """A store with the people, banks and topics of `authoring_builders`."""
    await empty_store.settle()
    return empty_store


@pytest.fixture
async def on_postgres(database: Database, clock: SettableClock) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock)
    await store.settle()
    return store


async def held(store: AuthoringStore, question_id: str) -> Question:
    question = await store.transact(lambda work: work.hold_question(question_id))
    assert question is not None
    return question


async def test_a_bank_tells_who_may_write_in_it(store: AuthoringStore) -> None:
    async def banks(work: AuthoringWork) -> list[BankAccess | None]:
        return [await work.bank(bank_id) for bank_id in (*(bank.id for bank in BANKS), "qbk_none")]

    assert await store.transact(banks) == [*BANKS, None]


async def test_labels_are_those_of_the_bank(store: AuthoringStore) -> None:
    async def labels(work: AuthoringWork) -> list[Labels]:
        return [
            await work.labels(NET.id, "top_route", "dif_hard"),
            await work.labels(NET.id, "top_den", "dif_none"),
            await work.labels(NET.id, None, None),
        ]

    assert await store.transact(labels) == [Labels(topic="Routing", difficulty="hard"), Labels(), Labels()]


@pytest.mark.parametrize("content", [*COMPLETE.values(), FULL], ids=[*COMPLETE, "everything"])
async def test_a_question_says_what_was_written(store: AuthoringStore, content: QuestionContent) -> None:
    state = await store.begin(**{name: getattr(content, name) for name in content.__slots__})
    question = await held(store, state.id)
    assert question.latest.content == state.content
    assert question.review is None
    assert not question.was_published
    says = state.content.canonical(external_id="", bank="", topic=_topic(content), difficulty=_code(content))
    assert (await store.rows()).versions[state.id, 1].content_hash == says.content_hash


def _topic(content: QuestionContent) -> str:
    return "Routing" if content.topic_id == "top_route" else "Switching"


def _code(content: QuestionContent) -> str:
    return (content.difficulty_id or "").removeprefix("dif_")


async def test_a_question_that_is_not_there_is_not_held(store: AuthoringStore) -> None:
    assert await store.transact(lambda work: work.hold_question("qst_none")) is None
    assert not await store.transact(lambda work: work.was_served("qst_none"))


async def test_an_external_id_is_taken_once_per_bank(store: AuthoringStore) -> None:
    await store.begin(external_id="N-1")
    with pytest.raises(ExternalIdTaken):
        await store.begin(BEN, external_id="N-1")
    await store.begin(ROOT, external_id="N-1", bank_id=DEN.id, topic_id="top_den")
    await store.begin(external_id="n-1")


async def test_a_step_touches_the_published_version_and_the_latest(store: AuthoringStore, clock: SettableClock) -> None:
    state = await store.begin()
    for number in range(2, 4):
        await store.publish(ROOT, state.id)
        clock.advance(minutes=1)
        await store.edit(ANN, state.id, QuestionChange(stem=text(f"{number}?"), topic_id="top_switch"))
    await store.submit(BEN, state.id)
    question = await held(store, state.id)
    assert [(v.version, v.status, v.rev) for v in question.versions] == [
        (2, VersionStatus.PUBLISHED, 4),
        (3, VersionStatus.IN_REVIEW, 6),
    ]
    assert question.was_published
    assert question.review is not None
    assert (question.review.version, question.review.submitted_by) == (3, BEN.user_id)
    rows = await store.rows()
    assert rows.versions[state.id, 1].version.status is VersionStatus.SUPERSEDED
    assert rows.questions[state.id].updated_at == clock.now()
    assert rows.questions[state.id].topic_id == "top_switch"
    assert rows.published == {NET.id: 1, DEN.id: 0}


async def test_a_question_is_found_under_the_topic_that_students_see(store: AuthoringStore) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    await store.edit(ANN, state.id, QuestionChange(topic_id="top_switch", difficulty_id="dif_hard"))
    row = (await store.rows()).questions[state.id]
    assert (row.topic_id, row.difficulty_id, row.latest_version) == ("top_route", "dif_easy", 2)
    await store.archive(ANN, state.id)
    row = (await store.rows()).questions[state.id]
    assert (row.topic_id, row.difficulty_id, row.published_version) == ("top_switch", "dif_hard", None)


async def test_what_was_published_in_an_earlier_version_is_not_deleted(store: AuthoringStore) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    await store.redraft(ROOT, state.id)
    assert [version.version for version in (await held(store, state.id)).versions] == [2]
    with pytest.raises(QuestionInUse):
        await store.delete(ROOT, state.id)


async def test_a_published_version_cannot_be_rewritten_by_any_means(store: AuthoringStore) -> None:
    state = await store.begin()
    await store.publish(ROOT, state.id)
    before = await store.rows()
    question = await held(store, state.id)
    other = replace(question.latest, content=a_question("Other?"))
    says = other.content.canonical(external_id="", bank="", topic=None, difficulty=None)

    async def rewrite(work: AuthoringWork) -> None:
        await work.rewrite_version(question, other, says)

    with pytest.raises(WrongStatus):
        await store.transact(rewrite)

    async def restate(work: AuthoringWork) -> None:
        await work.save_version(question, other)

    await store.transact(restate)
    assert await store.rows() == before


async def test_a_decision_that_is_written_is_not_written_over(store: AuthoringStore, clock: SettableClock) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    question = await held(store, state.id)
    assert question.review is not None
    first = question.review.decided(Decision.CHANGES_REQUESTED, ROOT.user_id, clock.now(), "No.")
    second = question.review.decided(Decision.APPROVED, BEN.user_id, clock.now() + timedelta(seconds=1))

    async def decide(work: AuthoringWork) -> None:
        await work.save_review(question, first)
        await work.save_review(question, second)

    await store.transact(decide)
    assert (await store.rows()).reviews == {(state.id, 1, 1): first}


async def test_what_is_deleted_takes_its_versions_and_reviews_along(store: AuthoringStore) -> None:
    kept, gone = await store.begin(), await store.begin()
    for state in (kept, gone):
        await store.submit(ANN, state.id)
    await store.delete(ANN, gone.id)
    rows = await store.rows()
    assert (set(rows.questions), set(rows.versions)) == ({kept.id}, {(kept.id, 1)})
    assert set(rows.reviews) == {(kept.id, 1, 1)}


async def test_what_was_served_is_not_deleted(store: AuthoringStore) -> None:
    state = await store.begin()
    await store.serve(state.id, 1)
    with pytest.raises(QuestionInUse):
        await store.delete(ROOT, state.id)
    assert set((await store.rows()).questions) == {state.id}


async def test_a_refusal_in_the_middle_of_a_step_undoes_it(store: AuthoringStore) -> None:
    state = await store.begin()
    before = await store.rows(), await store.audited()
    question = await held(store, state.id)

    async def break_off(work: AuthoringWork) -> None:
        await work.save_version(question, question.latest.moved(VersionStatus.ARCHIVED, work.now))
        await work.count_published(NET.id, 1)
        await work.drop_question(question)
        raise WrongStatus

    with pytest.raises(WrongStatus):
        await store.transact(break_off)
    assert (await store.rows(), await store.audited()) == before


async def test_every_step_is_audited_in_its_own_transaction(store: AuthoringStore, clock: SettableClock) -> None:
    state = await store.begin()
    clock.advance(seconds=1)
    await store.submit(ANN, state.id)
    clock.advance(seconds=1)
    await store.approve(ROOT, state.id, Expected(rev=2))
    told = await store.audited()
    assert [(entry.actor_id, entry.action) for entry in told] == [
        (ANN.user_id, "question.created"),
        (ANN.user_id, "question.submitted"),
        (ROOT.user_id, "question.approved"),
    ]
    assert told[1].after == told[2].before
    assert told[2].after == {"bank_id": NET.id, "version": 1, "rev": 3, "status": "published", "published_version": 1}


async def test_a_revision_that_was_read_of_one_version_decides_nothing_about_what_a_file_opens_next(
    on_postgres: OnPostgres,
) -> None:
    state = await on_postgres.begin(external_id="Q1")
    await on_postgres.publish(ROOT, state.id)
    transact = PostgresTransaction(on_postgres.database, PostgresImportWork, on_postgres.ids, on_postgres.clock)
    row = "Q1,Routing,What else?,a,b,c,d,,,,,easy,,B"
    assert (await ImportQuestions(transact, TimeOrderedIds(), AsyncioThreads())(BEN, order(row, bank=NET.slug))).updated
    assert (await held(on_postgres, state.id)).latest.rev == 3
    for read in (1, 2):
        with pytest.raises(QuestionStale):
            await on_postgres.approve(ROOT, state.id, Expected(rev=read))
    assert (await on_postgres.approve(ROOT, state.id, Expected(rev=3))).published_version == 2


async def test_a_second_open_version_is_refused_by_the_database(on_postgres: OnPostgres) -> None:
    """Whatever a step might overlook."""
    await on_postgres.begin()

    async def break_it(work: AuthoringWork) -> None:
        await work._run(SECOND_DRAFT.encode())  # type: ignore[attr-defined]

    with pytest.raises(OpenVersionExists):
        await on_postgres.transact(break_it)


async def test_a_search_finds_what_a_question_says_now(on_postgres: OnPostgres, cloned: ClonedDatabase) -> None:
    state = await on_postgres.begin(stem=text("Which zebra?"))

    def found(word: str) -> bool:
        query = "select question_id from question_search where document @@ to_tsquery('english', %s)"
        return cloned.keeper.execute(query, (word,)).fetchall() == [(state.id,)]

    assert found("zebra")
    await on_postgres.edit(ANN, state.id, QuestionChange(stem=text("Which giraffe?")))
    assert found("giraffe")
    assert not found("zebra")
    await on_postgres.delete(ANN, state.id)
    assert not found("giraffe")


async def test_a_bank_may_be_without_an_owner(on_postgres: OnPostgres, cloned: ClonedDatabase) -> None:
    cloned.keeper.execute("update question_banks set owner_id = null where id = 'qbk_den'")
    bank = await on_postgres.transact(lambda work: work.bank(DEN.id))
    assert bank == BankAccess(id=DEN.id, slug="den", visible=False)

"""Reading questions on PostgreSQL: what was written comes back, to those who may see it and in one statement each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.question_bank.reading import PostgresQuestionReader
from application.question_bank.changes import QuestionChange
from application.question_bank.steps import QuestionState
from domain.auth.people import Actor
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.lifecycle import Expected, VersionStatus
from domain.question_bank.questions import PublicQuestion
from domain.question_bank.review import Decision
from tests.support.authoring_builders import ANN, BEN, CAT, COMPLETE, DEN, EVE, NET, ROOT, SAM, SECRET, text
from tests.support.authoring_stores import OnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock


@pytest.fixture
async def store(database: Database, clock: SettableClock) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock)
    await store.settle()
    return store


@pytest.fixture
def reader(database: Database) -> PostgresQuestionReader:
    return PostgresQuestionReader(database)


def enroll(cloned: ClonedDatabase, *, status: str = "active", bank: str = NET.id) -> None:
    """Sam is, or was, enrolled in a package that draws from the bank."""
    with cloned.administration() as connection:
        connection.execute(_PACKAGE, {"bank": bank})
        connection.execute(_ENROLLMENT, {"status": status, "user": SAM.user_id})


_PACKAGE = """
with package as (
    insert into exam_packages (id, slug, title, visibility, pass_mark, created_at, updated_at)
    values ('pkg_net', 'net', 'Net', 'visible', 75, now(), now())
), tier as (
    insert into exam_package_tiers (id, exam_package_id, name) values ('tie_net', 'pkg_net', 'Standard')
)
insert into exam_package_banks (exam_package_id, question_bank_id) values ('pkg_net', %(bank)s)
"""
_ENROLLMENT = """
insert into enrollments (user_id, id, exam_package_id, tier_id, status, started_at, ended_at, end_reason)
values (%(user)s, 'enr_1', 'pkg_net', 'tie_net', %(status)s, now(),
        case when %(status)s = 'ended' then now() end, case when %(status)s = 'ended' then 'cancelled' end)
"""


async def published(store: OnPostgres, **changes: Any) -> QuestionState:
    begun = await store.begin(**changes)
    return await store.publish(ROOT, begun.id)


@pytest.mark.parametrize("kind", QuestionKind)
async def test_what_a_step_answers_is_what_is_read(
    store: OnPostgres, reader: PostgresQuestionReader, kind: QuestionKind
) -> None:
    """After each step of a whole life, for every kind."""
    content = COMPLETE[kind]
    parts = ("kind", "choices", "bands", "accepted", "prompts")
    changes: dict[str, Any] = {part: getattr(content, part) for part in parts}
    state = await store.begin(**changes)
    assert state.content == replace(content, stem=state.content.stem)
    steps: list[Callable[[], Awaitable[QuestionState]]] = [
        lambda: store.edit(ANN, state.id, QuestionChange(stem=text("Anew?"), topic_id=None)),
        lambda: store.edit(ANN, state.id, QuestionChange(topic_id="top_switch")),
        lambda: store.submit(ANN, state.id),
        lambda: store.request_changes(ROOT, state.id, "Why?"),
        lambda: store.edit(BEN, state.id, QuestionChange(tags=())),
        lambda: store.submit(BEN, state.id),
        lambda: store.approve(ROOT, state.id, Expected(rev=7), note="Well."),
        lambda: store.edit(ANN, state.id, QuestionChange(stem=text("Once more?"))),
        lambda: store.archive(ANN, state.id),
    ]
    assert await reader.question(ANN, state.id) == state
    for step in steps:
        after = await step()
        assert await reader.question(EVE, state.id) == after
    assert (after.version, after.published_version, after.editors) == (2, None, (ANN.user_id,))


@pytest.mark.parametrize(("actor", "sees"), [(ANN, False), (EVE, False), (CAT, True), (ROOT, True)])
async def test_a_question_of_a_hidden_bank_is_not_there_for_others(
    store: OnPostgres, reader: PostgresQuestionReader, actor: Actor, sees: bool
) -> None:
    state = await store.begin(CAT, bank_id=DEN.id, topic_id="top_den")
    found = [
        await reader.question(actor, state.id),
        await reader.versions_of(actor, state.id, [1]),
        await reader.versions(actor, state.id, before=None, limit=5),
        await reader.reviews(actor, state.id, limit=5),
    ]
    assert [each is not None for each in found] == [sees] * 4


async def test_a_co_editor_sees_a_hidden_bank(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    state = await store.begin()
    with cloned.administration() as connection:
        connection.execute("update question_banks set visibility = 'hidden'")
    assert await reader.question(BEN, state.id) == state
    assert await reader.question(EVE, state.id) is None


async def test_a_question_that_there_is_not(store: OnPostgres, reader: PostgresQuestionReader) -> None:
    assert await reader.question(ROOT, "qst_none") is None
    assert await reader.versions_of(ROOT, "qst_none", [1]) is None
    assert await reader.versions(ROOT, "qst_none", before=None, limit=5) is None
    assert await reader.reviews(ROOT, "qst_none", limit=5) is None
    assert await reader.published_question(SAM.user_id, "qst_none") is None


async def test_versions_are_told_apart_from_a_question_without_them(
    store: OnPostgres, reader: PostgresQuestionReader, clock: SettableClock
) -> None:
    first = await published(store)
    clock.advance(minutes=5)
    await store.edit(BEN, first.id, QuestionChange(stem=text("Anew?")))
    latest, oldest = await reader.versions(EVE, first.id, before=None, limit=5) or ()
    assert (latest.version, latest.status, latest.editors) == (2, VersionStatus.DRAFT, (BEN.user_id,))
    assert (oldest.version, oldest.status, oldest.editors) == (1, VersionStatus.PUBLISHED, (ANN.user_id,))
    assert (latest.created_at, latest.decided_at) == (clock.now(), None)
    assert await reader.versions(EVE, first.id, before=2, limit=5) == (oldest,)
    assert await reader.versions(EVE, first.id, before=None, limit=1) == (latest,)
    assert await reader.versions(EVE, first.id, before=1, limit=5) == ()
    read = {view.version: view for view in await reader.versions_of(EVE, first.id, [1, 2, 9]) or ()}
    assert {number: view.content.stem.text for number, view in read.items()} == {
        1: first.content.stem.text,
        2: "Anew?",
    }
    assert read[1].content == first.content
    assert await reader.versions_of(EVE, first.id, [9]) == ()


async def test_the_note_is_that_of_the_last_round_of_its_version(
    store: OnPostgres, reader: PostgresQuestionReader
) -> None:
    state = await store.begin()
    await store.submit(ANN, state.id)
    await store.request_changes(ROOT, state.id, "Why?")
    (view,) = await reader.versions_of(ANN, state.id, [1]) or ()
    assert view.note == "Why?"
    await store.submit(ANN, state.id)
    (view,) = await reader.versions_of(ANN, state.id, [1]) or ()
    assert view.note is None
    await store.approve(ROOT, state.id, Expected(), note="Well.")
    await store.edit(ANN, state.id, QuestionChange(tags=()))
    notes = {view.version: view.note for view in await reader.versions_of(ANN, state.id, [1, 2]) or ()}
    assert notes == {1: "Well.", 2: None}


async def test_rounds_of_review_are_told_the_latest_first_and_no_more_than_asked_for(
    store: OnPostgres, reader: PostgresQuestionReader
) -> None:
    state = await store.begin()
    assert await reader.reviews(ANN, state.id, limit=5) == ()
    await store.submit(ANN, state.id)
    await store.request_changes(ROOT, state.id, "Why?")
    await store.submit(BEN, state.id)
    open_one, decided = await reader.reviews(EVE, state.id, limit=5) or ()
    assert (open_one.round, open_one.submitted_by, open_one.decision) == (2, BEN.user_id, None)
    assert (decided.round, decided.decision, decided.note) == (1, Decision.CHANGES_REQUESTED, "Why?")
    assert (decided.decided_by, open_one.decided_by_name) == (ROOT.user_id, None)
    assert await reader.reviews(EVE, state.id, limit=1) == (open_one,)


async def test_a_student_sees_what_is_published_and_none_of_the_key(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    enroll(cloned)
    state = await published(store, explanation=text(f"{SECRET} why"))
    await store.edit(ANN, state.id, QuestionChange(stem=text("Anew?"), topic_id="top_switch"))
    found = await reader.published_question(SAM.user_id, state.id)
    assert found is not None
    assert (found.question_bank_id, found.topic_id, found.difficulty_id) == (NET.id, "top_route", "dif_easy")
    assert isinstance(found.question, PublicQuestion)
    assert (found.question.version, found.question.stem) == (1, state.content.stem.text)
    assert [choice.id for choice in found.question.choices] == ["A", "B", "C", "D"]
    assert "why" not in repr(found)


async def test_a_student_sees_nothing_that_is_not_published(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    enroll(cloned)
    draft = await store.begin()
    archived = await store.archive(ANN, (await published(store)).id)
    for state in (draft, archived):
        assert await reader.published_question(SAM.user_id, state.id) is None


@pytest.mark.parametrize(
    "state",
    ["nobody enrolled", "enrolment ended", "another bank", "hidden bank", "another student"],
)
async def test_a_student_sees_nothing_elsewhere(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase, state: str
) -> None:
    question = await published(store)
    if state != "nobody enrolled":
        status = "ended" if state == "enrolment ended" else "active"
        enroll(cloned, status=status, bank=DEN.id if state == "another bank" else NET.id)
    if state == "hidden bank":
        with cloned.administration() as connection:
            connection.execute("update question_banks set visibility = 'hidden'")
    student = "usr_ann" if state == "another student" else SAM.user_id
    assert await reader.published_question(student, question.id) is None

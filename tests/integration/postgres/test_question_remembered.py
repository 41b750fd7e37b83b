"""Published versions that students look at are remembered; what may be seen is asked of the database each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.question_bank.reading import PostgresQuestionReader
from adapters.postgres.remembering import Remembered
from application.question_bank.changes import QuestionChange
from tests.integration.postgres.test_question_reading import enroll, published
from tests.support.authoring_builders import ANN, NET, ROOT, SAM, text
from tests.support.authoring_stores import OnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock

_HIDDEN = "update question_banks set visibility = 'hidden'"
_LEFT = "update enrollments set status = 'ended', ended_at = now(), end_reason = 'admin'"
_LAPSED = "update enrollments set started_at = now() - interval '1 day', expires_at = now()"


@pytest.fixture
async def store(database: Database, clock: SettableClock) -> OnPostgres:
    store = OnPostgres(database=database, clock=clock)
    await store.settle()
    return store


@pytest.fixture
def reader(database: Database) -> PostgresQuestionReader:
    return PostgresQuestionReader(database)


async def test_a_version_is_read_once_and_told_again(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    enroll(cloned)
    state = await published(store)
    first = await reader.published_question(SAM.user_id, state.id)
    assert first is not None
    cloned.keeper.execute("update question_versions set stem = 'A published version never changes'")
    assert await reader.published_question(SAM.user_id, state.id) is first


async def test_the_next_version_is_seen_as_soon_as_it_is_published(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    enroll(cloned)
    state = await published(store)
    for number, stem in ((2, "Anew?"), (3, "And again?")):
        before = await reader.published_question(SAM.user_id, state.id)
        await store.edit(ANN, state.id, QuestionChange(stem=text(stem), topic_id="top_switch"))
        assert await reader.published_question(SAM.user_id, state.id) == before
        await store.publish(ROOT, state.id)
        seen = await reader.published_question(SAM.user_id, state.id)
        assert seen is not None
        assert (seen.question.version, seen.question.stem, seen.topic_id) == (number, stem, "top_switch")


@pytest.mark.parametrize("change", [_HIDDEN, _LEFT, _LAPSED])
async def test_what_is_remembered_is_told_to_nobody_who_may_not_see_it(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase, change: str
) -> None:
    enroll(cloned)
    state = await published(store)
    assert await reader.published_question(SAM.user_id, state.id) is not None
    assert await reader.published_question(ANN.user_id, state.id) is None
    cloned.keeper.execute(change.encode())
    assert await reader.published_question(SAM.user_id, state.id) is None


async def test_an_archived_question_is_gone_although_it_is_remembered(
    store: OnPostgres, reader: PostgresQuestionReader, cloned: ClonedDatabase
) -> None:
    enroll(cloned)
    state = await published(store)
    assert await reader.published_question(SAM.user_id, state.id) is not None
    await store.archive(ANN, state.id)
    assert await reader.published_question(SAM.user_id, state.id) is None


async def test_without_room_it_is_read_each_time(store: OnPostgres, database: Database, cloned: ClonedDatabase) -> None:
    enroll(cloned)
    state = await published(store)
    reader = PostgresQuestionReader(database, memory_bytes=1_000)
    first, again = [await reader.published_question(SAM.user_id, state.id) for _ in range(2)]
    assert first == again
    assert first is not None
    assert first is not again
    assert first.question_bank_id == NET.id


@given(
    room=st.integers(0, 30),
    asked=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 12)), max_size=60),
)
def test_a_memory_keeps_the_latest_that_find_room(room: int, asked: list[tuple[bool, int, int]]) -> None:
    """A value weighs what it is. The model keeps everything in order, and drops from the front while it is too much."""
    memory: Remembered[int, tuple[int, int]] = Remembered(room, lambda value: value[1])
    model: dict[int, tuple[int, int]] = {}
    for number, (keeps, key, weight) in enumerate(asked):
        known = model.pop(key, None)
        if keeps:
            value = (number, weight)
            model[key] = value
            while sum(each for _, each in model.values()) > room:
                del model[next(iter(model))]
            assert memory.keep(key, value) is value
        else:
            assert memory.get(key) == known
            if known is not None:
                model[key] = known
    assert {key: memory.get(key) for key in range(6) if memory.get(key)} == model

"""The pool of a paper on PostgreSQL: bounded, and yet it decides every blueprint as the whole bank would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.database import Database
from adapters.postgres.question_bank import papers as adapter
from adapters.postgres.question_bank.papers import PostgresPaperReader
from domain.question_bank.blueprints import (
    Blueprint,
    BlueprintInfeasible,
    Candidate,
    PaperSlot,
    Section,
    assemble,
)
from tests.support.postgres import ClonedDatabase
from tests.support.practice_builders import PACKAGE, STUDENT, Offer, PostgresWorld

TOPICS = ("top_a", "top_b", "top_c")
LEVELS = ("dif_easy", "dif_hard")
# Six of each topic and level, two of each topic without a level, and four that belong to no topic.
OFFERS = [
    *(Offer(id=f"qst_{t}_{d}_{n}", topic_id=t, difficulty_id=d) for t in TOPICS for d in LEVELS for n in range(6)),
    *(Offer(id=f"qst_{t}_{n}", topic_id=t, difficulty_id=None) for t in TOPICS for n in range(2)),
    *(Offer(id=f"qst_free_{n}", topic_id=None, difficulty_id="dif_hard") for n in range(4)),
]
sections = st.builds(
    Section,
    count=st.integers(1, 6),
    topic_id=st.sampled_from((*TOPICS, None, "top_unknown")),
    difficulty_id=st.sampled_from((*LEVELS, None)),
)
blueprints = st.lists(sections, min_size=1, max_size=4).map(lambda found: Blueprint(sections=tuple(found)))


@pytest.fixture(autouse=True)
def bank(cloned: ClonedDatabase) -> None:
    """A package with its questions, and a student who has been served every third of them, some of them twice."""
    world = PostgresWorld(cloned, None)  # type: ignore[arg-type]
    world.offer(OFFERS)
    world.enroll(STUDENT.user_id)
    with cloned.administration() as connection:
        for session, step in (("prs_1", 3), ("prs_2", 6)):
            connection.execute(
                "insert into practice_sessions (user_id, id, exam_package_id, status, feedback, requested, served,"
                " started_at, last_event_at) values (%s, %s, %s, 'active', 'deferred', 100, 100, now(), now())",
                (STUDENT.user_id, session, PACKAGE),
            )
            for slot, offer in enumerate(OFFERS[::step], start=1):
                connection.execute(
                    "insert into practice_slots (user_id, session_id, slot, question_id, version, choice_order,"
                    " max_mark) values (%s, %s, %s, %s, 1, '{A,B,C,D}', 1)",
                    (STUDENT.user_id, session, slot, offer.id),
                )


@pytest.fixture
def reader(database: Database, monkeypatch: pytest.MonkeyPatch) -> PostgresPaperReader:
    """Nothing to spare: the pool is as small as it may ever be."""
    monkeypatch.setattr(adapter, "_SPARE", 0)
    return PostgresPaperReader(database)


def times_seen(student_id: str | None) -> dict[str, int]:
    if student_id is None:
        return {}
    return {offer.id: 1 + (place % 6 == 0) for place, offer in enumerate(OFFERS) if place % 3 == 0}


def whole_bank(student_id: str | None) -> Iterator[Candidate]:
    seen = times_seen(student_id)
    for offer in OFFERS:
        yield Candidate(
            question_id=offer.id,
            version=1,
            topic_id=offer.topic_id,
            difficulty_id=offer.difficulty_id,
            seen=seen.get(offer.id, 0),
        )


def repeats(paper: tuple[PaperSlot, ...], student_id: str | None) -> list[int]:
    seen = times_seen(student_id)
    return sorted(seen.get(slot.question_id, 0) for slot in paper)


@given(blueprint=blueprints, student_id=st.sampled_from([None, STUDENT.user_id]), seed=st.sampled_from(["one", "two"]))
async def test_the_pool_decides_as_the_whole_bank_would(
    reader: PostgresPaperReader, blueprint: Blueprint, student_id: str | None, seed: str
) -> None:
    """Feasible or not, how much is missing, and how often the student has seen what is drawn."""
    pool = await reader.pool(PACKAGE, blueprint, student_id=student_id, seed=seed)
    assert pool is not None
    everything = {candidate.question_id: candidate for candidate in whole_bank(student_id)}
    assert all(everything[candidate.question_id] == candidate for candidate in pool)
    try:
        expected = assemble(blueprint, everything.values(), seed)
    except BlueprintInfeasible as shortage:
        with pytest.raises(BlueprintInfeasible) as refused:
            assemble(blueprint, pool, seed)
        told = refused.value.shortfalls
        assert sum(each.missing for each in told) == sum(each.missing for each in shortage.shortfalls)  # noqa: PT017
        return
    paper = assemble(blueprint, pool, seed)
    assert repeats(paper, student_id) == repeats(expected, student_id)


async def test_the_pool_is_bounded_by_the_blueprint(reader: PostgresPaperReader) -> None:
    pool = await reader.pool(PACKAGE, Blueprint(sections=(Section(count=3),)), student_id=None, seed="seed")
    assert pool is not None
    assert len(pool) == 3


async def test_every_part_of_the_circle_is_drawn_from(reader: PostgresPaperReader, cloned: ClonedDatabase) -> None:
    with cloned.administration() as connection:
        places = [(place / len(OFFERS), offer.id) for place, offer in enumerate(OFFERS)]
        connection.cursor().executemany("update questions set draw_key = %s where id = %s", places)
    blueprint = Blueprint(sections=(Section(count=2),))
    pools = [await reader.pool(PACKAGE, blueprint, student_id=None, seed=f"seed {number}") for number in range(300)]
    assert {each.question_id for pool in pools if pool for each in pool} == {offer.id for offer in OFFERS}


async def test_a_package_that_is_not_there_has_no_pool(reader: PostgresPaperReader) -> None:
    blueprint = Blueprint(sections=(Section(count=1),))
    assert await reader.pool("pkg_unknown", blueprint, student_id=None, seed="seed") is None


async def test_questions_come_in_the_order_of_their_slots(reader: PostgresPaperReader) -> None:
    blueprint = Blueprint(sections=(Section(count=3, topic_id="top_b"), Section(count=3, topic_id="top_a")))
    slots = assemble(blueprint, whole_bank(None), "seed")
    questions = await reader.questions(slots)
    assert [question.question_id for question in questions] == [slot.question_id for slot in slots]
    assert all(question.stem == f"Stem of {question.question_id}" for question in questions)


async def test_a_draft_and_a_hidden_bank_are_not_drawn_from(
    reader: PostgresPaperReader, cloned: ClonedDatabase
) -> None:
    blueprint = Blueprint(sections=(Section(count=100),))
    with cloned.administration() as connection:
        connection.execute("update questions set published_version = null where id = 'qst_free_0'")
        try:
            pool = await reader.pool(PACKAGE, blueprint, student_id=STUDENT.user_id, seed="seed")
            assert pool is not None
            assert {each.question_id for each in pool} == {offer.id for offer in OFFERS} - {"qst_free_0"}
            connection.execute("update question_banks set visibility = 'hidden'")
            assert await reader.pool(PACKAGE, blueprint, student_id=STUDENT.user_id, seed="seed") == ()
        finally:
            connection.execute("update questions set published_version = 1 where id = 'qst_free_0'")
            connection.execute("update question_banks set visibility = 'visible'")

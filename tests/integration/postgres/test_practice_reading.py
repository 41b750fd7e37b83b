"""What PostgreSQL tells about practice, and which statements may read a key."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.practice.ports.reading import WantedSessions
from application.practice.ports.sessions import PracticeWork
from application.practice.reading import ReviewPractice
from application.practice.sitting import FinishPractice
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import ReviewNotAvailable
from domain.practice.sessions import PracticeStatus
from domain.question_bank.questions import Response
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import SECRET, STRANGER, STUDENT, Offer, PostgresWorld, offers
from tests.support.practice_worlds import create, give, plan

DEFERRED = FeedbackMode.DEFERRED
ALL = WantedSessions()


@pytest.fixture
def world(cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock) -> PostgresWorld:
    world = PostgresWorld(cloned, PostgresTransaction(database, PostgresPracticeWork, ids, clock))
    world.enroll(STUDENT.user_id)
    return world


@pytest.fixture
def reader(database: Database, clock: SettableClock) -> PostgresPracticeReader:
    return PostgresPracticeReader(database, clock)


def _every_statement() -> dict[str, str]:
    parts = [load(f"practice/{part}") for part in ("sessions", "answering", "drawing", "reading", "templates")]
    return {name: part[name] for part in parts for name in part}


def test_only_marking_an_answer_and_the_review_read_keys() -> None:
    reading = {name for name, statement in _every_statement().items() if "answer_key" in statement}
    assert reading == {"hold_slot", "read_paper", "review"}


def test_the_review_reads_a_key_only_where_the_session_is_over_and_deferred() -> None:
    statement = " ".join(load("practice/reading")["review"].split())
    assert statement.count("answer_key") == 2  # the name it is given, and the column in the one guarded place
    assert (
        "'answer_key', case when s.feedback = 'deferred' and not told.under_exam and (s.status = 'finished'"
        " or s.status <> 'invalidated' and s.deadline <= clock.now) then v.answer_key end" in statement
    )


async def test_a_session_is_read_as_it_was_created(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds
) -> None:
    world.offer([Offer(id="qst_1", points=Decimal("2.5000")), Offer(id="qst_2", shuffle=False)])
    created = await create(world, time_limit_seconds=60)
    assert await reader.session(STUDENT.user_id, created.session.id) == created
    assert await reader.session(STRANGER.user_id, created.session.id) is None


async def test_own_responses_are_read_and_nothing_of_the_key(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds
) -> None:
    world.offer(offers(2))
    created = await create(world)
    await give(world, created.session.id, 2, "B")
    read = await reader.session(STUDENT.user_id, created.session.id)
    assert read is not None
    assert [question.response for question in read.questions] == [None, Response.choosing("B")]
    assert SECRET not in repr(read)


async def test_sessions_are_listed_newest_first_page_by_page(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds
) -> None:
    world.offer(offers(2))
    created = [(await create(world)).session.id for _ in range(5)]
    first = await reader.sessions(STUDENT.user_id, ALL, None, 3)
    rest = await reader.sessions(STUDENT.user_id, ALL, first[-1].id, 3)
    assert [session.id for session in (*first, *rest)] == created[::-1]
    assert await reader.sessions(STRANGER.user_id, ALL, None, 3) == ()


async def test_a_session_past_its_deadline_reads_as_finished_everywhere(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds, clock: SettableClock
) -> None:
    world.offer(offers(2))
    created = await create(world, time_limit_seconds=60, feedback=DEFERRED)
    session_id, deadline = created.session.id, clock.now() + timedelta(seconds=60)
    clock.set(deadline)
    read = await reader.session(STUDENT.user_id, session_id)
    summary = await reader.summary(STUDENT.user_id, session_id)
    (listed,) = await reader.sessions(STUDENT.user_id, ALL, None, 10)
    assert read is not None
    assert summary is not None
    for view in (read.session, summary.session, listed):
        assert (view.status, view.finished_at, view.remaining_seconds) == (PracticeStatus.FINISHED, deadline, None)
    assert len(await ReviewPractice(reader)(STUDENT, session_id)) == 2


async def test_the_remaining_time_is_read_by_the_clock_of_the_store(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds, clock: SettableClock
) -> None:
    world.offer(offers(2))
    created = await create(world, time_limit_seconds=60)
    clock.advance(seconds=18)
    read = await reader.session(STUDENT.user_id, created.session.id)
    assert read is not None
    assert read.session.remaining_seconds == 42


async def test_without_a_clock_of_its_own_the_reader_uses_the_one_of_the_database(
    world: PostgresWorld, database: Database, ids: TimeOrderedIds
) -> None:
    world.offer(offers(2))
    created = await create(world, time_limit_seconds=60)  # in 2030
    read = await PostgresPracticeReader(database).session(STUDENT.user_id, created.session.id)
    assert read is not None
    assert read.session.status is PracticeStatus.ACTIVE
    assert read.session.remaining_seconds is not None
    assert read.session.remaining_seconds > 60


async def test_an_immediate_review_shows_what_was_answered_as_it_was_shown(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds
) -> None:
    world.offer(offers(3))
    created = await create(world)
    await give(world, created.session.id, 2, "A")
    for _ in range(2):
        (item,) = await ReviewPractice(reader)(STUDENT, created.session.id)
        assert (item.question.slot, item.question.response) == (2, Response.choosing("A"))
        assert (item.correct, item.mark) == (False, Decimal(0))
        assert item.revelation.correct_choice_ids == ("B",)
        assert len(item.revelation.explanations) == 5
        # Ending early opens no key of a question that was not answered.
        await FinishPractice(world.transact)(STUDENT, created.session.id)


async def test_a_deferred_review_opens_at_the_end_with_every_question(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds
) -> None:
    world.offer(offers(3))
    created = await create(world, feedback=DEFERRED)
    await give(world, created.session.id, 2, "B")
    early = await reader.review(STUDENT.user_id, created.session.id)
    assert early is not None
    assert early.items == ()
    with pytest.raises(ReviewNotAvailable):
        await ReviewPractice(reader)(STUDENT, created.session.id)
    await FinishPractice(world.transact)(STUDENT, created.session.id)
    items = await ReviewPractice(reader)(STUDENT, created.session.id)
    assert [item.correct for item in items] == [None, True, None]
    assert all(item.revelation.correct_choice_ids == ("B",) for item in items)
    assert [text.choice_id for text in items[0].revelation.explanations] == [
        None,
        *(choice.id for choice in items[0].question.choices),
    ]


async def test_the_summary_counts_by_topic(
    world: PostgresWorld, reader: PostgresPracticeReader, ids: TimeOrderedIds, clock: SettableClock
) -> None:
    world.offer([*offers(2, prefix="r", topic_id="top_risk"), *offers(2, prefix="c", topic_id="top_crypto")])
    created = await create(world)
    for question in created.questions[:3]:
        clock.advance(seconds=10)
        await give(world, created.session.id, question.slot, "B" if question.question_id[0] == "r" else "A")
    found = await reader.summary(STUDENT.user_id, created.session.id)
    assert found is not None
    overall = found.summary.overall
    right = sum(question.question_id[0] == "r" for question in created.questions[:3])
    assert (overall.served, overall.answered, overall.correct) == (4, 3, right)
    assert (overall.mark, overall.max_mark, overall.time_spent_seconds) == (Decimal(right), Decimal(3), 30)
    assert [(topic.topic_id, topic.tally.correct) for topic in found.summary.topics] == [
        ("top_crypto", 0),
        ("top_risk", right),
    ]


async def test_questions_of_a_hidden_bank_are_not_drawn(world: PostgresWorld, cloned: ClonedDatabase) -> None:
    world.offer(offers(3, topic_id="top_risk"))
    with cloned.administration() as connection:
        connection.execute("update question_banks set visibility = 'hidden'")

    async def unit(work: PracticeWork) -> list[int]:
        wishes: list[dict[str, Any]] = [{}, {"topic_ids": ("top_risk",)}, {"difficulty_ids": ("dif_easy",)}]
        return [len(await work.draw_questions(STUDENT.user_id, plan(**wish), "prs_1")) for wish in wishes]

    assert await world.transact(unit) == [0, 0, 0]


async def test_in_a_large_bank_every_part_of_the_circle_is_drawn_from(
    world: PostgresWorld, cloned: ClonedDatabase
) -> None:
    """2,000 questions at even places: the window moves with the session and goes on behind the end of the circle."""
    world.offer(offers(2000))
    with cloned.administration() as connection:
        connection.execute("update questions set draw_key = substr(id, 5)::integer / 2000.0")

    async def unit(work: PracticeWork) -> set[int]:
        draws = [await work.draw_questions(STUDENT.user_id, plan(count=20), f"prs_{number}") for number in range(60)]
        assert all(len({each.question.question_id for each in drawn}) == 20 for drawn in draws)
        return {int(each.question.question_id[4:]) * 20 // 2000 for drawn in draws for each in drawn}

    assert await world.transact(unit) == set(range(20))

"""Sessions that are declared void, on every store alike and while their student goes on."""

from __future__ import annotations

import asyncio

import pytest

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from application.practice.ports.sessions import PracticeWork
from application.practice.reading import ReviewPractice
from application.practice.sitting import FinishPractice
from domain.errors import DomainError
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import PracticeFinished, ReviewNotAvailable
from domain.practice.sessions import PracticeSession, PracticeStatus
from tests.support.postgres import SettableClock
from tests.support.practice_builders import STUDENT, World, offers
from tests.support.practice_worlds import create, give, invalidate, stocked, world_of

ROUNDS = range(4)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


on_postgres = pytest.mark.parametrize("world", ["postgres"], indirect=True)


async def kept(world: World, session_id: str) -> tuple[PracticeSession, int]:
    """The session, and how many answers count for its student."""

    async def unit(work: PracticeWork) -> tuple[PracticeSession, int]:
        found = await work.find_session(STUDENT.user_id, session_id)
        assert found is not None
        return found, (await work.hold_progress(STUDENT.user_id)).questions_answered

    return await world.transact(unit)


async def test_a_void_session_is_kept_with_its_reason_and_counts_for_nothing(
    world: World, clock: SettableClock
) -> None:
    stocked(world, offers(3))
    session_id = (await create(world)).session.id
    for slot in (1, 2):
        await give(world, session_id, slot)
    clock.advance(seconds=5)
    await invalidate(world, session_id, "leaked")
    session, counted = await kept(world, session_id)
    assert (session.status, session.invalidation_reason) == (PracticeStatus.INVALIDATED, "leaked")
    assert (session.finished_at, session.answered_count, counted) == (clock.now(), 2, 0)


async def test_of_two_that_declare_it_void_at_once_the_first_says_why(world: World) -> None:
    stocked(world, offers(3))
    session_id = (await create(world)).session.id
    await give(world, session_id, 1)
    views = await asyncio.gather(*(invalidate(world, session_id, f"reason {number}") for number in range(6)))
    assert len({view.session.invalidation_reason for view in views}) == 1
    assert (await kept(world, session_id))[1] == 0


async def test_answers_that_come_while_it_is_declared_void_count_for_nothing(world: World) -> None:
    stocked(world, offers(6))
    other = (await create(world)).session.id
    await give(world, other, 1)
    for _ in ROUNDS:
        session_id = (await create(world)).session.id
        outcomes = await asyncio.gather(
            *(give(world, session_id, slot) for slot in (1, 2)),
            invalidate(world, session_id),
            *(give(world, session_id, slot) for slot in (3, 4)),
            return_exceptions=True,
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
        assert all(isinstance(outcome, PracticeFinished) for outcome in refused)
        session, counted = await kept(world, session_id)
        assert (session.status, session.answered_count) == (PracticeStatus.INVALIDATED, 4 - len(refused))
        assert counted == 1


async def test_a_session_is_finished_or_void_whichever_comes_first(world: World) -> None:
    stocked(world, offers(3))
    for _ in ROUNDS:
        session_id = (await create(world)).session.id
        await give(world, session_id, 1)
        before = (await kept(world, session_id))[1]
        finished, void = await asyncio.gather(
            FinishPractice(world.transact)(STUDENT, session_id),
            invalidate(world, session_id),
            return_exceptions=True,
        )
        assert not isinstance(finished, BaseException)
        session, counted = await kept(world, session_id)
        assert session.status is finished.status
        if session.status is PracticeStatus.FINISHED:
            assert isinstance(void, PracticeFinished)
        assert before - counted == int(session.status is PracticeStatus.INVALIDATED)


@on_postgres
async def test_a_deferred_session_that_is_void_never_tells_what_was_right(
    world: World, database: Database, clock: SettableClock
) -> None:
    """Neither at once nor past its deadline; what was told at once stays told."""
    stocked(world, offers(3))
    reader = PostgresPracticeReader(database, clock)
    secret = (await create(world, feedback=FeedbackMode.DEFERRED, time_limit_seconds=60)).session.id
    told = (await create(world)).session.id
    for session_id in (secret, told):
        await give(world, session_id, 1)
        await invalidate(world, session_id)
    clock.advance(seconds=120)
    with pytest.raises(ReviewNotAvailable):
        await ReviewPractice(reader)(STUDENT, secret)
    found = await reader.review(STUDENT.user_id, secret)
    summary = await reader.summary(STUDENT.user_id, secret)
    assert found is not None
    assert summary is not None
    assert found.items == ()
    assert (summary.summary.overall.mark, summary.session.correct_count) == (None, None)
    (item,) = await ReviewPractice(reader)(STUDENT, told)
    assert item.correct is True

"""A claim in practice: the statement that does the work asks whether it stands, and an actor is served no otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.postgres.database import Database
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.question_bank.reading import PostgresQuestionReader
from application.auth.claimants import Caller, Claimant
from application.practice.ports.sessions import SlotTarget
from application.practice.reading import ReadPracticeSession
from application.practice.views import AnswerView
from application.question_bank.reading import ReadPublishedQuestion
from domain.auth.people import Actor
from domain.auth.sessions import TokenInvalid
from domain.errors import InvalidInput
from domain.practice.judging import Answer
from domain.practice.refusals import PracticeSessionNotFound
from domain.question_bank.lifecycle_refusals import QuestionNotFound
from domain.question_bank.questions import Response
from tests.integration.postgres.test_quick_answers import Together, TwoStudents
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import STUDENT, World
from tests.support.practice_worlds import answering, create, stocked, world_of
from tests.support.standing_claims import FAULTS, Claims, told
from tests.support.twin_students import PAPER, Twin, Twins, right, shown, twins

RIGHT = Answer(response=Response.choosing("B"))
FIRST = SlotTarget(slot=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimingTwin(Twin):
    """One of the two, of whom a token speaks."""

    claim: Claimant

    @property
    def actor(self) -> Any:
        return self.claim


class ClaimingStudent(TwoStudents):
    """The quick one claims to be who the careful one is."""

    def __init__(self, together: Together) -> None:
        super().__init__(together)
        quick = self.twins.quick
        claim = Claims(together.cloned).of(quick.actor.user_id)

        async def confirm() -> Actor:
            return Actor(user_id=claim.user_id, role=claim.role, session_id=claim.session_id)

        claiming = ClaimingTwin(name=quick.name, answer=quick.answer, claim=replace(claim, confirm=confirm))
        self.twins = replace(self.twins, quick=claiming)


def test_a_claim_that_stands_is_served_as_an_actor_is(module_database: ClonedDatabase) -> None:
    """Whatever both do at the same moments, both are told the same and have the same rows."""
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        together = Together(runner, module_database, database)

        class Here(ClaimingStudent):
            def __init__(self) -> None:
                super().__init__(together)

        try:
            fewer = min(15, settings().max_examples)
            run_state_machine_as_test(Here, settings=settings(max_examples=fewer, stateful_step_count=20))
        finally:
            runner.run(database.close())


@pytest.fixture
async def pair(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Twins:
    """Each has a session of all kinds, a minute after an answer that began the day."""
    pair = twins(cloned, database, clock)
    await pair.begin(1)
    clock.advance(seconds=60)
    for twin in pair.both:
        assert isinstance(await pair.give(twin, 1, 2, Answer(response=Response.choosing("AC"))), AnswerView)
    return pair


@pytest.fixture
def claims(cloned: ClonedDatabase) -> Claims:
    claims = Claims(cloned)
    claims.of("usr_other")
    return claims


async def test_what_stands_is_asked_for_once(
    pair: Twins, claims: Claims, database: Database, clock: SettableClock
) -> None:
    """In the statement that does the work: nobody is confirmed beside it, and an actor is told the same."""
    claim, actor, session = claims.of(pair.quick.actor.user_id), pair.quick.actor, pair.quick.session_id(1)
    read = ReadPracticeSession(PostgresPracticeReader(database, clock))
    look = ReadPublishedQuestion(PostgresQuestionReader(database))
    assert await read(claim, session) == await read(actor, session)
    assert await look(claim, PAPER[0].id) == await look(actor, PAPER[0].id) == await look(claim, PAPER[0].id)
    assert isinstance(await pair.quick.answer(claim, session, FIRST, RIGHT), AnswerView)
    assert claims.confirmed == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_claim_that_does_not_stand_keeps_nothing_and_is_told_nothing(
    pair: Twins, claims: Claims, database: Database, clock: SettableClock, fault: str
) -> None:
    """Whether or not the store has such a thing, and whether or not it is remembered."""
    reader = PostgresPracticeReader(database, clock)
    read, look = ReadPracticeSession(reader), ReadPublishedQuestion(PostgresQuestionReader(database))
    await look(pair.quick.actor, PAPER[0].id)
    spoilt = claims.spoilt(claims.of(pair.quick.actor.user_id), fault)
    before, session = pair.rows(pair.quick), pair.quick.session_id(1)
    asked: list[Any] = [
        *(pair.quick.answer(spoilt, name, FIRST, RIGHT) for name in (session, "prs_none", pair.careful.session_id(1))),
        pair.quick.answer(spoilt, session, SlotTarget(slot=99), RIGHT),
        pair.quick.answer(spoilt, session, SlotTarget(), RIGHT),
        pair.quick.answer(spoilt, session, FIRST, Answer(response=Response())),
        *(read(spoilt, name) for name in (session, "prs_none", pair.careful.session_id(1))),
        *(look(spoilt, name) for name in (PAPER[0].id, "qst_none")),
    ]
    assert [await told(each) for each in asked] == [TokenInvalid] * len(asked)
    assert claims.confirmed == [spoilt.user_id] * len(asked)
    assert pair.rows(pair.quick) == before
    assert await reader.session(spoilt.user_id, session, claim=spoilt) is None


async def test_what_is_not_there_is_told_once_the_caller_is_confirmed(
    pair: Twins, claims: Claims, database: Database, clock: SettableClock
) -> None:
    claim = claims.of(pair.quick.actor.user_id)

    async def confirm() -> Actor:
        claims.confirmed.append(claim.user_id)
        return pair.quick.actor

    claim = replace(claim, confirm=confirm)
    read = ReadPracticeSession(PostgresPracticeReader(database, clock))
    look = ReadPublishedQuestion(PostgresQuestionReader(database))
    for call, refusal in (
        (read(claim, pair.careful.session_id(1)), PracticeSessionNotFound),
        (look(claim, "qst_none"), QuestionNotFound),
        (pair.quick.answer(claim, pair.careful.session_id(1), FIRST, RIGHT), PracticeSessionNotFound),
        (pair.quick.answer(claim, pair.quick.session_id(1), SlotTarget(), RIGHT), InvalidInput),
    ):
        assert await told(call) is refusal
        assert claims.confirmed.pop() == claim.user_id
        assert claims.confirmed == []


async def test_no_answer_is_kept_that_began_after_the_sign_out(pair: Twins, claims: Claims) -> None:
    """Answers before and after a sign-out: what was asked for before it may be kept, and nothing else."""
    await pair.begin(2)
    claim, session = claims.of(pair.quick.actor.user_id), pair.quick.session_id(2)

    async def answer(place: int) -> Any:
        given = shown(PAPER[place - 1], Answer(response=right(PAPER[place - 1])))
        return await told(pair.quick.answer(claim, session, SlotTarget(slot=place), given))

    before = [asyncio.create_task(answer(place)) for place in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.to_thread(claims.spoilt, claim, "revoked")
    after = await asyncio.gather(*(answer(place) for place in (3, 4, 5)))
    assert after == [TokenInvalid] * 3
    kept = [isinstance(each, AnswerView) for each in await asyncio.gather(*before)]
    rows = [row for row in pair.rows(pair.quick)["slots"] if row[0] == "2" and row[2] is not None]
    assert len(rows) == sum(kept)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest, clock: SettableClock) -> World:
    return world_of(request, clock)


@pytest.mark.parametrize("stands", [True, False])
async def test_either_store_takes_answers_of_those_only_who_are_confirmed(world: World, stands: bool) -> None:
    """Neither store knows the session: each leaves it to whoever confirms, and takes nothing before that."""
    stocked(world, PAPER)
    session = (await create(world)).session.id

    async def confirm() -> Actor:
        if not stands:
            raise TokenInvalid
        return STUDENT

    claim = Claimant(
        user_id=STUDENT.user_id,
        session_id=STUDENT.session_id,
        role=STUDENT.role,
        valid_from=datetime.min.replace(tzinfo=UTC),
        valid_until=datetime.max.replace(tzinfo=UTC),
        confirm=confirm,
    )
    answer = Answer(response=right(PAPER[0]))
    target = SlotTarget(question_id=PAPER[0].id)

    async def give(caller: Caller) -> Any:
        return await told(answering(world)(caller, session, target, shown(PAPER[0], answer)))

    first, again = await give(claim), await give(STUDENT)
    assert isinstance(again, AnswerView)
    assert again.answered_count == 1
    assert first == (again if stands else TokenInvalid)

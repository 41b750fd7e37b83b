"""A claim in an exam: the statement that does the work asks whether it stands, and an actor is served no otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.postgres.database import Database
from application.auth.claimants import Claimant
from application.exam.answering import GivenAnswer
from application.exam.ports.quick import QuickAnswer, QuickBeat
from application.exam.pulse import MAX_SNAPSHOT, Beat
from application.exam.views import AnswerSaved, Pulse
from domain.auth.people import Actor, Role
from domain.auth.sessions import SessionEnded
from domain.exam.record import first_broken
from domain.exam.refusals import ExamSessionNotFound, ExamSlotNotFound, SnapshotTooLarge
from domain.question_bank.questions import AnswerInvalid, Response
from tests.integration.postgres.test_quick_exam_model import ThreeCandidates, Together
from tests.support.exam_builders import PAPER, right, wrong
from tests.support.exam_twins import Candidate, Candidates, candidates
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.standing_claims import CHANGES, TOKENS, told

_FAULTS = {**TOKENS, "to somebody else's session": {"session_id": "ses_careful"}}
_ROWS = (
    "select s.ctid::text, s.xmin::text, s.xmax::text, (select count(*) from exam_records), (select count(*) from"
    " exam_sessions), (select sum(revision) from exam_slots) from exam_sessions s"
    " where s.user_id = %s and s.id = 'exs_1'"
)


@dataclass(slots=True)
class Claim:
    """What a candidate's token says, and how often the store was asked to confirm it. `stands`: what it says then."""

    candidate: Candidate
    stands: bool = True
    confirmations: int = field(default=0, init=False)

    async def confirm(self) -> Actor:
        self.confirmations += 1
        if not self.stands:
            raise SessionEnded
        return self.candidate.actor

    @property
    def claimant(self) -> Claimant:
        actor, now = self.candidate.actor, datetime.now(UTC)
        return Claimant(
            user_id=actor.user_id,
            session_id=actor.session_id,
            role=Role.STUDENT,
            valid_from=now - timedelta(hours=1),
            valid_until=now + timedelta(hours=1),
            confirm=self.confirm,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimingCandidate(Candidate):
    """One of the three, of whom a token speaks."""

    claim: Claimant

    @property
    def actor(self) -> Any:
        return self.claim


class ThreeOfWhomOneClaims(ThreeCandidates):
    """The quick one claims to be who the others are."""

    def __init__(self, together: Together) -> None:
        super().__init__(together)
        quick = self.three.quick
        claiming = ClaimingCandidate(
            name=quick.name,
            store=quick.store,
            save_answer=quick.save_answer,
            heartbeat=quick.heartbeat,
            claim=Claim(quick).claimant,
        )
        self.three = replace(self.three, quick=claiming)


def test_a_claim_that_stands_is_served_as_an_actor_is(module_database: ClonedDatabase) -> None:
    """Whatever all do at the same moments, all are told the same and have the same rows."""
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        together = Together(runner, module_database, database)

        class Here(ThreeOfWhomOneClaims):
            def __init__(self) -> None:
                super().__init__(together)

        try:
            fewer = min(10, settings().max_examples)
            run_state_machine_as_test(Here, settings=settings(max_examples=fewer, stateful_step_count=20))
        finally:
            runner.run(database.close())


@pytest.fixture
async def three(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Candidates:
    """Each has an exam, and has sent a first sign of life."""
    found = candidates(cloned, database, clock)
    await found.begin(1)
    for each in found.all:
        assert isinstance(await each.beat("exs_1", Beat(seq=1)), Pulse)
    clock.advance(seconds=10)
    return found


def given(place: int, response: Response | None = None, *, base: int = 0) -> GivenAnswer:
    return GivenAnswer(slot=place, response=response or right(PAPER[place - 1]), base_revision=base)


def everything(each: Candidate, caller: Claimant) -> list[Awaitable[Any]]:
    """All that can be asked: what is plain, what is for the unit of work, and what is refused."""
    beats = (Beat(seq=2, snapshot=b"{}"), Beat(seq=1), Beat(snapshot=b"x" * (MAX_SNAPSHOT + 1)))
    answers = (
        given(1),
        given(2, base=5),
        given(1, Response.choosing("Z")),
        GivenAnswer(slot=99, response=None, base_revision=0),
    )
    return [
        *(each.heartbeat(caller, name, beat) for beat in beats for name in ("exs_1", "exs_none")),
        *(each.save_answer(caller, name, answer) for answer in answers for name in ("exs_1", "exs_none")),
    ]


async def test_what_stands_is_asked_for_once(three: Candidates) -> None:
    """In the statement that does the work: nobody is confirmed beside it."""
    claim = Claim(three.quick, stands=False)
    assert isinstance(await three.quick.heartbeat(claim.claimant, "exs_1", Beat(seq=2)), Pulse)
    three.clock.advance(seconds=60)
    assert isinstance(await three.quick.heartbeat(claim.claimant, "exs_1", Beat(seq=3)), Pulse)
    assert isinstance(await three.quick.save_answer(claim.claimant, "exs_1", given(1)), AnswerSaved)
    assert claim.confirmations == 0
    assert len(await three.quick.record("exs_1")) == 2


@pytest.mark.parametrize("gap", [0, 60])
@pytest.mark.parametrize("fault", [*CHANGES, *TOKENS])
async def test_the_statement_does_nothing_for_a_claim_that_does_not_stand(
    three: Candidates, fault: str, gap: int
) -> None:
    """No row is written, none is taken hold of, none comes back."""
    claim = _spoilt(three, Claim(three.quick).claimant, fault)
    user, quick = claim.user_id, three.quick.store.quick_exam
    await quick.paper(user, "exs_1")
    three.clock.advance(seconds=gap)
    before = _rows(three, user)
    beat = QuickBeat(user_id=user, session_id="exs_1", seq=2, snapshot=b"{}", claim=claim)
    answer = QuickAnswer(
        user_id=user, session_id="exs_1", slot=1, response=right(PAPER[0]), base_revision=0, claim=claim
    )
    assert await quick.heartbeat(beat) is None
    assert await quick.save_answer(answer) is None
    assert _rows(three, user) == before
    assert await quick.heartbeat(replace(beat, claim=None)) is not None
    assert await quick.save_answer(replace(answer, claim=None)) is not None


@pytest.mark.parametrize("fault", [*CHANGES, *TOKENS])
async def test_a_claim_that_does_not_stand_is_told_nothing_else(three: Candidates, fault: str) -> None:
    """Whatever it asks for, and whether or not there is such a thing, on every store and by both ways."""
    for each in three.all:
        claim = Claim(each, stands=False)
        spoilt = _spoilt(three, claim.claimant, fault)
        before, asked = await each.kept("exs_1"), everything(each, spoilt)
        assert [await told(act) for act in asked] == [SessionEnded] * len(asked)
        assert claim.confirmations == len(asked)
        assert await each.kept("exs_1") == before
        none = await each.store.exams(lambda work, user=each.actor.user_id: work.find_session(user, "exs_none"))  # type: ignore[misc]
        assert none is None, "a heartbeat under an unknown id begins an exam, and not for nobody"


async def test_what_is_refused_is_told_once_the_caller_is_confirmed(three: Candidates) -> None:
    """As it is told to an actor; each is confirmed once."""
    for each in three.all:
        claim = Claim(each)
        refused = [
            each.heartbeat(claim.claimant, "exs_1", Beat(snapshot=b"x" * (MAX_SNAPSHOT + 1))),
            each.save_answer(claim.claimant, "exs_none", given(1)),
            each.save_answer(claim.claimant, "exs_1", GivenAnswer(slot=99, response=None, base_revision=0)),
            each.save_answer(claim.claimant, "exs_1", given(1, Response.choosing("Z"))),
        ]
        assert [await told(act) for act in refused] == [
            SnapshotTooLarge,
            ExamSessionNotFound,
            ExamSlotNotFound,
            AnswerInvalid,
        ]
        assert claim.confirmations == len(refused)


async def test_whatever_is_acknowledged_began_before_the_session_was_revoked(three: Candidates) -> None:
    """However heartbeats, answers and the end of the session at the door meet."""
    claim = Claim(three.quick, stands=False).claimant
    acknowledged: list[float] = []

    async def go_on(turn: int) -> None:
        for number in range(10_000):
            began, place = time.monotonic(), turn + 1
            response = wrong(PAPER[turn]) if number % 2 else right(PAPER[turn])
            act = (
                three.quick.heartbeat(claim, "exs_1", Beat())
                if turn < 2
                else three.quick.save_answer(claim, "exs_1", given(place, response, base=number))
            )
            if await told(act) is SessionEnded:
                return
            acknowledged.append(began)

    going = asyncio.gather(*(go_on(turn) for turn in range(5)))
    async with asyncio.timeout(30):
        while len(acknowledged) < 50:
            await asyncio.sleep(0.005)
    end = CHANGES["revoked"].replace("%s", "%(user)s") + " returning id"
    await three.quick.store.database.fetch_one(end, {"user": claim.user_id})  # type: ignore[attr-defined]
    revoked = time.monotonic()
    await going
    assert acknowledged
    assert max(acknowledged) < revoked
    assert first_broken(await three.quick.record("exs_1")) is None


def _spoilt(three: Candidates, claim: Claimant, fault: str) -> Claimant:
    """The claim with one fault, in the store or in the token."""
    if fault in TOKENS:
        return replace(claim, **_FAULTS[fault])
    three.cloned.keeper.execute(CHANGES[fault].encode(), [claim.user_id])
    return claim


def _rows(three: Candidates, user: str) -> Any:
    return three.cloned.keeper.execute(_ROWS, [user]).fetchone()

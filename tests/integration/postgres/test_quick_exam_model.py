"""Heartbeats and answers in one round trip decide and write exactly as the unit of work does, hash by hash."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from application.exam.answering import GivenAnswer
from application.exam.pulse import Beat
from domain.enrollment.settings import Navigation, OverduePolicy
from domain.exam import moves
from domain.exam.record import first_broken
from domain.exam.sessions import Accommodation, ExamSession
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from tests.support.exam_builders import PAPER, ROOT, exam_rules, later, right, wrong
from tests.support.exam_twins import Candidates, Move, candidates
from tests.support.postgres import ClonedDatabase, SettableClock

_SESSIONS = st.integers(1, 4)
_PLACES = st.one_of(st.integers(1, 2), st.integers(1, len(PAPER) + 1))
_SECONDS = st.sampled_from([0, 0, 1, 5, 14, 15, 16, 16, 31, 61, 200])
_RULES = (
    exam_rules(time_limit_seconds=600, latency_seconds=5),
    exam_rules(
        time_limit_seconds=900,
        latency_seconds=3,
        certainty=True,
        overdue_policy=OverduePolicy.GRACE,
        grace_seconds=60,
    ),
    exam_rules(time_limit_seconds=None, navigation=Navigation.LINEAR),
    exam_rules(time_limit_seconds=None, window_closes_at=later(minutes=20), overdue_policy=OverduePolicy.ABANDON),
)
_STAFF = moves.Intervention(actor_id=ROOT.user_id, reason="because")


def _moves(now: datetime) -> dict[str, Move]:
    """What happens to a session elsewhere."""
    more = Accommodation(multiplier=Decimal("1.25"), extra_seconds=30)
    return {
        "paused": lambda session: moves.pause(session, now, by_staff=True),
        "resumed": lambda session: moves.resume(session, now, by_staff=True),
        "given time": lambda session: moves.adjust_time(session, 100, now),
        "taken time": lambda session: moves.adjust_time(session, -100, now),
        "accommodated": lambda session: moves.accommodate(session, more, now),
        "handed in": lambda session: moves.submit(session, now),
        "taken in": lambda session: moves.force_submit(session, _STAFF, now),
        "terminated": lambda session: moves.terminate(session, _STAFF, now),
        "reopened": lambda session: moves.reopen(session, _STAFF, now, extra_seconds=300),
        "invalidated": lambda session: moves.invalidate(session, _STAFF, now),
        "reinstated": lambda session: moves.reinstate(session, _STAFF, now),
    }


class Together:
    """One loop and one database for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class ThreeCandidates(RuleBasedStateMachine):
    """Whatever all do at the same moments, all are told the same and have the same rows."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner = together.runner
        self.clock = SettableClock()
        self.three: Candidates = candidates(together.cloned, together.database, self.clock, range(1, 5))
        self.three.quick.store.admit(ROOT)
        for number, rules in enumerate(_RULES, start=1):
            self.runner.run(self.three.begin(number, rules=rules))
        self.seqs = dict.fromkeys(range(1, 5), 0)

    @rule(
        number=_SESSIONS,
        place=_PLACES,
        which=st.sampled_from(["right", "right", "wrong", "none", "as it is", "another kind", "98.60"]),
        based_on=st.sampled_from([0, 0, 0, 0, -1, 1]),
        certainty=st.sampled_from([None, None, *Certainty]),
        autosave=st.booleans(),
        flagged=st.sampled_from([None, None, True, False]),
        seconds=_SECONDS,
    )
    def answer(
        self,
        number: int,
        place: int,
        which: str,
        based_on: int,
        certainty: Certainty | None,
        autosave: bool,
        flagged: bool | None,
        seconds: int,
    ) -> None:
        """Now and then to a slot that there is not, to an old revision, or with what does not fit."""
        self.clock.advance(seconds=seconds, microseconds=place)

        async def answer(name: str) -> list[Any]:
            slots = await self.three.careful.store.slots_of(self.three.careful.actor.user_id, name)
            there = slots[min(place, len(PAPER)) - 1]
            response = there.response if which == "as it is" else _response(which, place)
            given = GivenAnswer(
                slot=place,
                response=response,
                base_revision=max(0, there.revision + based_on),
                certainty=certainty if number == 2 or seconds == 31 else None,
                autosave=autosave,
                flagged=flagged,
            )
            return [await each.answer(name, given) for each in self.three.all]

        self.all_alike(number, answer)

    @rule(
        number=_SESSIONS,
        step=st.sampled_from([1, 1, 1, 2, 0, -1, None]),
        drift=st.sampled_from([None, 0, 29, 30, 31, -30, -31, 4000]),
        snapshot=st.sampled_from([None, b"{}", b'{"at": [1, {"b": null}]}']),
        seconds=_SECONDS,
    )
    def beat(self, number: int, step: int | None, drift: int | None, snapshot: bytes | None, seconds: int) -> None:
        """Mostly the next one, now and then an old one, or by a clock that is wrong."""
        now = self.clock.advance(seconds=seconds)
        if step is not None:
            self.seqs[number] = max(0, self.seqs[number] + step)
        beat = Beat(
            seq=None if step is None else self.seqs[number],
            client_at=None if drift is None else now + timedelta(seconds=drift),
            snapshot=snapshot,
        )

        async def send(name: str) -> list[Any]:
            return [await each.beat(name, beat) for each in self.three.all]

        self.all_alike(number, send)

    @rule(number=_SESSIONS, what=st.sampled_from(list(_moves(later()))), seconds=_SECONDS)
    def elsewhere(self, number: int, what: str, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

        async def move(name: str) -> list[Any]:
            carried_out: Move = _moves(self.clock.now())[what]
            return [await each.move(name, carried_out) for each in self.three.all]

        self.all_alike(number, move)

    def all_alike(self, number: int, act: Any) -> None:
        async def compare() -> tuple[list[Any], list[Any], list[Any]]:
            name = f"exs_{number}"
            told = await act(name)
            kept = [await each.kept(name) for each in self.three.all]
            return told, kept, [first_broken(await each.record(name)) for each in self.three.all]

        told, kept, broken = self.runner.run(compare())
        quickly, carefully, in_memory = told
        assert quickly == carefully == in_memory
        assert kept[0] == kept[1]
        assert kept[1] == kept[2]
        assert broken == [None, None, None]
        session: ExamSession = kept[0]["session"]
        last = kept[0]["record"][-1:]
        assert [session.record_hash] == [entry.hash for entry in last] or session.record_count == 0


def _response(which: str, place: int) -> Response | None:
    offer = PAPER[min(place, len(PAPER)) - 1]
    if which == "none":
        return None
    if which == "another kind":
        return Response.writing("dns") if not offer.accepted else Response.choosing("A")
    if which == "98.60" and offer.bands:
        return Response.counting("98.60")
    return wrong(offer) if which == "wrong" else right(offer)


def test_the_quick_way_decides_as_the_unit_of_work_does(module_database: ClonedDatabase) -> None:
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        together = Together(runner, module_database, database)

        class Here(ThreeCandidates):
            def __init__(self) -> None:
                super().__init__(together)

        try:
            # Each step looks at every row of three students: so many histories are what half a minute is enough for.
            fewer = min(40, settings().max_examples)
            run_state_machine_as_test(Here, settings=settings(max_examples=fewer, stateful_step_count=30))
        finally:
            runner.run(database.close())

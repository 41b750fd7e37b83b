"""Answering in one round trip: it decides exactly as the unit of work does, and it is one round trip."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from adapters.postgres.multiplexer import Lane
from adapters.postgres.practice.answering import PostgresQuickAnswers
from application.practice.ports.sessions import SlotTarget
from application.practice.views import AnswerView
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.refusals import AlreadyAnswered, PracticeFinished, PracticePaused
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import START
from tests.support.twin_students import PAPER, Twin, Twins, right, shown, twins

_SESSIONS = st.integers(1, 4)
_PLACES = st.integers(1, len(PAPER))
_CERTAINTIES = st.sampled_from([None, None, *Certainty])
_RESPONSES = st.one_of(
    st.sets(st.sampled_from("ABCD"), max_size=2).map(Response.choosing),
    st.just(Response.arranging("ABCDEF")),
    st.sampled_from(["98.6", "98.2", "0"]).map(Response.counting),
    st.sampled_from(["dns", "no"]).map(Response.writing),
    st.sampled_from([{"1": "A", "2": "B", "3": "C"}, {"1": "B"}]).map(Response.matching),
)
# Sessions 2 and 4 ask for certainty.
_SURE = (2, 4)
_ENROLMENT = "update enrollments set status = {}, ended_at = {}, end_reason = {}, expires_at = {} where user_id = %s"
_ENROLLED = _ENROLMENT.format("'active'", "null", "null", "null")
_SESSION = "update practice_sessions set status = {}, paused_at = {}, finished_at = {} where user_id = %s"
_COUNTED = "update student_progress set questions_answered = {} where user_id = %s"
_CREDITED = "update student_progress set credited_from = {}, credited_until = {} where user_id = %s"
_NOTHING = "select %s"
_LONG = "jsonb_set(answer_key, '{explanation,text}', to_jsonb(repeat('x', 20000)))"
# What happens elsewhere, and what undoes it.
_CHANGES = {
    "paused": (_SESSION.format("'paused'", f"'{START}'", "null"), _SESSION.format("'active'", "null", "null")),
    "finished": (_SESSION.format("'finished'", "null", f"'{START}'"), _SESSION.format("'active'", "null", "null")),
    "left": (_ENROLMENT.format("'ended'", "started_at", "'cancelled'", "null"), _ENROLLED),
    "expired": (_ENROLMENT.format("'active'", "null", "null", f"'{START + timedelta(seconds=1)}'"), _ENROLLED),
    "expiring": (_ENROLMENT.format("'active'", "null", "null", f"'{START + timedelta(days=30)}'"), _ENROLLED),
    "hundredth": (_COUNTED.format(99), _NOTHING),
    "thousandth": (_COUNTED.format(999), _NOTHING),
    "almost": (_COUNTED.format(98), _NOTHING),
    "another zone": (
        _CREDITED.format("null", "null"),
        _NOTHING,
    ),
    "a clock put back": (
        _CREDITED.format(f"'{START + timedelta(days=20)}'", f"'{START + timedelta(days=21)}'"),
        _NOTHING,
    ),
    "looked at by somebody": (
        f"update student_progress set last_activity_at = '{START + timedelta(days=90)}' where user_id = %s",
        _NOTHING,
    ),
}
RIGHT = Answer(response=Response.choosing("B"))


class Together:
    """One loop and one database for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class TwoStudents(RuleBasedStateMachine):
    """Whatever both do at the same moments, both are told the same and have the same rows."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner = together.runner
        self.clock = SettableClock()
        self.twins = twins(together.cloned, together.database, self.clock)
        for number, (feedback, certainty, limit) in enumerate(
            [
                (FeedbackMode.IMMEDIATE, False, None),
                (FeedbackMode.IMMEDIATE, True, 900),
                (FeedbackMode.DEFERRED, False, 3600),
                (FeedbackMode.DEFERRED, True, None),
            ],
            start=1,
        ):
            self.runner.run(self.twins.begin(number, feedback=feedback, certainty=certainty, limit=limit))
        self.clock.advance(seconds=5)
        self.answer(1, 1, RIGHT)

    @rule(number=_SESSIONS, place=_PLACES, response=_RESPONSES, certainty=_CERTAINTIES)
    def give(self, number: int, place: int, response: Response, certainty: Certainty | None) -> None:
        """Mostly nonsense for the question, sometimes what it asks for."""
        self.answer(number, place, shown(PAPER[place - 1], Answer(response=response, certainty=certainty)))

    @rule(number=_SESSIONS, place=_PLACES, certainty=_CERTAINTIES)
    def give_the_key(self, number: int, place: int, certainty: Certainty | None) -> None:
        offer = PAPER[place - 1]
        self.answer(number, place, shown(offer, Answer(response=right(offer), certainty=certainty)))

    @rule(number=_SESSIONS, seconds=st.sampled_from([0, 1, 299, 301, 1200, 40_000]), certainty=_CERTAINTIES)
    def go_on(self, number: int, seconds: int, certainty: Certainty | None) -> None:
        """After some time, with the next question that is open."""
        self.clock.advance(seconds=seconds)
        self.answer_next(number, certainty if number in _SURE else None)

    @rule(number=_SESSIONS, change=st.sampled_from(list(_CHANGES)))
    def go_on_although(self, number: int, change: str) -> None:
        """Something happens elsewhere, which may be undone afterwards."""
        do, undo = _CHANGES[change]
        self.clock.advance(seconds=7)
        self.twins.set(do)
        self.answer_next(number, None)
        self.twins.set(undo)

    def answer_next(self, number: int, certainty: Certainty | None) -> None:
        rows = self.twins.rows(self.twins.careful)["slots"]
        place = next((row[1] for row in rows if row[0] == str(number) and row[2] is None), 1)
        offer = PAPER[place - 1]
        self.answer(number, place, shown(offer, Answer(response=right(offer), certainty=certainty)))

    def answer(self, number: int, place: int, answer: Answer) -> None:
        async def ask() -> tuple[Any, Any]:
            quick, careful = self.twins.both
            return (
                await self.twins.give(quick, number, place, answer),
                await self.twins.give(careful, number, place, answer),
            )

        quickly, carefully = self.runner.run(ask())
        assert quickly == carefully

    @invariant()
    def both_have_the_same(self) -> None:
        quick, careful = self.twins.both
        assert self.twins.rows(quick) == self.twins.rows(careful)


def test_the_quick_way_decides_as_the_unit_of_work_does(module_database: ClonedDatabase) -> None:
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=1, pool_max=2)
        runner.run(database.open())
        together = Together(runner, module_database, database)

        class Here(TwoStudents):
            def __init__(self) -> None:
                super().__init__(together)

        try:
            # Each step looks at every row of two students: so many histories are what half a minute is enough for.
            fewer = min(60, settings().max_examples)
            run_state_machine_as_test(Here, settings=settings(max_examples=fewer, stateful_step_count=30))
        finally:
            runner.run(database.close())


@pytest.fixture
async def pair(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Twins:
    """Each has a session of all kinds, a minute after an answer that began the day."""
    pair = twins(cloned, database, clock)
    await pair.begin(1)
    await pair.begin(9, paper=PAPER[:2])
    clock.advance(seconds=60)
    for twin in pair.both:
        assert isinstance(await pair.give(twin, 9, 1, RIGHT), AnswerView)
    return pair


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to PostgreSQL, statement by statement, commits included, alone or together with others."""
    sent: list[str] = []
    execute, commit, ask = psycopg.AsyncConnection.execute, psycopg.AsyncConnection.commit, Lane.ask

    async def shared(self: Lane, query: str, *args: Any) -> Any:
        sent.append(query)
        return await ask(self, query, *args)

    async def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return await execute(self, query, *args, **kwargs)

    async def committed(self: Any) -> None:
        sent.append("commit")
        await commit(self)

    monkeypatch.setattr(Lane, "ask", shared)
    monkeypatch.setattr(psycopg.AsyncConnection, "execute", counted)
    monkeypatch.setattr(psycopg.AsyncConnection, "commit", committed)
    return sent


async def test_an_answer_is_one_round_trip(pair: Twins, messages: list[str]) -> None:
    """The first answer of a session reads its paper, which is remembered."""
    await pair.give(pair.quick, 1, 1, RIGHT)
    assert len(messages) == 2
    messages.clear()
    view = await pair.give(pair.quick, 1, 2, Answer(response=Response.choosing("AC")))
    assert isinstance(view, AnswerView)
    assert view.feedback is not None
    assert view.feedback.correct
    assert len(messages) == 1


async def test_twenty_answers_to_one_slot_at_once_count_once(pair: Twins) -> None:
    """Twenty different ones: one stands, the others are told that it does."""
    letters = ["A", "B", "C", "D"] * 5
    answers = [Answer(response=Response.choosing(letter)) for letter in letters]
    told = await asyncio.gather(*(pair.give(pair.quick, 1, 1, answer) for answer in answers))
    views = [each for each in told if isinstance(each, AnswerView)]
    refused = [each for each in told if not isinstance(each, AnswerView)]
    assert {refusal for refusal, _ in refused} == {AlreadyAnswered}
    assert 1 <= len(views) <= 5  # the same answer again is answered alike
    assert len({view.feedback.correct for view in views if view.feedback is not None}) == 1
    (session, *_) = [row for row in pair.rows(pair.quick)["sessions"] if row[1] == 1][:1]
    assert session[1] == 1
    assert pair.rows(pair.quick)["progress"][0][0] == 2


async def test_answers_to_all_slots_at_once_are_all_counted(pair: Twins) -> None:
    """Two of each at once; the last slot ends the session exactly once."""
    given = [
        pair.give(pair.quick, 1, place, shown(offer, Answer(response=right(offer))))
        for place, offer in enumerate(PAPER, start=1)
        for _ in range(2)
    ]
    views = await asyncio.gather(*given)
    assert all(isinstance(view, AnswerView) for view in views)
    (finished,) = [row for row in pair.rows(pair.quick)["sessions"] if row[0] == "finished"]
    assert finished[1:3] == (len(PAPER), len(PAPER))
    assert pair.rows(pair.quick)["progress"][0][0] == 1 + len(PAPER)


async def test_a_session_that_moved_elsewhere_takes_no_quick_answer(pair: Twins) -> None:
    """What is remembered of a session says nothing of where it stands."""
    await pair.give(pair.quick, 1, 1, RIGHT)
    for status, refusal in (("paused", PracticePaused), ("finished", PracticeFinished)):
        moved = "paused_at" if status == "paused" else "paused_at = null, finished_at"
        pair.set(f"update practice_sessions set status = '{status}', {moved} = now() where user_id = %s")
        told = await pair.give(pair.quick, 1, 2, Answer(response=Response.choosing("AC")))
        assert told[0] is refusal


async def test_without_enrolment_nothing_is_kept(pair: Twins) -> None:
    await pair.give(pair.quick, 1, 1, RIGHT)
    pair.set("update enrollments set status = 'ended', ended_at = started_at, end_reason = 'admin' where user_id = %s")
    before = pair.rows(pair.quick)
    assert (await pair.give(pair.quick, 1, 2, Answer(response=Response.choosing("AC"))))[0] is EnrollmentRequired
    assert pair.rows(pair.quick) == before


async def test_an_answer_that_waited_for_the_end_of_its_session_comes_too_late(pair: Twins) -> None:
    await pair.give(pair.quick, 1, 1, RIGHT)
    finished = _SESSION.format("'finished'", "null", f"'{START + timedelta(days=1)}'")
    told = await _while_held(pair, "practice_sessions", finished)
    assert told[0] is PracticeFinished


async def test_an_answer_that_waited_for_another_finds_the_badge(pair: Twins) -> None:
    """The one before it was the 99th, which nobody could know when this one was asked for."""
    await pair.give(pair.quick, 1, 1, RIGHT)
    assert isinstance(await _while_held(pair, "student_progress", _COUNTED.format(99)), AnswerView)
    assert [badge[0] for badge in pair.rows(pair.quick)["badges"]] == ["answers_100"]


async def _while_held(pair: Twins, table: str, change: str) -> Any:
    """What an answer is told that waits for a row which is changed meanwhile."""
    user_id = pair.quick.actor.user_id
    with pair.world.cloned.administration() as connection, connection.transaction():
        connection.execute(f"select 1 from {table} where user_id = %s for update", [user_id])
        waiting = asyncio.create_task(pair.give(pair.quick, 1, 2, Answer(response=Response.choosing("AC"))))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        connection.execute(change, [user_id])
    return await waiting


async def test_nobody_answers_in_the_session_of_another(pair: Twins) -> None:
    thief = Twin(name="careful", answer=pair.quick.answer)
    told = await pair.give(thief, 1, 1, RIGHT)
    assert isinstance(told, AnswerView)  # in their own
    with pytest.raises(Exception, match="no such practice session"):
        await pair.quick.answer(thief.actor, pair.quick.session_id(1), SlotTarget(slot=2), RIGHT)


async def test_only_a_bounded_amount_is_remembered(pair: Twins, database: Database, messages: list[str]) -> None:
    """Room for two papers of five short questions: the third always drives out the one that is asked for next."""
    quick = PostgresQuickAnswers(database, pair.clock, memory_bytes=22_000)
    for number in range(2, 5):
        await pair.begin(number, paper=PAPER[:5])
    messages.clear()
    for number in (2, 3, 4, 2, 3, 4):
        assert await quick.paper(pair.quick.actor.user_id, pair.quick.session_id(number)) is not None
    assert len(messages) == 6
    await quick.paper(pair.quick.actor.user_id, pair.quick.session_id(4))
    assert len(messages) == 6


async def test_a_paper_that_finds_no_room_is_read_each_time(
    pair: Twins, database: Database, messages: list[str]
) -> None:
    """Long explanations count by their length."""
    pair.set(f"update question_versions set answer_key = {_LONG} where %s::text is not null")
    quick = PostgresQuickAnswers(database, pair.clock, memory_bytes=25_000)
    for _ in range(2):
        assert await quick.paper(pair.quick.actor.user_id, pair.quick.session_id(9)) is not None
    assert len(messages) == 2

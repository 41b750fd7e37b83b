"""Heartbeats and answers in one round trip: it is one, it waits its turn, and it leaves the indexes alone."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from collections import Counter
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.exam.quick import PostgresQuickExam, bytes_of, frozen_paper, gap_digest
from adapters.postgres.multiplexer import Lane
from adapters.system.clock import TimeOrderedIds
from application.exam.answering import GivenAnswer
from application.exam.ports.quick import KeptAnswer, KeptBeat, QuickAnswer, QuickBeat
from application.exam.pulse import Beat
from application.exam.views import AnswerSaved, Pulse
from domain.enrollment.settings import Navigation
from domain.exam.record import Draft, EntryKind, EntrySource, digest, first_broken
from domain.exam.refusals import ExamTerminated, ExamTimeExpired, StaleWrite
from domain.question_bank.questions import Response
from tests.support.exam_builders import PAPER, exam_rules, later, right, wrong
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.exam_twins import Candidate, Candidates, candidates
from tests.support.postgres import ClonedDatabase, SettableClock

NUMERIC = next(place for place, offer in enumerate(PAPER, start=1) if offer.bands)
_SNAPSHOT = b'{"answers": [' + b",".join(b'{"slot": %d, "at": %d}' % (slot, slot * 7919) for slot in range(45)) + b"]}"
_TERMINATED = (
    "update exam_sessions set status = 'terminated', sealed_at = started_at, seal_reason = 'terminated'"
    " where user_id = %s and id = 'exs_1'"
)


@pytest.fixture
async def three(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> Candidates:
    """Each has an exam of an hour, ten seconds old."""
    found = candidates(cloned, database, clock)
    await found.begin(1)
    clock.advance(seconds=10)
    return found


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


class CountedIds(TimeOrderedIds):
    """Remembers what it made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    def new(self, prefix: str) -> str:
        self.made.append(super().new(prefix))
        return self.made[-1]


def given(place: int, response: Response | None = None, *, base: int = 0, **wishes: Any) -> GivenAnswer:
    """The right answer, unless another is said."""
    return GivenAnswer(slot=place, response=response or right(PAPER[place - 1]), base_revision=base, **wishes)


async def test_an_answer_is_one_round_trip(three: Candidates, messages: list[str]) -> None:
    """The first answer of a session reads its paper, which is remembered; no answer reads it again."""
    await three.quick.answer("exs_1", given(1))
    assert len(messages) == 2
    messages.clear()
    told = await three.quick.answer("exs_1", given(2, flagged=True))
    assert isinstance(told, AnswerSaved)
    assert len(messages) == 1
    assert len(await three.quick.record("exs_1")) == 2


async def test_a_heartbeat_is_one_round_trip_with_or_without_a_gap(three: Candidates, messages: list[str]) -> None:
    for seconds in (0, 15, 16):
        messages.clear()
        now = three.clock.advance(seconds=seconds)
        told = await three.quick.beat("exs_1", Beat(client_at=now, snapshot=_SNAPSHOT))
        assert isinstance(told, Pulse)
        assert len(messages) == 1
    (gap,) = await three.quick.record("exs_1")
    assert (gap.type, gap.effective_at, gap.at) == ("connection_gap", later(seconds=25), later(seconds=41))
    assert first_broken([gap]) is None


async def test_a_gap_is_told_once_of_two_heartbeats_that_waited_for_each_other(three: Candidates) -> None:
    """Both came after a minute of silence; only before the first of them there was silence."""
    await three.quick.beat("exs_1", Beat(seq=1))
    three.clock.advance(seconds=60)
    beats = [asyncio.create_task(three.quick.beat("exs_1", Beat(seq=seq))) for seq in (2, 3)]
    with three.cloned.administration() as connection, connection.transaction():
        connection.execute("select 1 from exam_sessions where user_id = %s for update", [three.quick.actor.user_id])
        await asyncio.sleep(0.3)
    await asyncio.gather(*beats)
    record = await three.quick.record("exs_1")
    assert [entry.type for entry in record] == ["connection_gap"]
    assert first_broken(record) is None
    assert (await three.quick.kept("exs_1"))["session"].record_hash == record[0].hash


async def test_the_same_number_written_otherwise_is_the_same_answer(three: Candidates) -> None:
    told = [
        await each.answer("exs_1", given(NUMERIC, Response.counting(number), base=base))
        for each in (three.quick, three.careful)
        for number, base in (("98.6", 0), ("98.60", 1), ("98.61", 1))
    ]
    assert told[:3] == told[3:]
    assert [each.revision for each in told[:3]] == [1, 1, 2]


async def test_a_flag_stays_until_something_else_is_said(three: Candidates) -> None:
    for flagged, shown in ((None, False), (True, True), (None, True), (False, False)):
        for each in (three.quick, three.careful):
            base = (await each.kept("exs_1"))["slots"][0].revision
            await each.answer("exs_1", given(1, Response.choosing("ABCD"[base]), base=base, flagged=flagged))
            slot = (await each.kept("exs_1"))["slots"][0]
            assert (slot.revision, slot.flagged) == (base + 1, shown)


async def test_of_many_answers_to_one_revision_one_is_kept(three: Candidates) -> None:
    """The others are told that it was changed by now, and the record holds together."""
    answers = [given(1, Response.choosing(letter)) for letter in "ABCD" * 5]
    told = await asyncio.gather(*(three.quick.answer("exs_1", answer) for answer in answers))
    kept = [each for each in told if isinstance(each, AnswerSaved)]
    assert {each.revision for each in kept} == {1}
    assert {each[0] for each in told if not isinstance(each, AnswerSaved)} <= {StaleWrite}
    record = await three.quick.record("exs_1")
    assert [(entry.slot, entry.revision) for entry in record] == [(1, 1)]
    assert first_broken(record) is None


async def test_answers_to_all_slots_and_heartbeats_at_once_make_one_chain(three: Candidates) -> None:
    """Of whatever order they come in."""
    three.clock.advance(seconds=30)
    await asyncio.gather(
        *(three.quick.answer("exs_1", given(place)) for place in range(1, len(PAPER) + 1)),
        *(three.quick.beat("exs_1", Beat(seq=seq, snapshot=b'{"n": %d}' % seq)) for seq in range(1, 15)),
        *(three.quick.answer("exs_1", given(place, wrong(PAPER[place - 1]), base=1)) for place in range(1, 4)),
    )
    record, kept = await three.quick.record("exs_1"), await three.quick.kept("exs_1")
    assert first_broken(record) is None
    assert [entry.position for entry in record] == list(range(1, len(record) + 1))
    assert (kept["session"].record_count, kept["session"].record_hash) == (len(record), record[-1].hash)
    assert (kept["session"].last_seq, kept["snapshot"]) == (14, {"n": 14})
    told = Counter(entry.slot for entry in record)
    assert told == Counter({slot.slot: slot.revision for slot in kept["slots"]})


async def test_an_answer_that_waited_for_the_end_of_its_session_comes_too_late(three: Candidates) -> None:
    await three.quick.answer("exs_1", given(1))
    told = await _while_held(three.quick, three, _TERMINATED, three.quick.answer("exs_1", given(2)))
    assert told[0] is ExamTerminated
    assert len(await three.quick.record("exs_1")) == 1
    assert (await three.quick.kept("exs_1"))["slots"][1].revision == 0


async def test_a_heartbeat_that_waited_for_the_end_of_its_session_comes_too_late(three: Candidates) -> None:
    for seconds in (1, 60):  # without a gap, and with one
        three.cloned.keeper.execute(
            "update exam_sessions set status = 'active', sealed_at = null, seal_reason = null where id = 'exs_1'"
        )
        await three.quick.beat("exs_1", Beat(snapshot=b'{"first": true}'))
        three.clock.advance(seconds=seconds)
        beat = three.quick.beat("exs_1", Beat(snapshot=b'{"last": true}'))
        told = await _while_held(three.quick, three, _TERMINATED, beat)
        assert told[0] is ExamTerminated
        assert (await three.quick.kept("exs_1"))["snapshot"] == {"first": True}
        assert not await three.quick.record("exs_1")


async def test_a_heartbeat_that_waited_for_a_later_one_is_stale(three: Candidates) -> None:
    await three.quick.beat("exs_1", Beat(seq=1, snapshot=b'{"n": 1}'))
    overtaken = """update exam_sessions set last_seq = 9, snapshot = '{"n": 9}' where user_id = %s and id = 'exs_1'"""
    told = await _while_held(three.quick, three, overtaken, three.quick.beat("exs_1", Beat(seq=5, snapshot=b"{}")))
    assert told.stale
    assert (await three.quick.kept("exs_1"))["snapshot"] == {"n": 9}


async def test_an_answer_goes_by_the_deadline_that_is_in_force_when_its_turn_comes(three: Candidates) -> None:
    """Not by the one when it began to wait."""
    await three.quick.answer("exs_1", given(1))
    shorter = f"update exam_sessions set deadline = '{later(seconds=5)}' where user_id = %s and id = 'exs_1'"
    await _while_held(three.quick, three, shorter, three.quick.answer("exs_1", given(2)))
    assert (await three.quick.kept("exs_1"))["slots"][1].answered_at == later(seconds=5)


async def test_within_the_latency_an_answer_counts_for_the_deadline(three: Candidates) -> None:
    three.clock.set(later(seconds=3660))
    assert isinstance(await three.quick.answer("exs_1", given(1)), AnswerSaved)
    assert (await three.quick.record("exs_1"))[0].effective_at == later(seconds=3600)
    three.clock.advance(microseconds=1)
    told = await three.quick.answer("exs_1", given(2))
    assert told[0] is not ExamTimeExpired  # it has been handed in, which is what is said
    assert (await three.quick.kept("exs_1"))["session"].sealed_at == later(seconds=3600)


async def test_nobody_answers_or_beats_in_the_session_of_another(three: Candidates) -> None:
    quick = three.quick.store.quick_exam
    stranger = QuickAnswer(user_id="usr_nobody", session_id="exs_1", slot=1, response=right(PAPER[0]), base_revision=0)
    assert await quick.paper("usr_nobody", "exs_1") is None
    assert await quick.save_answer(stranger) is None
    assert await quick.heartbeat(QuickBeat(user_id="usr_nobody", session_id="exs_1")) is None
    assert not await three.quick.record("exs_1")


async def test_each_gap_has_an_id_of_its_own_and_one_that_was_not_needed_is_taken_again(
    three: Candidates, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the database's own clock, with three sessions of one student at once."""
    monkeypatch.setattr("adapters.postgres.exam.quick._SPARE_SECONDS", 60.0)
    for number in (2, 3):
        await three.begin(number)
    user, ids = three.quick.actor.user_id, CountedIds()
    quick = PostgresQuickExam(database, ids)
    move = """update exam_sessions set deadline = now() + '1 h', due_at = now() + '2 h',
                                       last_heartbeat_at = now() - %s::interval"""
    three.cloned.keeper.execute(move, ["0 s"])
    for _ in range(5):
        assert await quick.heartbeat(QuickBeat(user_id=user, session_id="exs_1")) is not None
    assert len(ids.made) == 1
    for _ in range(2):
        three.cloned.keeper.execute(move, ["1 min"])
        beats = [quick.heartbeat(QuickBeat(user_id=user, session_id=f"exs_{number}")) for number in (1, 2, 3)]
        assert None not in await asyncio.gather(*beats)
    told = [entry for number in (1, 2, 3) for entry in await three.quick.record(f"exs_{number}")]
    assert [entry.type for entry in told] == ["connection_gap"] * 6
    assert len({entry.id for entry in told}) == 6
    assert {entry.id for entry in told} == set(ids.made)


async def test_an_id_is_not_kept_for_long(
    three: Candidates, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says when it was made."""
    monkeypatch.setattr("adapters.postgres.exam.quick._SPARE_SECONDS", 0.05)
    ids = CountedIds()
    quick = PostgresQuickExam(database, ids)
    for _ in range(3):
        await quick.heartbeat(QuickBeat(user_id=three.quick.actor.user_id, session_id="exs_1"))
        await asyncio.sleep(0.06)
    assert len(ids.made) == 3


@pytest.mark.parametrize("event_id", ["evt_1", "evt_01m7y0w5089re0wwbvvzgw20sk", ""])
def test_a_gap_is_digested_as_every_entry_is(event_id: str) -> None:
    gap = Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id=event_id, type="connection_gap")
    assert gap_digest(event_id) == digest(gap)


async def test_what_is_told_is_what_was_kept(three: Candidates) -> None:
    """Without reading it again."""
    user, quick = three.quick.actor.user_id, three.quick.store.quick_exam
    answer = QuickAnswer(
        user_id=user, session_id="exs_1", slot=3, response=right(PAPER[2]), base_revision=0, flagged=True
    )
    kept = await quick.save_answer(answer)
    assert isinstance(kept, KeptAnswer)
    assert kept.slot == (await three.quick.store.slots_of(user, "exs_1"))[2]
    assert (kept.at, kept.deadline) == (three.clock.now(), later(hours=1))
    beaten = await quick.heartbeat(QuickBeat(user_id=user, session_id="exs_1", seq=5))
    assert beaten == KeptBeat(at=three.clock.now(), last_seq=5, deadline=later(hours=1))
    assert await quick.save_answer(answer) is None
    assert await quick.heartbeat(QuickBeat(user_id=user, session_id="exs_1", seq=5)) is None


async def test_a_paper_holds_no_key_and_all_that_taking_an_answer_needs(three: Candidates) -> None:
    user, store = three.quick.actor.user_id, three.quick.store
    paper = await store.quick_exam.paper(user, "exs_1")
    assert paper is not None
    session = await store.session_of(user, "exs_1")
    held = await store.exams(lambda work: work.hold_slots(session))
    assert list(paper.slots.values()) == list(held)
    assert paper.rules == session.rules
    assert "sentinel" not in repr(paper)


async def test_linear_rules_are_told_with_the_paper(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    three = candidates(cloned, database, clock)
    await three.begin(1, rules=exam_rules(navigation=Navigation.LINEAR, pass_mark=Decimal("33.3")))
    paper = await three.quick.store.quick_exam.paper(three.quick.actor.user_id, "exs_1")
    assert paper is not None
    assert paper.rules == exam_rules(navigation=Navigation.LINEAR, pass_mark=Decimal("33.3"))


async def test_only_a_bounded_amount_is_remembered(three: Candidates, database: Database, messages: list[str]) -> None:
    """Room for two papers: the third always drives out the one that is asked for next."""
    store = three.quick.store
    for number in (2, 3):
        await three.begin(number)
    quick = PostgresQuickExam(database, store.ids, three.clock, memory_bytes=18_000)
    messages.clear()
    for number in (1, 2, 3, 1, 2, 3):
        assert await quick.paper(three.quick.actor.user_id, f"exs_{number}") is not None
    assert len(messages) == 6
    await quick.paper(three.quick.actor.user_id, "exs_3")
    assert len(messages) == 6


async def test_a_paper_that_finds_no_room_is_read_each_time(
    three: Candidates, database: Database, messages: list[str]
) -> None:
    quick = PostgresQuickExam(database, three.quick.store.ids, three.clock, memory_bytes=5_000)
    for _ in range(2):
        assert await quick.paper(three.quick.actor.user_id, "exs_1") is not None
    assert len(messages) == 2


@pytest.mark.parametrize(("choices", "prompts"), [(6, 0), (26, 0), (50, 50)])
def test_what_is_remembered_counts_for_about_what_it_takes(choices: int, prompts: int) -> None:
    """However many there are to choose from."""
    names = [f"choice_{number:07}" for number in range(choices)]
    slot = {"section": 0, "question_id": "qst_1", "version": 1, "topic_id": "top_1", "choice_order": names}
    asked = slot | {"max_mark": "1", "kind": "ordering", "prompt_ids": [f"p{name}" for name in names[:prompts]]}
    row = json.dumps({"rules": {}, "slots": [asked | {"slot": number} for number in range(1, 61)]})
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        papers = [frozen_paper(("usr_1", "exs_1"), json.loads(row)) for _ in range(10)]
        taken = (tracemalloc.get_traced_memory()[0] - before) / len(papers)
    finally:
        tracemalloc.stop()
    assert taken <= 1.1 * bytes_of(papers[0]) <= 1.4 * taken


async def test_time_is_the_databases_own(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> None:
    """Without a clock for tests."""
    store = exams_on_postgres(cloned, database, clock)
    assert isinstance(store, ExamsOnPostgres)
    three = candidates(cloned, database, clock)
    await three.begin(1, rules=exam_rules(time_limit_seconds=None))
    quick = PostgresQuickExam(database, store.ids)
    beaten = await quick.heartbeat(QuickBeat(user_id=three.quick.actor.user_id, session_id="exs_1"))
    assert beaten is not None
    assert abs(beaten.at.timestamp() - time.time()) < 60


async def _while_held(candidate: Candidate, three: Candidates, change: str, act: Any) -> Any:
    """What somebody is told who waits for the session, which is changed meanwhile."""
    user_id = candidate.actor.user_id
    with three.cloned.administration() as connection, connection.transaction():
        connection.execute("select 1 from exam_sessions where user_id = %s for update", [user_id])
        waiting = asyncio.create_task(act)
        await asyncio.sleep(0.3)
        assert not waiting.done()
        connection.execute(change.encode(), [user_id])
    return await waiting

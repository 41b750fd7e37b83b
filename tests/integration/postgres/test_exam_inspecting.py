"""What administrators see of exams on PostgreSQL: lists page by page, one session with all about it, and its record."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.exam.overseen import PostgresOverseeReader, page_of_sessions
from application.exam.flagging import ResolveFlag
from application.exam.inspecting import ListAnswerHistory, ListOverseenSessions, ListSessionEvents, ReadOverseenSession
from application.exam.overseen import OverseenRow
from application.exam.ports.overseeing import WantedOverseen
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden
from domain.exam.connection import CONNECTED_FOR, UNSTABLE_FOR, Connection, connection
from domain.exam.record import Draft, EntryKind, EntrySource, answer_content
from domain.exam.refusals import ExamSessionNotFound
from domain.exam.sessions import ExamSession, ExamStatus, SealReason
from domain.question_bank.certainty import Certainty
from tests.support.exam_builders import (
    PACKAGE,
    PAPER,
    ROOT,
    SESSION,
    START,
    STRANGER,
    STUDENT,
    an_event,
    exam_session,
    later,
    right,
)
from tests.support.exam_overseeing import Oversight
from tests.support.exam_stores import ExamsOnPostgres, exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import offers

USER = STUDENT.user_id
OTHER_PACKAGE = "pkg_second"
PEOPLE = tuple(f"usr_{number:02}" for number in range(12))
NOW = later(minutes=30)
_SEALED = {
    ExamStatus.SUBMITTED: SealReason.STUDENT,
    ExamStatus.FINISHED: SealReason.TIMEOUT,
    ExamStatus.ABANDONED: SealReason.TIMEOUT,
    ExamStatus.TERMINATED: SealReason.TERMINATED,
    ExamStatus.INVALIDATED: SealReason.INVALIDATED,
}


@pytest.fixture
def store(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> ExamsOnPostgres:
    clock.set(START)
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT, STRANGER)
    store.offer(offers(1, prefix="qsb"), OTHER_PACKAGE)
    store.admit(ROOT)
    return store


@pytest.fixture
def reader(store: ExamsOnPostgres) -> PostgresOverseeReader:
    return PostgresOverseeReader(store.database, store.clock)


# Lists


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as it was put in, and whether it has a flag that is open."""

    session: ExamSession
    flagged: bool

    @property
    def place(self) -> tuple[datetime, str, str]:
        return self.session.created_at, self.session.user_id, self.session.id

    def is_wanted(self, wanted: WantedOverseen) -> bool:
        session = self.session
        there = connection(session.status, session.started_at, session.last_heartbeat_at, NOW)
        return (
            (not wanted.statuses or session.status in wanted.statuses)
            and wanted.exam_package_id in (None, session.exam_package_id)
            and wanted.user_id in (None, session.user_id)
            and wanted.connection in (None, there)
            and wanted.flagged in (None, self.flagged)
            and (wanted.since is None or session.created_at >= wanted.since)
            and (wanted.until is None or session.created_at < wanted.until)
        )


@pytest.fixture
async def listed(store: ExamsOnPostgres) -> list[Listed]:
    """Sessions of a dozen students in two packages, in every status, some made at the same instant, some flagged."""
    chance = random.Random(7)
    staff, found = Oversight(store), []
    for user_id in PEOPLE:
        for package_id in (PACKAGE, OTHER_PACKAGE):
            store.enroll(user_id, package_id)
            for attempt, status in enumerate(_statuses(chance), start=1):
                session = _session(chance, user_id, package_id, attempt, status)
                await store.begin(session, PAPER[:1])
                flagged = chance.random() < 0.3
                if flagged or chance.random() < 0.2:
                    flag = await staff.flag(user_id=user_id, session_id=session.id)
                    if not flagged:
                        await _resolve(staff, user_id, session.id, flag.id)
                found.append(Listed(session, flagged))
    store.clock.set(NOW)
    return sorted(found, key=lambda each: each.place, reverse=True)


def _statuses(chance: random.Random) -> list[ExamStatus]:
    """Of the attempts of one student, of which at most one is live."""
    over = chance.sample(tuple(_SEALED), k=3)
    return [*over, chance.choice([ExamStatus.ACTIVE, *(status for status in ExamStatus if status.is_live)])]


async def _resolve(staff: Oversight, user_id: str, session_id: str, flag_id: str) -> None:
    await ResolveFlag(transact=staff.transact, ids=staff.store.ids)(ROOT, user_id, session_id, flag_id)


def _session(chance: random.Random, user_id: str, package_id: str, attempt: int, status: ExamStatus) -> ExamSession:
    at = START + timedelta(minutes=chance.randrange(8))
    changes: dict[str, Any] = {"status": status, "exam_package_id": package_id, "attempt_no": attempt}
    changes |= {"tier_id": f"tie_{package_id[4:]}", "started_at": None if status is ExamStatus.CREATED else at}
    if status is ExamStatus.ACTIVE:
        silent = chance.choice([1, 30, 30, 31, 90, 90, 91, None])
        changes["last_heartbeat_at"] = None if silent is None else NOW - timedelta(seconds=silent)
    if status is ExamStatus.PAUSED:
        changes["paused_at"] = at
    if status in _SEALED:
        changes |= {"sealed_at": at, "seal_reason": _SEALED[status]}
    if status is ExamStatus.FINISHED:
        changes |= {"grade_revision": 1, "mark": Decimal(1), "max_mark": Decimal(2), "passed": True, "graded_at": at}
    if status is ExamStatus.INVALIDATED:
        told = {"invalidated_at": at, "invalidated_by": ROOT.user_id, "invalidation_reason": "why"}
        changes |= told | {"status_before_invalidation": ExamStatus.ACTIVE}
    id_ = f"exs_{chance.randrange(10**6):06}_{attempt}"
    return exam_session(user_id=user_id, session_id=id_, at=at, **changes)


_WANTED = (
    WantedOverseen(),
    *(WantedOverseen(statuses=(status,)) for status in ExamStatus),
    WantedOverseen(statuses=(ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE), exam_package_id=PACKAGE),
    WantedOverseen(exam_package_id=OTHER_PACKAGE),
    WantedOverseen(user_id=PEOPLE[3]),
    WantedOverseen(user_id=PEOPLE[3], flagged=False),
    WantedOverseen(user_id="usr_none"),
    WantedOverseen(flagged=True),
    WantedOverseen(flagged=False, exam_package_id=PACKAGE),
    WantedOverseen(flagged=True, statuses=(ExamStatus.FINISHED,), exam_package_id=PACKAGE),
    WantedOverseen(since=later(minutes=2), until=later(minutes=5)),
    WantedOverseen(since=later(minutes=2), until=later(minutes=5), flagged=True),
    *(WantedOverseen(connection=each) for each in Connection),
    *(WantedOverseen(connection=each, flagged=True) for each in Connection),
    WantedOverseen(connection=Connection.LOST, statuses=(ExamStatus.FINISHED,)),
    WantedOverseen(connection=Connection.NONE, statuses=(ExamStatus.ACTIVE, ExamStatus.CREATED)),
)


async def test_every_filter_finds_what_it_says_page_by_page_in_one_order(
    listed: list[Listed], reader: PostgresOverseeReader
) -> None:
    for wanted in _WANTED:
        expected = [each for each in listed if each.is_wanted(wanted)]
        found = await _every_page(reader, wanted, 7)
        assert [_place(row) for row in found] == [each.place for each in expected], wanted
        assert [row.open_flags for row in found] == [int(each.flagged) for each in expected], wanted
    found_something = [wanted for wanted in _WANTED if any(each.is_wanted(wanted) for each in listed)]
    assert len(found_something) > 25
    assert {wanted.connection for wanted in found_something} == {None, *Connection}
    silent = {NOW - at for each in listed if (at := each.session.last_heartbeat_at) is not None}
    assert {CONNECTED_FOR, UNSTABLE_FOR} < silent


async def _every_page(reader: PostgresOverseeReader, wanted: WantedOverseen, limit: int) -> Sequence[OverseenRow]:
    found: list[OverseenRow] = []
    while True:
        page = await reader.sessions(wanted, _place(found[-1]) if found else None, limit)
        found.extend(page)
        if len(page) < limit:
            return found


def _place(row: OverseenRow) -> tuple[datetime, str, str]:
    return row.overseen.session.created_at, row.overseen.user_id, row.overseen.session.id


async def test_a_row_tells_whose_session_it_is_and_how_its_student_is_connected(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    await store.begin(exam_session())
    store.clock.set(later(seconds=40))
    (row,) = await ListOverseenSessions(oversee_reader=reader)(ROOT, WantedOverseen(), None, 10)
    assert (row.overseen.user_id, row.user_email) == (USER, f"{USER}@example.org")
    assert (row.overseen.connection, row.overseen.session.remaining_seconds) == (Connection.UNSTABLE, 3560)


async def test_what_time_has_ended_is_told_so_before_anybody_has_written_it_down(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    await store.begin(exam_session())
    store.clock.set(later(hours=2))
    (row,) = await reader.sessions(WantedOverseen(), None, 10)
    detail = await reader.session(USER, SESSION)
    assert detail is not None
    for session in (row.overseen.session, detail.row.overseen.session):
        assert (session.status, session.submitted_at) == (ExamStatus.SUBMITTED, later(hours=1))
    assert (await store.session_of(USER, SESSION)).status is ExamStatus.ACTIVE


@pytest.mark.parametrize(
    ("wanted", "most"),
    [
        (WantedOverseen(), 1_000),
        (WantedOverseen(statuses=(ExamStatus.INVALIDATED,)), 200),
        (WantedOverseen(statuses=(ExamStatus.FINISHED,), exam_package_id=OTHER_PACKAGE), 400),
        (WantedOverseen(exam_package_id=PACKAGE), 1_000),
        (WantedOverseen(user_id=PEOPLE[0]), 400),
        (WantedOverseen(flagged=True), 400),
        (WantedOverseen(since=later(days=3), until=later(days=4)), 1_000),
    ],
)
async def test_a_page_reads_no_more_however_many_sessions_there_are(
    store: ExamsOnPostgres, wanted: WantedOverseen, most: int
) -> None:
    """In blocks of 8 KiB, at the beginning of the list and far behind it, of 30,000 sessions with a few flags."""
    store.enroll(PEOPLE[0])
    with store.cloned.administration() as connection:
        _fill(connection)
        for after in (None, (later(days=2), "usr_x", "exs_x")):
            query, params = page_of_sessions(wanted, after, 21, NOW)
            explained = f"explain (analyze, buffers, format json) {query.as_string(connection)}"
            row = connection.execute(explained.encode(), params).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"]
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= most, plan


def _fill(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        """
        insert into users (id, email, role, password_hash, created_at, updated_at)
        select 'usr_' || n, n || '@example.org', 'student', 'x', now(), now() from generate_series(100, 3099) n;
        insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, started_at, rules,
                                   status, sealed_at, seal_reason, grade_revision, mark)
        select 'usr_' || 100 + n % 3000, 'exs_' || n, case n % 7 when 0 then 'pkg_second' else 'pkg_security' end,
               case n % 7 when 0 then 'tie_second' else 'tie_security' end, n, at, at, '{}',
               case n % 3 when 0 then 'terminated' else 'finished' end, at, 'student', 1, 1
          from generate_series(1, 30000) n, lateral (select timestamptz '2030-01-15' + n * interval '20 s' as at) a;
        insert into exam_flags (user_id, session_id, id, type, created_at)
        select user_id, id, 'flg_1', 'noise', created_at from exam_sessions where attempt_no %% 1500 = 0;
        analyze users; analyze exam_sessions; analyze exam_flags;
        """.replace("%%", "%")
    )


# One session


async def test_a_session_is_told_with_its_slots_grades_flags_and_counted_events(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    staff = Oversight(store)
    session = await store.begin(exam_session())
    answered = replace(
        (await store.slots_of(USER, SESSION))[0], response=right(PAPER[0]), revision=1, answered_at=START
    )
    await store.exams(lambda work: work.save_slot(answered))
    await store.note(USER, SESSION, an_event(1), an_event(2), an_event(3, type="copy"))
    await staff.flag("noise", "loud")
    settled = await staff.flag("light")
    await staff.resolve(settled.id, "curtain drawn")
    store.clock.advance(seconds=60)
    await staff.act("force_submit", "time to go")
    await staff.act("reopen")
    await staff.act("force_submit", "now really")
    detail = await ReadOverseenSession(oversee_reader=reader)(ROOT, USER, SESSION)
    told = detail.row.overseen
    assert (told.sealed_by, told.seal_note, told.session.result is not None) == (ROOT.user_id, "now really", True)
    assert [slot.slot for slot in detail.slots] == list(range(1, len(PAPER) + 1))
    first = detail.slots[0]
    assert (first.response, first.revision, first.correct, first.mark) == (right(PAPER[0]), 1, True, Decimal(1))
    assert [(slot.correct, slot.mark) for slot in detail.slots[1:]] == [(None, Decimal(0))] * (len(PAPER) - 1)
    assert [(grade.revision, grade.mark, grade.mode) for grade in detail.grades] == [
        (1, Decimal(1), "as_asked"),
        (2, Decimal(1), "as_asked"),
    ]
    assert [(flag.type, flag.note, flag.resolution) for flag in detail.flags] == [
        ("noise", "loud", None),
        ("light", None, "curtain drawn"),
    ]
    assert detail.row.open_flags == 1
    assert dict(detail.events) == {
        "focus_lost": 2,
        "copy": 1,
        "session_submitted": 2,
        "session_reopened": 1,
        "grade_recorded": 2,
    }
    now = await store.session_of(USER, SESSION)
    assert (detail.record_count, detail.record_hash) == (now.record_count, now.record_hash)
    assert session.record_count == 0


async def test_a_session_without_anything_is_told_too(store: ExamsOnPostgres, reader: PostgresOverseeReader) -> None:
    await store.begin(exam_session(), PAPER[:1])
    detail = await reader.session(USER, SESSION)
    assert detail is not None
    assert (detail.grades, detail.flags, detail.events, detail.record_hash) == ((), (), {}, b"")
    assert (detail.slots[0].response, detail.slots[0].mark) == (None, None)


async def test_events_are_told_the_latest_first_and_by_type(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    await store.begin(exam_session())
    gap = Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id="evt_9", type="connection_gap")
    await store.note(USER, SESSION, an_event(1, content='{"seconds":4}', client_at=START), _answer(1, 1), gap)
    await Oversight(store).act("pause", "a fire alarm")
    events = ListSessionEvents(oversee_reader=reader)
    everything = await events(ROOT, USER, SESSION, None, None, 10)
    assert [(event.position, event.type, event.source) for event in everything] == [
        (4, "session_paused", "staff"),
        (3, "connection_gap", "system"),
        (1, "focus_lost", "student"),
    ]
    last = everything[-1]
    assert (last.client_event_id, last.client_at, last.content) == ("cev_1", START, '{"seconds":4}')
    assert (everything[0].actor_id, everything[0].content) == (ROOT.user_id, '{"reason":"a fire alarm"}')
    assert await events(ROOT, USER, SESSION, None, 4, 1) == everything[1:2]
    assert await events(ROOT, USER, SESSION, "focus_lost", None, 10) == everything[2:]


async def test_every_answer_is_told_in_the_order_in_which_it_came(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    await store.begin(exam_session())
    given = [_answer(number, 1, right(offer)) for number, offer in enumerate(PAPER, start=1)]
    sure = replace(_answer(1, 2, right(PAPER[0])), content=answer_content(right(PAPER[0]), Certainty.HIGH))
    await store.note(USER, SESSION, *given, an_event(1), replace(sure, autosave=True), _answer(1, 3))
    answers = ListAnswerHistory(oversee_reader=reader)
    everything = await answers(ROOT, USER, SESSION, None, 0, 100)
    assert [entry.response for entry in everything] == [*map(right, PAPER), right(PAPER[0]), None]
    assert [(entry.slot, entry.revision) for entry in everything[-2:]] == [(1, 2), (1, 3)]
    assert (everything[-2].certainty, everything[-2].autosave) == (Certainty.HIGH, True)
    assert await answers(ROOT, USER, SESSION, 1, 0, 2) == (everything[0], everything[-2])
    assert await answers(ROOT, USER, SESSION, 1, everything[-2].position, 2) == everything[-1:]


def _answer(slot: int, revision: int, response: Any = None) -> Draft:
    return Draft(kind=EntryKind.ANSWER, slot=slot, revision=revision, content=answer_content(response, None))


async def test_what_is_not_there_is_not_told_and_nobody_else_is_told_anything(
    store: ExamsOnPostgres, reader: PostgresOverseeReader
) -> None:
    await store.begin(exam_session())
    assert await ListSessionEvents(oversee_reader=reader)(ROOT, USER, SESSION, None, None, 5) == ()
    assert await ListAnswerHistory(oversee_reader=reader)(ROOT, USER, SESSION, None, 0, 5) == ()
    instructor = Actor(user_id="usr_ivy", role=Role.INSTRUCTOR, session_id="ses_ivy")
    for actor, whose, refusal in (
        (ROOT, STRANGER.user_id, ExamSessionNotFound),
        (STUDENT, USER, Forbidden),
        (instructor, USER, Forbidden),
    ):
        for asked in (
            ReadOverseenSession(oversee_reader=reader)(actor, whose, SESSION),
            ListSessionEvents(oversee_reader=reader)(actor, whose, SESSION, None, None, 5),
            ListAnswerHistory(oversee_reader=reader)(actor, whose, SESSION, None, 0, 5),
        ):
            with pytest.raises(refusal):
                await asked
    for nobody in (STUDENT, instructor):
        with pytest.raises(Forbidden):
            await ListOverseenSessions(oversee_reader=reader)(nobody, WantedOverseen(), None, 5)

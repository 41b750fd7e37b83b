"""How exams lie in the database: rows that stay on their page, a record that nobody rewrites, look-ups by index."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor

from adapters.postgres.database import Database
from adapters.postgres.statements import load
from application.exam.answering import GivenAnswer
from application.exam.pulse import Beat
from application.exam.views import AnswerSaved, Pulse
from tests.support.exam_builders import PAPER, STUDENT, an_event, exam_session, later, right, wrong
from tests.support.exam_stores import exams_on_postgres
from tests.support.exam_twins import candidates
from tests.support.postgres import ClonedDatabase, SettableClock

_SNAPSHOT = b'{"answers": [' + b",".join(b'{"slot": %d, "at": %d}' % (slot, slot * 7919) for slot in range(45)) + b"]}"
# A hundred exams of each of a thousand students, one in ten of them live, some with answers on record.
_FILL = (
    """
    insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, status, started_at,
                               deadline, due_at, last_heartbeat_at, record_count, sealed_at, seal_reason,
                               grade_revision, mark, max_mark, passed)
    select 'usr_' || k % 1000, 'exs_' || k, 'pkg_' || k / 1000 % 10, 'tie_1', k / 10000 + 1,
           timestamptz '2030-01-01' + k * interval '1 second', '{"time_limit_seconds": 3600}',
           case when live then 'active' else 'finished' end, timestamptz '2030-01-01' + k * interval '1 second',
           timestamptz '2100-01-01' + k * interval '1 second', timestamptz '2100-01-01' + k * interval '1 second',
           timestamptz '2030-01-15', 10, case when live then null else timestamptz '2030-02-01' end,
           case when live then null else 'student' end,
           case when live then 0 else 1 end, case when live then null else 5 end, case when live then null else 8 end,
           case when live then null else true end
      from (select k, k / 10000 = 9 as live from generate_series(0, 99999) k) sessions
    """,
    """
    insert into exam_slots (user_id, session_id, slot, section, question_id, version, choice_order, max_mark)
    select 'usr_' || k % 1000, 'exs_' || k, slot, 0, 'qst_' || slot, 1, '{A,B}', 1
      from generate_series(90000, 99999) k, generate_series(1, 5) slot
    """,
    """
    insert into exam_records (user_id, session_id, position, at, effective_at, kind, source, id, type, client_event_id,
                              content, hash)
    select 'usr_' || k % 1000, 'exs_' || k, position, timestamptz '2030-01-15' + position * interval '1 second',
           timestamptz '2030-01-15', 'event', 'student', 'evt_1', 'note', 'cev_' || position, '{}', ''
      from generate_series(90000, 99999) k, generate_series(1, 10) position
    """,
    """
    insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                               absolute_expires_at)
    select 'usr_' || k, 'ses_' || k, 'portal', 'student', now(), now(), now(), now() + interval '1 day',
           now() + interval '1 day'
      from generate_series(0, 9999) k
    """,
    """
    insert into users (id, email, role, status, password_hash, created_at, updated_at)
    select 'usr_' || k, k || '@ace.example', 'student', 'active', '', now(), now() from generate_series(0, 9999) k
    """,
    """
    insert into readiness_predictions (user_id, id, exam_package_id, shown_at, p_pass, expected, lowest, highest, need,
                                       questions, coverage)
    select 'usr_' || k % 1000, 'prd_' || k, 'pkg_' || k / 1000 % 10, '2029-12-01', 0.5, 1, 1, 1, 1, 1, 1
      from generate_series(0, 9999) k
    """,
)
_ASKED: dict[str, Any] = {
    "user_id": "usr_5",
    "session_id": "exs_95005",
    "id": "exs_95005",
    "exam_package_id": "pkg_5",
    "slot": 2,
    "base_revision": 0,
    "now": None,
    "response": '{"choice_ids": ["A"]}',
    "certainty": None,
    "flagged": None,
    "autosave": False,
    "content": "{}",
    "digest": b"x" * 32,
    "seq": 5,
    "client_at": None,
    "snapshot": "{}",
    "event_id": "evt_9",
    "longest_silence": "15 s",
    "longest_drift": "30 s",
    "drift_pause": "60 s",
    "client_event_id": "cev_3",
    "since": later(),
    "until": later(),
    "everywhere": True,
    "auth_session_id": "ses_5",
    "began_at": later(),
    "passed": True,
    "nth": 3,
    "claim_session_id": "ses_5",
    "claim_role": "student",
    "claim_from": later(days=-10_000),
    "claim_until": later(days=10_000),
    "revision": 1,
}
_LOOK_UPS = (
    [("exam/quick", name) for name in ("read_paper", "keep_answer", "keep_heartbeat")]
    + [
        ("exam/sessions", name)
        for name in (
            "find_session",
            "hold_session",
            "hold_slots",
            "find_event",
            "count_events",
            "graded_slots",
            "find_grade",
            "mark_sitting",
            "move_sitting",
            "unmark_sitting",
            "judge_predictions",
            "voids",
        )
    ]
    + [("exam/starting", name) for name in ("live_session", "attempts", "nth_latest_start", "questions")]
)


@pytest.fixture(scope="module")
def crowded(module_database: ClonedDatabase) -> ClonedDatabase:
    """A hundred thousand exam sessions. What they refer to is not there."""
    module_database.empty()
    with module_database.administration() as connection:
        connection.execute("set session_replication_role = replica")
        for statement in _FILL:
            connection.execute(statement.encode())
        connection.execute("vacuum analyze")
    return module_database


@pytest.mark.parametrize(("part", "name"), _LOOK_UPS, ids=[name for _, name in _LOOK_UPS])
def test_among_a_hundred_thousand_sessions_a_few_pages_are_read(part: str, name: str, crowded: ClonedDatabase) -> None:
    """By an index, whatever is asked; what a statement would change is rolled back."""
    with psycopg.connect(crowded.superuser, cursor_factory=ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")
        explain = "explain (analyze, buffers, costs off, timing off, summary off, format json) "
        row = connection.execute((explain + load(part)[name]).encode(), _ASKED).fetchone()
        connection.rollback()
    assert row is not None
    nodes = list(_nodes(row[0][0]["Plan"]))
    big = {"exam_sessions", "exam_slots", "exam_records", "auth_sessions", "readiness_predictions"}
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] in big]
    top = nodes[0]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 150


def test_the_statements_find_what_they_are_asked_for(crowded: ClonedDatabase) -> None:
    """So that the plans are not those of finding nothing. Of questions, grades and voids there are none here."""
    joined_with_nothing = {"hold_slots", "graded_slots", "questions", "find_grade", "voids", "unmark_sitting"}
    for part, name in _LOOK_UPS:
        with psycopg.connect(crowded.superuser, cursor_factory=ClientCursor) as connection:
            connection.execute("set session_replication_role = replica")
            found = connection.execute(load(part)[name].encode(), _ASKED).rowcount
            connection.rollback()
        assert found > 0 or name in joined_with_nothing, name


@pytest.mark.parametrize("table", ["exam_records", "exam_grades", "exam_voids", "exam_flags"])
@pytest.mark.parametrize("change", ["update {} set hash = ''", "delete from {}", "truncate {}"])
async def test_the_application_cannot_change_what_is_on_record(
    table: str, change: str, cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    await store.begin(exam_session())
    await store.note("usr_ada", "exs_1", an_event())
    column = "id" if table == "exam_voids" else "session_id"
    statement = change.format(table).replace("hash = ''", f"{column} = {column}")
    with (
        psycopg.connect(cloned.urls.app, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
    assert len(await store.record_of("usr_ada", "exs_1")) == 1


async def test_one_name_of_a_client_means_one_event_and_one_revision_one_answer(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    """Whatever the application believes, the database does not take a second one."""
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    await store.begin(exam_session())
    await store.note("usr_ada", "exs_1", an_event())
    insert = (
        "insert into exam_records (user_id, session_id, position, at, effective_at, kind, source, id, type,"
        " client_event_id, slot, revision, content, hash) values ('usr_ada', 'exs_1', {}, now(), now(), {}, '{{}}', '')"
    )
    event = "'event', 'student', 'evt_7', 'note', 'cev_1', null, null"
    answer = "'answer', 'student', null, null, null, 1, 1"
    with psycopg.connect(cloned.urls.app, autocommit=True) as connection:
        connection.execute(insert.format(2, answer).encode())
        for place, entry in ((2, event.replace("cev_1", "cev_9")), (3, event), (3, answer)):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(insert.format(place, entry).encode())


async def test_a_second_live_session_is_impossible(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    await store.begin(exam_session())
    with pytest.raises(Exception, match="collides"):
        await store.begin(exam_session(session_id="exs_2", attempt_no=2))
    assert await store.exams(lambda work: work.find_session("usr_ada", "exs_2")) is None


async def test_heartbeats_and_answers_touch_no_index(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    """Each row stays on its page: what is written over and over would otherwise be written to every index as well."""
    three = candidates(cloned, database, clock)
    await three.begin(1)
    before = _updates(cloned)
    for turn in range(150):
        clock.advance(seconds=5)
        assert isinstance(await three.quick.beat("exs_1", Beat(seq=turn + 1, snapshot=_SNAPSHOT)), Pulse)
        place, base = 1 + turn % len(PAPER), turn // len(PAPER)
        response = wrong(PAPER[place - 1]) if base % 2 else right(PAPER[place - 1])
        answer = GivenAnswer(slot=place, response=response, base_revision=base)
        assert isinstance(await three.quick.answer("exs_1", answer), AnswerSaved)
    await database.close()  # which makes the server's processes report what they have counted
    after = _updates(cloned, sessions=before["exam_sessions"][0] + 300, slots=before["exam_slots"][0] + 150)
    for table, count in (("exam_sessions", 300), ("exam_slots", 150)):
        updated, elsewhere = (new - old for old, new in zip(before[table], after[table], strict=True))
        assert updated == count
        assert elsewhere == 0


def _updates(cloned: ClonedDatabase, *, sessions: int = 0, slots: int = 0) -> dict[str, tuple[int, int]]:
    """By table, how many updates there were and how many of them were written to the indexes too."""
    over = time.monotonic() + 60
    while True:
        rows = cloned.keeper.execute(
            "select relname, n_tup_upd, n_tup_upd - n_tup_hot_upd from pg_stat_user_tables"
            " where relname in ('exam_sessions', 'exam_slots')"
        ).fetchall()
        found = {name: (updated, elsewhere) for name, updated, elsewhere in rows}
        are_told = found["exam_sessions"][0] >= sessions and found["exam_slots"][0] >= slots
        if are_told or time.monotonic() > over:
            return found
        time.sleep(0.05)


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)

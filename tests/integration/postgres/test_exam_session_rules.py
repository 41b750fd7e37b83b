"""What no row of an exam session may say, however it is written."""

from __future__ import annotations

import re

import psycopg
import pytest

from adapters.postgres.database import Database
from tests.support.exam_builders import STUDENT, exam_session
from tests.support.exam_stores import exams_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock

# What makes each state of a session that is active.
_STATES = {
    "active": "status = 'active'",
    "paused": "status = 'paused', paused_at = now()",
    "finished": "status = 'finished', sealed_at = started_at, seal_reason = 'student', grade_revision = 1, mark = 1",
    "invalidated": "status = 'invalidated', sealed_at = started_at, seal_reason = 'forced', invalidated_at = now()",
    "created": "status = 'created', started_at = null",
    "never begun": "status = 'abandoned', started_at = null, sealed_at = now(), seal_reason = 'timeout'",
}
_BROKEN = [
    ("active", "attempt_no = 0", "attempt_no"),
    ("active", "paused_microseconds = -1", "paused_microseconds"),
    ("active", "grade_revision = -1", "grade_revision"),
    ("active", "status = 'asleep'", "status"),
    ("finished", "seal_reason = 'boredom'", "seal_reason"),
    ("active", "seal_note = repeat('x', 501)", "seal_note"),
    ("active", "invalidation_reason = ''", "invalidation_reason"),
    ("active", "invalidation_reason = repeat('x', 501)", "invalidation_reason"),
    ("active", "started_at = null", "started"),
    ("created", "started_at = now()", "started"),
    ("active", "status = 'created'", "started"),
    ("active", "paused_at = now()", "paused"),
    ("paused", "paused_at = null", "paused"),
    ("active", "status = 'paused'", "paused"),
    ("active", "sealed_at = now()", "sealed"),
    ("finished", "sealed_at = null", "sealed"),
    ("active", "status = 'submitted'", "sealed"),
    ("active", "seal_reason = 'student'", "sealed_for_a_reason"),
    ("finished", "seal_reason = null", "sealed_for_a_reason"),
    ("active", "invalidated_at = now()", "invalidated"),
    ("invalidated", "invalidated_at = null", "invalidated"),
    ("finished", "status = 'invalidated'", "invalidated"),
    ("finished", "sealed_at = started_at - interval '1 second'", "sealed_after_start"),
    ("finished", "started_at = sealed_at + interval '1 second'", "sealed_after_start"),
    ("finished", "grade_revision = 0", "finished_with_a_grade"),
    ("active", "grade_revision = 1", "graded"),
    ("finished", "mark = null", "graded"),
    ("active", "mark = 1", "graded"),
]
# The row once more, with something else in one column.
_ANEW = """
with gone as (delete from exam_sessions returning *)
insert into exam_sessions
select anew.*
  from gone, jsonb_populate_record(null::exam_sessions, to_jsonb(gone) || jsonb_build_object('{0}', {1})) anew
"""


@pytest.fixture
async def connection(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> psycopg.Connection:
    store = exams_on_postgres(cloned, database, clock)
    store.stock(STUDENT)
    await store.begin(exam_session())
    return cloned.keeper


@pytest.mark.parametrize("state", _STATES)
async def test_every_state_that_there_is_is_kept(connection: psycopg.Connection, state: str) -> None:
    assert connection.execute(f"update exam_sessions set {_STATES[state]}".encode()).rowcount == 1


@pytest.mark.parametrize(
    ("state", "change", "rule"), _BROKEN, ids=[f"{change} {state}" for state, change, _ in _BROKEN]
)
async def test_a_row_that_breaks_a_rule_is_refused(
    connection: psycopg.Connection, state: str, change: str, rule: str
) -> None:
    """Whichever of the columns of a rule is written, in an old row or in a new one; the name of the rule is told."""
    connection.execute(f"update exam_sessions set {_STATES[state]}".encode())
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.execute(f"update exam_sessions set {change}".encode())
    assert refused.value.diag.constraint_name == f"exam_sessions_{rule}_check"
    column, value = change.split(" = ")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.execute(_ANEW.format(column, value).encode())
    assert refused.value.diag.constraint_name == f"exam_sessions_{rule}_check"


async def test_every_column_that_a_rule_reads_makes_it_asked(connection: psycopg.Connection) -> None:
    """The rules are asked where one of these columns is written; a rule about another one would be asked too rarely."""
    row = connection.execute("select prosrc from pg_proc where proname = 'refuse_unsound_exam_session'").fetchone()
    asked = connection.execute(
        "select array_agg(a.attname order by a.attname) from pg_trigger t cross join unnest(t.tgattr::smallint[]) n"
        " join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = n where t.tgname = 'exam_sessions_sound'"
    ).fetchone()
    assert row is not None
    assert asked is not None
    assert sorted(set(re.findall(r"new\.(\w+)", row[0]))) == asked[0]

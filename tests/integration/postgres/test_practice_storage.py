"""How practice lies in the database: an answer stays on the pages of its rows, and writes to no index."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import ClientCursor

from adapters.postgres.database import Database
from adapters.postgres.statements import load
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import EVERY_KIND
from tests.support.twin_students import twins

_SIZE = len(EVERY_KIND)
_FEEDBACK = '{"explanations": [{"text": "' + "Because it is so. " * 20 + '"}]}'
_ANSWER: dict[str, Any] = {
    "user_id": "usr_quick",
    "now": None,
    "thresholds": [],
    "longest": 300,
    "response": '{"choice_ids": ["A"]}',
    "correct": True,
    "mark": 1,
    "certainty": None,
    "certainty_mark": None,
    "feedback": _FEEDBACK,
    "claim_session_id": None,
    "claim_role": None,
    "claim_from": None,
    "claim_until": None,
}
_CREDITED = """
insert into student_progress (user_id, last_day, credited_from, credited_until)
values ('usr_quick', now(), now() - interval '1 hour', now() + interval '1 hour')
on conflict (user_id) do update set credited_from = excluded.credited_from, credited_until = excluded.credited_until
"""
_UPDATES = """
select relname, pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_hot_updated(oid)
  from pg_class where relname in ('practice_sessions', 'practice_slots', 'student_progress') order by relname
"""


async def test_an_answer_writes_to_no_index(cloned: ClonedDatabase, database: Database, clock: SettableClock) -> None:
    """However much longer its row becomes by what is shown for it."""
    pair = twins(cloned, database, clock)
    for number in range(1, 10):
        await pair.begin(number)
    cloned.keeper.execute(_CREDITED)
    cloned.keeper.execute("update enrollments set expires_at = null")
    with psycopg.connect(cloned.superuser, cursor_factory=ClientCursor) as connection:
        for number in range(1, 10):
            place = {"session_id": pair.quick.session_id(number), "slot": 1 + number % (_SIZE - 1)}
            answered = connection.execute(load("practice/answering")["keep_answer"].encode(), _ANSWER | place)
            assert answered.rowcount == 1
        rows = connection.execute(_UPDATES).fetchall()
    assert rows == [(table, 9, 9) for table in ("practice_sessions", "practice_slots", "student_progress")]

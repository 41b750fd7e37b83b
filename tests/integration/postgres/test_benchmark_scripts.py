"""What pgbench is given does its work: a statement that finds nothing would be a limit that nobody can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from benchmarks import bank, content, people, scripts
from benchmarks.limit import CLIENTS, Script
from benchmarks.storage import measure_heartbeat
from tests.support.postgres import ClonedDatabase

# As the first answers of the day leave them, which the product gives before pgbench does.
_CREDITED = """
insert into student_progress (user_id, last_day, credited_from, credited_until)
select 'usr_bench_' || n, current_date, now() - interval '1 hour', now() + interval '1 hour'
  from generate_series(0, %s - 1) n
"""
_PAPERS = 2 * CLIENTS
_SCRIPTS: dict[str, Callable[[psycopg.Connection], Script]] = {
    "question read": lambda _: scripts.read_question(),
    "practice read": lambda _: scripts.read_paper("one", people.STUDENTS),
    "practice sessions": lambda _: scripts.list_papers(),
    "questions": lambda _: scripts.list_questions(),
    "people": lambda _: scripts.list_people(),
    "practice answer": lambda connection: scripts.answer(connection, _PAPERS),
    "refresh": lambda _: scripts.refresh(),
    "login": lambda _: scripts.login(),
    "heartbeat": lambda _: scripts.heartbeat(),
    "exam answer": lambda _: scripts.exam_answer(),
}
_OF_EXAMS = {"heartbeat", "exam answer"}
# The lists ask beforehand, and who signs in has no session yet.
_NOT_CLAIMING = {"practice sessions", "questions", "people", "login"}


@pytest.fixture(scope="module")
def filled(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    """Everything that a round needs, and the application's connection."""
    with psycopg.connect(module_database.urls.owner, autocommit=True) as owner:
        bank.add_package(owner)
        bank.add_questions(owner, 1, content.QUESTIONS)
        people.prepare_people(owner)
        people.add_sessions(owner, "limit0", CLIENTS, people="bench")
        content.add_papers(owner, "one", count=people.STUDENTS, slots=1)
        content.add_papers(owner, "limit0", count=_PAPERS, slots=content.PAPER, students=CLIENTS)
        owner.execute(_CREDITED, [people.STUDENTS])
        owner.execute("update practice_slots set feedback = '{}' where session_id = 'prs_one_0'")
        content.settle(owner)
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("name", _SCRIPTS)
def test_a_script_does_what_the_product_does(name: str, filled: psycopg.Connection) -> None:
    with _prepared(filled, name):
        for number in (1, 2):
            last = _run(filled, _SCRIPTS[name](filled), number)

            assert last.rowcount >= 1


@pytest.mark.parametrize("name", sorted(_SCRIPTS.keys() - _NOT_CLAIMING))
def test_a_session_that_is_over_is_turned_away_by_the_statement_itself(name: str, filled: psycopg.Connection) -> None:
    """So what is measured asks for it."""
    with _prepared(filled, name):
        filled.execute("update auth_sessions set revoked_at = now(), revoke_reason = 'sign_out'")

        assert _run(filled, _SCRIPTS[name](filled), 1).rowcount == 0


def test_a_heartbeat_tells_what_it_writes(filled: psycopg.Connection) -> None:
    with _prepared(filled, "heartbeat"):
        written = measure_heartbeat(filled, scripts.heartbeat())

    assert written.records >= 1
    assert written.bytes >= content.SNAPSHOT_BYTES / 2


@contextmanager
def _prepared(connection: psycopg.Connection, name: str) -> Iterator[None]:
    """With exams if the script needs one: practice looks closer while its student sits one. Nothing of it stays."""
    with connection.transaction(force_rollback=True):
        if name in _OF_EXAMS:
            content.add_exams(connection, "limit0")
        yield


def _run(connection: psycopg.Connection, script: Script, number: int) -> psycopg.Cursor:
    """The last statement but a commit, after all of them."""
    lines = "\n".join(script.filled(number)).splitlines()
    cursors = [
        connection.execute(statement.encode())
        for statement in "\n".join(line for line in lines if not line.startswith("\\")).split(";")
        if statement.strip()
    ]
    return cursors[-2] if script.statements[-1] == "commit;" else cursors[-1]

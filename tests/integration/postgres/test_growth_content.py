"""What the comparison of a small database with a large one is made of, and what it comes to."""

from __future__ import annotations

import psycopg
from click.testing import CliRunner

from benchmarks import growth_content
from benchmarks.growth import Cost, compared, main, most_growth
from domain.auth.refresh import decode_token, digest
from tests.support.postgres import ClonedDatabase

_SMALL, _LARGE = 40, 120
_TABLES = ("auth_sessions", "auth_refresh_tokens", "questions", "practice_sessions", "exam_sessions", "exam_slots")


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_database_grows_by_as_much_of_everything(cloned: ClonedDatabase) -> None:
    """With every foreign key asked for, which the benchmark itself leaves out."""
    with cloned.administration() as connection:
        growth_content.begin(connection)
        for first, last in ((0, _SMALL), (_SMALL, _LARGE)):
            growth_content.forget_exams(connection)
            growth_content.grow(connection, first, last)
            growth_content.add_exams(connection, last)
            assert {table: _count(connection, table) for table in _TABLES} == dict.fromkeys(_TABLES, last)
            assert _count(connection, "practice_slots") == last * growth_content.SLOTS
            assert _count(connection, "users") == last // growth_content.SESSIONS_EACH


def test_tokens_and_owners_are_those_of_the_rows(cloned: ClonedDatabase) -> None:
    with cloned.administration() as connection:
        growth_content.begin(connection)
        growth_content.grow(connection, 0, _SMALL)
        found = connection.execute("select session_id, user_id, token_hash from auth_refresh_tokens").fetchall()
    told = {
        (f"ses_grow_{n}", growth_content.owner_of(n), digest(decode_token(growth_content.first_token(n))))
        for n in range(_SMALL)
    }
    assert set(found) == told


def test_the_operation_that_has_grown_the_most_counts() -> None:
    before = {
        "read": Cost(requests=9, server_us=60, postgres_us=40),
        "write": Cost(requests=9, server_us=1, postgres_us=1),
    }
    after = {
        "read": Cost(requests=8, server_us=60, postgres_us=90),
        "write": Cost(requests=7, server_us=2, postgres_us=3),
    }
    assert most_growth(before, after) == 2.5
    lines = list(compared(before, after))
    assert [line.split()[-1] for line in lines] == ["factor", "1.5", "2.5"]
    assert lines[1].split()[1:4] == ["9", "/", "8"]


def test_every_operation_is_measured_at_both_sizes_and_the_bound_is_kept() -> None:
    """No operation costs as little as the thousandth part of what it did."""
    outcome = CliRunner().invoke(main, ["--small", "100", "--large", "300", "--seconds", "0.3", "--bound", "0.001"])
    assert outcome.exit_code == 1, outcome.output
    for name in ("question read", "practice answer", "refresh", "exam heartbeat", "exam answer"):
        assert sum(line.startswith(name) for line in outcome.output.splitlines()) == 1


def test_half_a_person_has_no_sessions() -> None:
    outcome = CliRunner().invoke(main, ["--small", "105"])
    assert outcome.exit_code == 2
    assert "a multiple of 10" in outcome.output

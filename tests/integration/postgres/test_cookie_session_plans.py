"""What a request through the cookie door costs the database, however many sessions there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from adapters.postgres.statements import load
from domain.auth.cookie_sessions import secret_hash
from tests.support.postgres import ClonedDatabase

_MANY = 100_000
_FILLED = f"""
set session_replication_role = replica;
insert into users (id, email, role, password_hash, created_at, updated_at)
select 'usr_' || n, n || '@example.org', 'student', '!', now(), now() from generate_series(1, {_MANY // 4}) n;
insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                           absolute_expires_at)
select 'usr_' || n % {_MANY // 4} + 1, 'ses_' || n, case when n % 2 = 0 then 'cookie' else 'portal' end, 'student',
       now(), now(), now(), now() + interval '7 days', now() + interval '30 days'
from generate_series(1, {_MANY}) n;
insert into auth_refresh_tokens (user_id, session_id, generation, token_hash, issued_at)
select user_id, id, 0, sha256(id::bytea), now() from auth_sessions;
set session_replication_role = origin;
"""


@pytest.fixture(scope="module")
def filled(module_database: ClonedDatabase) -> Iterator[psycopg.Connection]:
    """A hundred thousand sessions of both doors."""
    with module_database.administration() as connection:
        connection.execute(_FILLED.encode())
        connection.execute("vacuum analyze auth_sessions, auth_refresh_tokens, users")
        yield connection


@pytest.mark.parametrize(
    ("name", "most"), [("find_cookie_session", 3), ("hold_session_of", 7), ("note_seen", 3), ("renew_session", 1)]
)
def test_a_secret_is_looked_up_among_a_hundred_thousand_sessions(
    filled: psycopg.Connection, name: str, most: int
) -> None:
    """Each table through an index, and as many rows as there are to see."""
    row = filled.execute("select now() as now, last_seen_at from auth_sessions where id = 'ses_4242'").fetchone()
    assert row is not None
    params = {
        "token_hash": secret_hash("ses_4242"),
        "user_id": f"usr_{4242 % (_MANY // 4) + 1}",
        "id": "ses_4242",
        "session_id": "ses_4242",
        "now": row[0],
        "last_seen_at": row[1],
        "renewed_at": row[0],
        "idle_expires_at": row[0],
    }
    found = filled.execute(f"explain (analyze, format json) {load('auth')[name]}".encode(), params).fetchone()
    assert found is not None
    plan = list(_nodes(found[0][0]["Plan"]))
    read = [node for node in plan if "Relation Name" in node and node["Node Type"] != "ModifyTable"]
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Bitmap Heap Scan", "Tid Scan"}
    rows = [node["Actual Rows"] * node["Actual Loops"] for node in read]
    assert 1 <= sum(rows) <= most


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)

"""A picture belonged to the profile of a student before it belonged to the person: the upgrade keeps every one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.files import sql_folder
from adapters.postgres.migrations import Migrations
from adapters.system.embedded_postgres import ConnectionUrls
from tests.support.server import RunningServer

_OF_0013 = """
insert into users (id, email, role, password_hash, created_at, updated_at)
select u, u || '@example.org', 'student', '!', now(), now() from unnest('{usr_ada,usr_bob,usr_cy}'::text[]) u;
insert into student_progress (user_id, avatar_url) values ('usr_ada', 'https://example.org/ada.png'), ('usr_bob', null);
insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                           absolute_expires_at)
values ('usr_ada', 'ses_ada', 'portal', 'student', now(), now(), now(), now() + interval '7 days',
        now() + interval '30 days');
"""


@pytest.fixture
def fresh(test_server: RunningServer) -> Iterator[ConnectionUrls]:
    """A database as an installation finds it."""
    name = f"fresh_{uuid4().hex[:12]}"
    yield test_server.create_empty_database(name)
    test_server.drop_database(name)


def test_every_picture_moves_to_its_person(fresh: ConnectionUrls, tmp_path: Path) -> None:
    for path in (sql_folder() / "migrations").glob("*.sql"):
        if path.name < "0014":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    Migrations(fresh.owner, tmp_path).up()
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        connection.execute(_OF_0013)
    assert "0014_doors" in Migrations(fresh.owner).up().applied
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        people = connection.execute("select id, image, updated_at = created_at from users order by id").fetchall()
        sessions = connection.execute("select id, renewed_at from auth_sessions").fetchall()
    assert people == [
        ("usr_ada", "https://example.org/ada.png", True),
        ("usr_bob", None, True),
        ("usr_cy", None, True),
    ]
    assert sessions == [("ses_ada", None)]

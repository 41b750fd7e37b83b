"""What goes over shared connections finds its rows by their keys, however few there are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.postgres import database as database_module
from adapters.postgres.database import Database
from adapters.postgres.prepared import statement_of
from adapters.postgres.statements import load
from tests.support.postgres import ClonedDatabase
from tests.support.sharing import make_things, warm

_SHARED = [
    ("auth", "read_standing"),
    ("auth", "read_profile"),
    ("auth", "find_cookie_session"),
    ("auth", "find_user"),
    ("auth", "rotate_at_once"),
    ("exam/quick", "read_paper"),
    ("exam/quick", "keep_answer"),
    ("exam/quick", "keep_heartbeat"),
    ("practice/answering", "read_paper"),
    ("practice/answering", "keep_answer"),
    ("practice/reading", "read_session"),
    ("question_bank/reading", "read_published_question"),
]


@pytest.fixture
async def multiplexed(cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """With two things, as PostgreSQL knows."""
    monkeypatch.setattr(database_module, "MULTIPLEX", True)
    make_things(cloned.superuser, *"ab")
    with psycopg.connect(cloned.superuser, autocommit=True) as connection:
        connection.execute("analyze things")
    database = Database(cloned.urls.app)
    await database.open()
    await warm(database)
    yield database
    await database.close()


async def test_two_rows_are_looked_up_by_key_on_both_connections(multiplexed: Database) -> None:
    look = "explain select n from things where id = %(id)s"
    for plan in (
        await multiplexed.read_one(look, {"id": "a"}),
        await multiplexed.write_one(look, {"id": "a"}),
    ):
        assert plan is not None
        assert "things_pkey" in plan["QUERY PLAN"]
    alone = await multiplexed.fetch_one(look, {"id": "a"})
    assert alone is not None
    assert "Seq Scan" in alone["QUERY PLAN"], "in so small a table PostgreSQL would choose otherwise"


async def test_a_table_without_a_key_for_it_can_be_read_all_the_same(multiplexed: Database) -> None:
    found = await multiplexed.read_one("select id from things where n = %(n)s::int order by id", {"n": 0})
    assert found == {"id": "a"}


@pytest.mark.parametrize(("area", "name"), _SHARED)
def test_no_table_is_read_as_a_whole(module_database: ClonedDatabase, area: str, name: str) -> None:
    with psycopg.connect(module_database.urls.app, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        explain = b"explain (generic_plan) " + statement_of(load(area)[name]).text
        plan = "\n".join(line for (line,) in connection.execute(explain).fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan

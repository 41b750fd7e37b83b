"""A table for statements that share connections, and databases that carry them out in either way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg
import pytest

from adapters.postgres import database as database_module
from adapters.postgres.database import Database
from tests.support.postgres import ClonedDatabase

WAYS: Final = ("pool", "multiplexer")

_THINGS: Final = """
    drop table if exists things;
    create table things (
        id text primary key,
        n int not null default 0 check (n < 1000),
        parent text references things deferrable initially deferred,
        body jsonb
    );
    create or replace function dawdle() returns trigger language plpgsql as
        $$ begin if new.id like 'slow%' then perform pg_sleep(0.3); end if; return null; end $$;
    create constraint trigger dawdle after insert on things deferrable initially deferred
        for each row execute function dawdle();
    grant select, insert, update, delete on things to ace_app;
"""

ADD: Final = """
    insert into things (id, n, parent) values (%(id)s, %(n)s, %(parent)s)
    returning id, n, length(%(text)s::text) as size
"""
COUNT: Final = "update things set n = n + 1 where id = %(id)s returning id, n"
READ: Final = "select id, n, body from things where id = %(id)s"


def make_things(address: str, *ids: str) -> None:
    """Anew, with these rows, at the superuser's address."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_THINGS)
        connection.execute("insert into things (id) select unnest(%s::text[])", [list(ids)])


async def add(database: Database, thing: str, **values: Any) -> Mapping[str, Any] | None:
    params = {"id": thing, "n": 0, "parent": None, "text": "", **values}
    return await database.write_one(ADD, params, key=thing)


async def count(database: Database, thing: str) -> Mapping[str, Any] | None:
    return await database.write_one(COUNT, {"id": thing}, key=thing)


async def read(database: Database, thing: str) -> Mapping[str, Any] | None:
    return await database.read_one(READ, {"id": thing})


async def numbers(database: Database) -> dict[str, int]:
    """What is committed, by a connection of the pool."""
    return {row["id"]: row["n"] for row in await database.fetch_all("select id, n from things")}


async def warm(database: Database) -> None:
    """Both lanes have their connections."""
    await asyncio.gather(read(database, "nothing"), count(database, "nothing"))


def shared(database: Database, figure: str) -> float:
    return database.statistics()[f"multiplexer_{figure}"]


async def until_active(address: str, says: str) -> None:
    """Until the server carries out a statement like this one."""
    await _until_rows(address, "select pid", says)


async def end_whoever(address: str, says: str) -> None:
    """Ends every backend that carries out a statement like this one, once there is one."""
    await _until_rows(address, "select pg_terminate_backend(pid)", says)


async def _until_rows(address: str, what: LiteralString, says: str) -> None:
    query = what + " from pg_stat_activity where state = 'active' and query like %s and pid <> pg_backend_pid()"
    with psycopg.connect(address, autocommit=True) as connection:
        async with asyncio.timeout(30):
            while not connection.execute(query, [says]).fetchall():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def sharing_store(cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A store that shares connections, whatever the suite does elsewhere, with the things `a` to `e`."""
    monkeypatch.setattr(database_module, "MULTIPLEX", True)
    make_things(cloned.superuser, *"abcde")
    database = Database(cloned.urls.app, pool_min=1, pool_max=2)
    await database.open()
    yield database
    await database.close()

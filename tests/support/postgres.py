"""Databases for tests: a migrated template made once per run, a clone per module, emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from adapters.postgres.migrations import Migrations
from adapters.system.embedded_postgres import ConnectionUrls
from application.ports import Clock
from tests.support.server import RunningServer

TEMPLATE = "ace_template"
# Rows that the migrations bring, and what tells that they were applied.
_KEPT = ("question_difficulties", "schema_migrations")


@dataclass(slots=True)
class SettableClock(Clock):
    """Time as a test wants it."""

    at: datetime = field(default_factory=lambda: datetime(2030, 1, 15, 9, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at

    def advance(self, **by: float) -> datetime:
        """Moves on by what `timedelta` takes: `advance(minutes=5)`."""
        self.at += timedelta(**by)
        return self.at


@dataclass(slots=True)
class ClonedDatabase:
    """A migrated database of its own, and how to empty it."""

    urls: ConnectionUrls
    emptying: bytes
    _keeper: psycopg.Connection | None = field(default=None, init=False, repr=False)

    def empty(self) -> None:
        """Deletes all rows; for small tables far cheaper than TRUNCATE. Triggers and foreign keys are off meanwhile."""
        self.keeper.execute(self.emptying)

    @property
    def keeper(self) -> psycopg.Connection:
        """The superuser's connection that stays open from test to test, made anew if a test has ended it."""
        if self._keeper is None or self._keeper.closed:
            self._keeper = psycopg.connect(self.superuser, autocommit=True)
        return self._keeper

    def close(self) -> None:
        if self._keeper is not None:
            self._keeper.close()

    @contextmanager
    def administration(self) -> Iterator[psycopg.Connection]:
        """A superuser's connection to this database."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            yield connection

    @property
    def superuser(self) -> str:
        """The address of this database for the superuser."""
        return self.urls.superuser.replace("/postgres?", f"/{self.urls.database}?")


def make_template(server: RunningServer) -> str:
    """The migrated database that all others are cloned from."""
    urls = server.create_empty_database(TEMPLATE)
    Migrations(urls.owner).up()
    return TEMPLATE


def clone(server: RunningServer, name: str) -> ClonedDatabase:
    urls = server.create_database_from_template(TEMPLATE, name)
    with psycopg.connect(urls.owner) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
        ).fetchall()
    deletions = [f'delete from "{table}"' for (table,) in tables if table not in _KEPT]
    statements = ["begin", "set local session_replication_role = replica", *deletions, "commit"]
    database = ClonedDatabase(urls, ";".join(statements).encode())
    with database.administration() as administration:
        # A test that provokes a deadlock should not wait the usual second until it is noticed.
        administration.execute(f"alter database \"{name}\" set deadlock_timeout = '50ms'".encode())
    return database

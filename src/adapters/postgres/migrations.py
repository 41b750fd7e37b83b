"""Brings the schema up to the code: each migration once, in its own transaction, whoever else is starting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg.rows import DictRow, dict_row

from adapters.postgres.errors import refusal_for
from adapters.postgres.migration_files import QUEUE_PREFIX, Migration, own_migrations, queue_migrations, queue_schema
from adapters.postgres.roles import Administration, become_owner, ensure_roles, grant
from domain.errors import DomainError, Kind

_TABLE = """
create table if not exists schema_migrations (
    name       text primary key,
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""
_RECORD = "insert into schema_migrations (name, checksum) values (%s, %s)"
# Any number will do, as long as it is always the same and nobody else's.
_LOCK = "select pg_advisory_xact_lock(4173202611)"
_CONNECT_TIMEOUT_SECONDS = 5
_NAMED = 3
_NOT_ALLOWED = "Migrate as the owner of the schema (ACE_OWNER_DATABASE_URL)"
_OLDEST_SERVER = 15


class MigrationEdited(DomainError):
    """A migration was changed after it was applied; a change of the schema is a new migration."""

    code = "migration.edited"
    kind = Kind.CONFLICT
    title = "A migration was changed after it was applied"


class DatabaseNewer(DomainError):
    """The database has migrations that this code does not know: it was migrated by a later version."""

    code = "migration.database_newer"
    kind = Kind.CONFLICT
    title = "The database belongs to a later version"


class ServerTooOld(DomainError):
    """The schema and its statements need a PostgreSQL that is not older than the oldest one supported."""

    code = "migration.server_too_old"
    kind = Kind.UNAVAILABLE
    title = "The PostgreSQL server is too old"


class MigrationsPending(DomainError):
    """The database is behind the code."""

    code = "migration.pending"
    kind = Kind.UNAVAILABLE
    title = "The database is behind the code"


class MigrationNotAllowed(DomainError):
    """Only the owner of the schema migrates."""

    code = "migration.not_allowed"
    kind = Kind.FORBIDDEN
    title = "This role may not migrate the database"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationState:
    """One migration of the code, and when it was applied."""

    name: str
    applied_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What `up` did, and what an administrator still has to do."""

    applied: tuple[str, ...]
    notes: tuple[str, ...]


class Migrations:
    """The runner. Names, checksums and times are kept in `schema_migrations`."""

    def __init__(self, conninfo: str, folder: Path | None = None) -> None:
        self._conninfo = conninfo
        self._folder = folder

    @cached_property
    def _known(self) -> tuple[Migration, ...]:
        return own_migrations(self._folder) + queue_migrations()

    @property
    def names(self) -> frozenset[str]:
        """Every migration that this code brings."""
        return frozenset(migration.name for migration in self._known)

    def status(self) -> tuple[MigrationState, ...]:
        """Every migration of the code; refuses an edited one and a database that is newer."""
        with self._connection() as connection:
            applied = self._verified(connection)
        times = {name: row["applied_at"] for name, row in applied.items()}
        return tuple(MigrationState(name=step.name, applied_at=times.get(step.name)) for step in self._known)

    def check(self) -> None:
        """Refuses unless the database is exactly where the code is."""
        pending = [state.name for state in self.status() if state.applied_at is None]
        if pending:
            named = ", ".join(pending[:_NAMED]) + (", …" if len(pending) > _NAMED else "")
            raise MigrationsPending(f"{len(pending)} migrations are pending: {named}. Run: ace migrate up")

    def up(self) -> Upgrade:
        """Applies what is pending and renews the grants."""
        with self._connection() as connection:
            with _step(connection):
                notes = ensure_roles(connection)
            with _step(connection):
                become_owner(connection)
                connection.execute(_TABLE)
            applied = self._apply_pending(connection)
            with _step(connection):
                become_owner(connection)
                grant(connection)
        return Upgrade(applied=applied, notes=notes)

    def _apply_pending(self, connection: Administration) -> tuple[str, ...]:
        return tuple(name for migration in self._known for name in self._apply(connection, migration))

    def _apply(self, connection: Administration, migration: Migration) -> tuple[str, ...]:
        """Looks again under the lock, because another starter may have been faster."""
        with _step(connection):
            applied = self._verified(connection)
            if migration.name in applied:
                return ()
            become_owner(connection)
            if migration.name.startswith(QUEUE_PREFIX) and not any(name.startswith(QUEUE_PREFIX) for name in applied):
                return _install_queue(connection)
            # Without parameters a text of many statements goes through as it is.
            connection.execute(migration.text.encode())
            connection.execute(_RECORD, [migration.name, migration.checksum])
            return (migration.name,)

    def _verified(self, connection: Administration) -> Mapping[str, DictRow]:
        """What was applied, after the two refusals."""
        present = connection.execute("select to_regclass('schema_migrations') as it").fetchone()
        if present is None or present["it"] is None:
            return {}
        rows = connection.execute("select name, checksum, applied_at from schema_migrations").fetchall()
        known = {migration.name: migration.checksum for migration in self._known}
        newer = sorted(row["name"] for row in rows if row["name"] not in known)
        if newer:
            raise DatabaseNewer(f"This code does not know {', '.join(newer)}. Install the version that made it.")
        edited = sorted(row["name"] for row in rows if row["checksum"] != known[row["name"]])
        if edited:
            raise MigrationEdited(f"Changed since applied: {', '.join(edited)}. Restore it and add a new migration.")
        return {row["name"]: row for row in rows}

    @contextmanager
    def _connection(self) -> Iterator[Administration]:
        try:
            with psycopg.Connection[DictRow].connect(
                self._conninfo, autocommit=True, row_factory=dict_row, connect_timeout=_CONNECT_TIMEOUT_SECONDS
            ) as connection:
                _refuse_old(connection)
                yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise MigrationNotAllowed(f"{_NOT_ALLOWED}: {error.diag.message_primary}") from error
        except psycopg.OperationalError as error:
            raise refusal_for(error, {}) or error from error


def _refuse_old(connection: Administration) -> None:
    version = connection.info.server_version // 10_000
    if version < _OLDEST_SERVER:
        raise ServerTooOld(f"This is PostgreSQL {version}; version {_OLDEST_SERVER} or later is needed.")


@contextmanager
def _step(connection: Administration) -> Iterator[None]:
    """One transaction in which nobody else migrates. Building an index may take long; waiting for a lock may not,
    because all later users of the table queue behind us."""
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        connection.execute(_LOCK)
        connection.execute("set local lock_timeout = '10s'")
        yield


def _install_queue(connection: Administration) -> tuple[str, ...]:
    """A new installation gets the queue's schema at once, and all the steps that led to it count as applied."""
    connection.execute(queue_schema().encode())
    steps = queue_migrations()
    with connection.cursor() as cursor:
        cursor.executemany(_RECORD, [(step.name, step.checksum) for step in steps])
    return tuple(step.name for step in steps)

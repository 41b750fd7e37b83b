"""The roles and the database of Ace inside the embedded PostgreSQL, and the addresses that reach them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg

_CREATE: tuple[LiteralString, ...] = (
    "CREATE ROLE ace_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION",
    "CREATE ROLE ace_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION",
    # Bounds that hold for whoever connects as the application, a pooler in between or not.
    "ALTER ROLE ace_app SET statement_timeout = '3s'",
    "ALTER ROLE ace_app SET lock_timeout = '2s'",
    "ALTER ROLE ace_app SET idle_in_transaction_session_timeout = '5s'",
    # A statement whose client has gone ends, and lets go of its locks. Only Linux can tell.
    *(("ALTER ROLE ace_app SET client_connection_check_interval = '1s'",) if sys.platform == "linux" else ()),
    # Done in the template, so every database of this cluster has it.
    "ALTER SCHEMA public OWNER TO ace_owner",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
)


@dataclass(frozen=True, slots=True)
class ConnectionUrls:
    """Addresses of one database over the unix socket: its owner (migrations), the application, the superuser."""

    socket_folder: Path
    database: str = "ace"

    @property
    def owner(self) -> str:
        return self._url("ace_owner", self.database)

    @property
    def app(self) -> str:
        return self._url("ace_app", self.database)

    @property
    def superuser(self) -> str:
        """The maintenance database, whatever `database` is: for creating and dropping others."""
        return self._url("postgres", "postgres")

    def of(self, database: str) -> "ConnectionUrls":
        """The same server, another database."""
        return ConnectionUrls(socket_folder=self.socket_folder, database=database)

    def _url(self, role: str, database: str) -> str:
        # The port is spelt out because PGPORT in a user's environment would otherwise apply.
        return (
            f"postgresql://{role}@/{quote(database, safe='')}?host={quote(str(self.socket_folder), safe='')}&port=5432"
        )


def ensure_database(urls: ConnectionUrls) -> None:
    """Create roles and database once; interrupted anywhere, the next start completes it.

    The database comes after the roles, which are made in one transaction; its TEMP privilege tells whether the last
    step was reached.
    """
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        row = connection.execute(
            "SELECT has_database_privilege('public', oid, 'TEMP') FROM pg_database WHERE datname = 'ace'"
        ).fetchone()
    if row is None:
        _create_roles(urls)
    if row is None or row[0]:
        _create_database(urls, exists=row is not None)


def _create_roles(urls: ConnectionUrls) -> None:
    template = urls._url("postgres", "template1")
    with psycopg.connect(template) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ace_app'").fetchone() is None:
            for statement in _CREATE:
                connection.execute(statement)


def _create_database(urls: ConnectionUrls, *, exists: bool) -> None:
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        if not exists:
            connection.execute("CREATE DATABASE ace OWNER ace_owner")
        connection.execute("REVOKE TEMPORARY ON DATABASE ace FROM PUBLIC")

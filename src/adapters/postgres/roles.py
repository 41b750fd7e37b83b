"""The two roles in the database: `ace_owner` makes the schema, `ace_app` uses it and cannot change the audit log."""

from __future__ import annotations

from functools import partial
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

OWNER = "ace_owner"
APP = "ace_app"

Administration = psycopg.Connection[DictRow]

# Limits of the application, set on its role so that they hold behind a pooler too.
# The last one makes the server drop the statement, and the locks, of a client that has gone.
_LIMITS = {
    "statement_timeout": "3s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "1s",
}
_GRANTS: tuple[LiteralString, ...] = (
    "grant usage on schema public to {app}",
    "grant select, insert, update, delete on all tables in schema public to {app}",
    "revoke truncate, references, trigger on all tables in schema public from {app}",
    "revoke insert, update, delete on schema_migrations from {app}",
    # The job queue numbers its rows by sequences and works through its own functions.
    "grant usage, select on all sequences in schema public to {app}",
    "grant execute on all functions in schema public to {app}",
)
# What is on record stays as it was written. A schema that is migrated step by step has not all of these yet.
_ON_RECORD = ("audit_log", "exam_records", "exam_grades", "exam_voids", "exam_flags")


def ensure_roles(connection: Administration) -> tuple[str, ...]:
    """Makes the roles and their limits as far as the connected role may; says what somebody else has to do."""
    return tuple(note for role in (OWNER, APP) for note in _ensure_role(connection, role)) + _ensure_limits(connection)


def become_owner(connection: Administration) -> None:
    """From here to the end of the transaction what is made belongs to `ace_owner`, if the connected role may act as it.

    A schema that somebody else owns already stays theirs.
    """
    row = connection.execute(
        """
        select (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass('schema_migrations')) as holder
        from pg_roles where rolname = %s
        """,
        [OWNER],
    ).fetchone()
    if row is None or row["holder"] not in (None, OWNER):
        return
    _try(connection, "grant usage, create on schema public to {owner}")
    allowed = connection.execute("select has_schema_privilege(%s, 'public', 'create') as yes", [OWNER]).fetchone()
    if allowed is not None and allowed["yes"]:
        _try(connection, "set local role {owner}")


def grant(connection: Administration) -> None:
    """Gives `ace_app` what it needs and takes what it must not have; the same however often it runs."""
    if not _exists(connection, APP):
        return
    for statement in _GRANTS:
        connection.execute(_composed(statement))
    for table in filter(partial(_has_table, connection), _ON_RECORD):
        revoke = sql.SQL("revoke update, delete on {} from {}")
        connection.execute(revoke.format(sql.Identifier(table), sql.Identifier(APP)))
    row = connection.execute("select current_database() as name").fetchone()
    assert row is not None
    temporary = sql.SQL("revoke temporary on database {} from public, {}")
    _try_composed(connection, temporary.format(sql.Identifier(row["name"]), sql.Identifier(APP)))


def _ensure_role(connection: Administration, role: str) -> tuple[str, ...]:
    create = sql.SQL("create role {} nologin").format(sql.Identifier(role))
    if _exists(connection, role) or _try_composed(connection, create) or _exists(connection, role):
        return ()
    return (
        f"The role {role} is missing and may not be created from here; let an administrator run: create role {role}",
    )


def _ensure_limits(connection: Administration) -> tuple[str, ...]:
    """Sets the limits that the role has not; a value that an operator chose stays."""
    row = connection.execute(
        "select coalesce(rolconfig, '{}') as set from pg_roles where rolname = %s", [APP]
    ).fetchone()
    if row is None:
        return ()
    present = {setting.partition("=")[0] for setting in row["set"]}
    notes = []
    for name, value in _LIMITS.items():
        alter = sql.SQL("alter role {} set {} = {}").format(
            sql.Identifier(APP), sql.Identifier(name), sql.Literal(value)
        )
        if name not in present and not _try_composed(connection, alter):
            notes.append(f"The role {APP} has no {name}; let an administrator run: {alter.as_string(connection)}")
    return tuple(notes)


def _exists(connection: Administration, role: str) -> bool:
    return connection.execute("select from pg_roles where rolname = %s", [role]).rowcount == 1


def _has_table(connection: Administration, table: str) -> bool:
    return connection.execute("select where to_regclass(%s) is not null", [table]).rowcount == 1


def _try(connection: Administration, statement: LiteralString) -> bool:
    return _try_composed(connection, _composed(statement))


def _try_composed(connection: Administration, statement: sql.Composed) -> bool:
    """Whether the connected role may do it; another starter doing the same at this moment counts as not."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.InvalidParameterValue,
        psycopg.errors.DuplicateObject,
        psycopg.errors.UniqueViolation,
    ):
        return False
    return True


def _composed(statement: LiteralString) -> sql.Composed:
    return sql.SQL(statement).format(owner=sql.Identifier(OWNER), app=sql.Identifier(APP))

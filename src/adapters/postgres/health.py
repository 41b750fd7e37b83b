"""Whether the store can serve, and what must not be in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg

from adapters.postgres.database import Database
from adapters.postgres.migration_files import own_migrations, queue_migrations
from adapters.postgres.statements import load
from domain.errors import DomainError

SQL = load("operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Ready is: the database answers, and its schema is exactly the one that this code was written for."""

    answers: bool
    pending_migrations: tuple[str, ...]
    unknown_migrations: tuple[str, ...]
    pool: Mapping[str, int]

    @property
    def ready(self) -> bool:
        return self.answers and not self.pending_migrations and not self.unknown_migrations


async def readiness(database: Database) -> Readiness:
    """Asks in one round trip; never raises and takes no longer than the database's deadline."""
    try:
        applied = await _applied_migrations(database)
    except DomainError:
        return Readiness(answers=False, pending_migrations=(), unknown_migrations=(), pool=database.statistics())
    known = _known_migrations()
    return Readiness(
        answers=True,
        pending_migrations=tuple(sorted(known - applied)),
        unknown_migrations=tuple(sorted(applied - known)),
        pool=database.statistics(),
    )


async def production_faults(database: Database) -> list[str]:
    """Why this database must not serve in production; empty when nothing is wrong. Refuses if it does not answer."""
    settings = await database.fetch_one(SQL["production_settings"])
    assert settings is not None
    known, applied = _known_migrations(), await _applied_migrations(database)
    faults = list(_faults(settings))
    if known - applied:
        faults.append(f"{len(known - applied)} migrations are pending; run: ace migrate up")
    if applied - known:
        faults.append("the database was migrated by a later version")
    return faults


def _faults(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings["superuser"]:
        yield f"the role {settings['role']} is a superuser; connect as ace_app"
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if settings[name] == "off":
            yield f"{name} is off: acknowledged changes can be lost"
    if settings["statement_timeout"] == "0":
        yield f"the role {settings['role']} has no statement_timeout; run: ace migrate up"
    if settings["may_rewrite_audit_log"]:
        yield f"the role {settings['role']} may change the audit log; connect as ace_app"
    if settings["may_make_temporary_tables"]:
        yield f"the role {settings['role']} may make temporary tables; revoke TEMPORARY on the database"


async def _applied_migrations(database: Database) -> frozenset[str]:
    try:
        row = await database.fetch_one(SQL["applied_migrations"])
    except psycopg.errors.UndefinedTable:
        return frozenset()
    return frozenset(row["names"] if row is not None else ())


@cache
def _known_migrations() -> frozenset[str]:
    return frozenset(migration.name for migration in own_migrations() + queue_migrations())

"""A part of a unit of work that may fail by itself: the same suite on memory and on PostgreSQL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import psycopg
import pytest

from adapters.memory.store import MemoryStore, MemoryTransaction, MemoryWork
from adapters.postgres.database import Database
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.clock import TimeOrderedIds
from application.ports import AuditEntry, Transaction, Work
from domain.errors import DomainError, Kind, StoreUnavailable
from tests.support.postgres import ClonedDatabase, SettableClock


class Refused(DomainError):
    code = "test.refused"
    kind = Kind.CONFLICT
    title = "Refused"


class Records(Protocol):
    """A store, and the acts that are on record in it."""

    @property
    @abstractmethod
    def transact(self) -> Transaction[Work]: ...

    @abstractmethod
    async def acts(self) -> Sequence[str]: ...


@dataclass
class InMemory(Records):
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def transact(self) -> Transaction[Work]:
        return MemoryTransaction(self.store, MemoryWork, SettableClock())

    async def acts(self) -> Sequence[str]:
        return [entry.action for entry in self.store.audit_log]


@dataclass
class OnPostgres(Records):
    database: Database

    @property
    def transact(self) -> Transaction[Work]:
        return PostgresTransaction(self.database, PostgresWork, TimeOrderedIds())

    async def acts(self) -> Sequence[str]:
        return [row["action"] for row in await self.database.fetch_all("select action from audit_log order by id")]


@pytest.fixture(params=["memory", "postgres"])
def records(request: pytest.FixtureRequest) -> Records:
    if request.param == "memory":
        return InMemory()
    return OnPostgres(request.getfixturevalue("database"))


async def note(work: Work, action: str) -> None:
    await work.audit(AuditEntry(actor_id=None, action=action, subject="s"))


async def test_what_a_failed_part_did_is_undone_and_the_rest_stays(records: Records) -> None:
    async def unit(work: Work) -> str:
        await note(work, "before")
        with suppress(Refused):
            async with work.savepoint():
                await note(work, "within")
                raise Refused
        await note(work, "after")
        return "done"

    assert await records.transact(unit) == "done"
    assert await records.acts() == ["before", "after"]


async def test_what_a_part_did_that_went_well_belongs_to_the_unit(records: Records) -> None:
    async def unit(work: Work, *, refuse: bool) -> None:
        async with work.savepoint():
            await note(work, "within")
        if refuse:
            raise Refused

    with pytest.raises(Refused):
        await records.transact(lambda work: unit(work, refuse=True))
    assert not await records.acts()
    await records.transact(lambda work: unit(work, refuse=False))
    assert await records.acts() == ["within"]


async def test_an_error_that_nobody_catches_undoes_the_unit(records: Records) -> None:
    async def unit(work: Work) -> None:
        await note(work, "before")
        async with work.savepoint():
            raise Refused

    with pytest.raises(Refused):
        await records.transact(unit)
    assert not await records.acts()


async def test_parts_may_have_parts(records: Records) -> None:
    async def unit(work: Work) -> None:
        for fails in (True, False):
            with suppress(Refused):
                async with work.savepoint():
                    await note(work, "outer")
                    with suppress(Refused):
                        async with work.savepoint():
                            await note(work, "inner")
                            raise Refused
                    await note(work, "last")
                    if fails:
                        raise Refused

    await records.transact(unit)
    assert await records.acts() == ["outer", "last"]


class FaultyWork(PostgresWork):
    """Words that the database refuses."""

    async def fail(self, state: str) -> None:
        await self._run(f"do $$ begin raise exception 'as asked' using errcode = '{state}'; end $$".encode().decode())

    async def process_id(self) -> int:
        row = await self._one("select pg_backend_pid() as pid")
        assert row is not None
        return int(row["pid"])


@pytest.fixture
def faulty(database: Database) -> PostgresTransaction[FaultyWork]:
    return PostgresTransaction(database, FaultyWork, TimeOrderedIds())


@pytest.mark.parametrize("state", ["22012", "23505", "40001", "40P01", "55P03", "57014"])
async def test_after_a_real_error_of_the_database_the_unit_goes_on_and_commits(
    faulty: PostgresTransaction[FaultyWork], database: Database, state: str
) -> None:
    """Also after a deadlock that was resolved at our cost: the unit is not run again."""
    runs = 0

    async def unit(work: FaultyWork) -> None:
        nonlocal runs
        runs += 1
        await note(work, "before")
        with suppress(psycopg.Error):
            async with work.savepoint():
                await note(work, "within")
                await work.fail(state)
        await note(work, "after")

    await faulty(unit)
    assert (runs, await OnPostgres(database).acts()) == (1, ["before", "after"])


async def test_a_connection_that_is_lost_in_a_part_is_lost_for_the_unit(
    faulty: PostgresTransaction[FaultyWork], cloned: ClonedDatabase, database: Database
) -> None:
    async def unit(work: FaultyWork) -> None:
        await note(work, "before")
        with suppress(psycopg.OperationalError):
            async with work.savepoint():
                with cloned.administration() as administration:
                    administration.execute("select pg_terminate_backend(%s, 1000)", [await work.process_id()])
                await note(work, "within")
        await note(work, "after")

    with pytest.raises(StoreUnavailable):
        await faulty(unit)
    assert not await OnPostgres(database).acts()

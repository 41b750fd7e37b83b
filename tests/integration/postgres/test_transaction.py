"""The unit of work: all or nothing, one time, one deadline, run again after a collision."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.transaction import PostgresTransaction, PostgresWork, UnitLeftBroken
from adapters.system.clock import TimeOrderedIds
from application.ports import AuditEntry, IdGenerator
from application.request_context import RequestContext, request_context
from domain.errors import DomainError, Kind, OutcomeUnknown, StoreConflict, StoreRejectedInput, StoreUnavailable
from tests.support.postgres import ClonedDatabase, SettableClock

_LONG = 2.9  # seconds: what a unit is let go from, and as long as PostgreSQL lets a statement of the role take


class SlugTaken(DomainError):
    code = "test.slug_taken"
    kind = Kind.CONFLICT
    title = "The slug is taken"


class Refused(DomainError):
    code = "test.refused"
    kind = Kind.CONFLICT
    title = "Refused"


class BankWork(PostgresWork):
    """Some words over a real table."""

    refusals: ClassVar = {"question_banks_slug_unique": SlugTaken}

    async def add(self, id_: str, slug: str | None = None, title: str = "t") -> None:
        await self._run(
            "insert into question_banks (id, slug, title, created_at, updated_at)"
            " values (%(id)s, %(slug)s, %(title)s, %(now)s, %(now)s)",
            {"id": id_, "slug": slug or id_.replace("_", "-"), "title": title, "now": self.now},
        )

    async def hold(self, id_: str) -> None:
        await self._one("select id from question_banks where id = %(id)s for update", {"id": id_})

    async def titles(self) -> list[str]:
        return [row["title"] for row in await self._all("select title from question_banks order by id")]

    async def retitle(self, id_: str, title: str) -> int:
        return await self._run(
            "update question_banks set title = %(title)s where id = %(id)s", {"id": id_, "title": title}
        )

    async def sleep(self, seconds: float) -> None:
        await self._one("select pg_sleep(%(seconds)s)", {"seconds": seconds})

    async def process_id(self) -> int:
        row = await self._one("select pg_backend_pid() as pid")
        assert row is not None
        return int(row["pid"])

    async def fail(self, state: str) -> None:
        await self._run(f"do $$ begin raise exception 'as asked' using errcode = '{state}'; end $$".encode().decode())

    async def read_clock(self) -> datetime:
        row = await self._one("select clock_timestamp() as now")
        assert row is not None
        found: datetime = row["now"]
        return found


Banks = PostgresTransaction[BankWork]


@pytest.fixture
def banks(database: Database, ids: IdGenerator) -> Banks:
    return PostgresTransaction(database, BankWork, ids)


async def slugs(database: Database) -> list[str]:
    return [row["slug"] for row in await database.fetch_all("select slug from question_banks order by slug")]


async def test_what_a_unit_did_is_there_when_it_returned(banks: Banks, database: Database) -> None:
    async def unit(work: BankWork) -> str:
        await work.add("qbk_1")
        return "result"

    assert await banks(unit) == "result"
    assert await slugs(database) == ["qbk-1"]


@pytest.mark.parametrize("error", [Refused(), ValueError("a defect")])
async def test_a_refusal_or_a_defect_undoes_everything_and_reaches_the_caller(
    banks: Banks, database: Database, error: Exception
) -> None:
    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        raise error

    with pytest.raises(type(error)) as caught:
        await banks(unit)
    assert caught.value is error
    assert await slugs(database) == []


async def test_a_named_constraint_is_its_refusal_and_undoes_everything(banks: Banks, database: Database) -> None:
    async def unit(work: BankWork) -> None:
        await work.add("qbk_1", "same")
        await work.add("qbk_2", "same")

    with pytest.raises(SlugTaken):
        await banks(unit)
    assert await slugs(database) == []


async def test_any_other_constraint_is_a_conflict(banks: Banks) -> None:
    async def unit(work: BankWork) -> None:
        await work.add("qbk_1", "one")
        await work.add("qbk_1", "two")

    with pytest.raises(StoreConflict):
        await banks(unit)


async def test_a_value_that_cannot_be_stored_is_malformed_input(banks: Banks) -> None:
    with pytest.raises(StoreRejectedInput):
        await banks(lambda work: work.add("qbk_1", title="a\0b"))


async def test_a_unit_that_swallows_an_error_of_the_store_is_a_defect_not_a_silent_loss(
    banks: Banks, database: Database
) -> None:
    """PostgreSQL answers the commit of a broken transaction with a roll-back and no error."""

    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        with pytest.raises(psycopg.Error):
            await work.fail("22012")

    with pytest.raises(UnitLeftBroken):
        await banks(unit)
    assert await slugs(database) == []
    await banks(lambda work: work.add("qbk_2"))


async def test_the_time_is_the_servers_own_and_one_for_the_whole_unit(banks: Banks) -> None:
    async def unit(work: BankWork) -> tuple[datetime, datetime, datetime]:
        first = work.now
        return first, await work.read_clock(), work.now

    first, read, last = await banks(unit)
    assert first == last
    assert timedelta(0) <= read - first < timedelta(seconds=1)
    assert first.tzinfo is UTC


async def test_a_clock_that_is_injected_tells_the_time(
    database: Database, ids: IdGenerator, clock: SettableClock
) -> None:
    async def unit(work: BankWork) -> datetime:
        return work.now

    clock.set(datetime(2031, 2, 3, tzinfo=UTC))
    assert await PostgresTransaction(database, BankWork, ids, clock)(unit) == datetime(2031, 2, 3, tzinfo=UTC)


async def test_an_audit_row_says_who_what_and_from_where(banks: Banks, database: Database) -> None:
    entry = AuditEntry(
        actor_id="usr_1",
        action="user.disable",
        subject="usr_2",
        before={"status": "active"},
        after={"at": datetime.max.replace(tzinfo=UTC)},
    )
    token = request_context.set(RequestContext(request_id="req-1", ip="192.0.2.7"))
    try:
        await banks(lambda work: work.audit(entry))
    finally:
        request_context.reset(token)
    (row,) = await database.fetch_all("select * from audit_log")
    assert row["id"].startswith("aud_")
    assert (row["actor_id"], row["action"], row["subject"], row["reason"]) == ("usr_1", "user.disable", "usr_2", None)
    assert (row["before"], row["after"]["at"][:4]) == ({"status": "active"}, "9999")
    assert (row["request_id"], row["ip"]) == ("req-1", "192.0.2.7")


async def test_an_act_that_is_undone_leaves_no_audit_row(banks: Banks, database: Database) -> None:
    async def unit(work: BankWork) -> None:
        await work.audit(AuditEntry(actor_id=None, action="a", subject="s"))
        raise Refused

    with pytest.raises(Refused):
        await banks(unit)
    assert await database.fetch_all("select * from audit_log") == []


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_unit_that_gave_way_runs_again(banks: Banks, database: Database, state: str) -> None:
    runs = 0

    async def unit(work: BankWork) -> int:
        nonlocal runs
        runs += 1
        await work.add("qbk_1")
        if runs < 4:
            await work.fail(state)
        return runs

    assert await banks(unit) == 4
    assert await slugs(database) == ["qbk-1"]


async def test_after_three_retries_the_store_is_unavailable(banks: Banks, database: Database) -> None:
    runs = 0

    async def unit(work: BankWork) -> None:
        nonlocal runs
        runs += 1
        await work.add("qbk_1")
        await work.fail("40001")

    with pytest.raises(StoreUnavailable) as caught:
        await banks(unit)
    assert (runs, caught.value.retry_after_seconds) == (4, 1)
    assert await slugs(database) == []


async def test_a_real_deadlock_ends_with_both_units_done(banks: Banks) -> None:
    async def both(work: BankWork) -> None:
        await work.add("qbk_1")
        await work.add("qbk_2")

    await banks(both)
    first_holds, second_holds = asyncio.Event(), asyncio.Event()

    def crosswise(mine: str, other: str, i_hold: asyncio.Event, other_holds: asyncio.Event) -> Awaitable[None]:
        async def unit(work: BankWork) -> None:
            await work.hold(mine)
            i_hold.set()
            await other_holds.wait()
            await work.retitle(other, f"by {mine}")

        return banks(unit)

    await asyncio.gather(
        crosswise("qbk_1", "qbk_2", first_holds, second_holds),
        crosswise("qbk_2", "qbk_1", second_holds, first_holds),
    )
    assert await banks(lambda work: work.titles()) == ["by qbk_2", "by qbk_1"]


async def test_a_caller_that_goes_away_does_not_stop_the_unit(banks: Banks, database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def unit(work: BankWork) -> None:
        begun.set()
        await go_on.wait()
        await work.add("qbk_1")

    caller = asyncio.create_task(banks(unit))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    async with asyncio.timeout(30):
        while await slugs(database) != ["qbk-1"]:
            await asyncio.sleep(0.01)


async def test_a_unit_past_its_deadline_has_an_unknown_outcome_and_leaves_nothing_behind(
    database: Database, ids: IdGenerator
) -> None:
    """It waits in the server; the connection is cut, so the transaction rolls back."""
    hurried: Banks = PostgresTransaction(database, BankWork, ids, deadline_seconds=1.0)

    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        await work.sleep(_LONG)

    before = time.monotonic()
    with pytest.raises(OutcomeUnknown) as caught:
        await hurried(unit)
    assert time.monotonic() - before < _LONG
    assert caught.value.retry_after_seconds == 1
    assert await slugs(database) == []
    await hurried(lambda work: work.add("qbk_2"))


async def test_a_unit_that_waits_for_something_else_is_bounded_too(database: Database, ids: IdGenerator) -> None:
    hurried: Banks = PostgresTransaction(database, BankWork, ids, deadline_seconds=0.5)
    released = asyncio.Event()

    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        await released.wait()

    with pytest.raises(OutcomeUnknown):
        await hurried(unit)
    released.set()
    assert await slugs(database) == []


async def test_a_request_that_must_be_answered_soon_waits_no_longer(banks: Banks) -> None:
    request_context_copy = copy_context()
    request_context_copy.run(request_context.set, RequestContext(answer_by=time.monotonic() + 1.0))
    before = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        await asyncio.create_task(banks(lambda work: work.sleep(_LONG)), context=request_context_copy)
    assert time.monotonic() - before < _LONG


async def test_a_request_whose_time_is_over_does_not_begin(banks: Banks) -> None:
    late = copy_context()
    late.run(request_context.set, RequestContext(answer_by=time.monotonic() - 1))
    with pytest.raises(StoreUnavailable):
        await asyncio.create_task(banks(lambda work: work.add("qbk_1")), context=late)


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
async def test_a_lock_that_nobody_gives_up_ends_in_unavailability(
    banks: Banks, cloned: ClonedDatabase, ids: IdGenerator, limit: str
) -> None:
    """The limits are the role's; here shorter ones come with the connection."""
    await banks(lambda work: work.add("qbk_1"))
    impatient = Database(f"{cloned.urls.app}&options=-c%20{limit}%3D100ms", pool_min=1, pool_max=1)
    await impatient.open()
    with cloned.administration() as other:
        other.execute("begin; lock table question_banks")
        with pytest.raises(StoreUnavailable) as caught:
            await PostgresTransaction(impatient, BankWork, ids)(lambda work: work.retitle("qbk_1", "x"))
    await impatient.close()
    assert caught.value.retry_after_seconds == 1
    assert await banks(lambda work: work.titles()) == ["t"]


async def test_a_backend_that_is_ended_before_commit_changed_nothing(
    banks: Banks, cloned: ClonedDatabase, database: Database
) -> None:
    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        with cloned.administration() as administration:
            administration.execute("select pg_terminate_backend(%s, 1000)", [await work.process_id()])
        await work.add("qbk_2")

    with pytest.raises(StoreUnavailable):
        await banks(unit)
    assert await slugs(database) == []


async def test_a_backend_that_is_ended_at_commit_leaves_the_outcome_unknown(
    banks: Banks, cloned: ClonedDatabase, database: Database
) -> None:
    async def unit(work: BankWork) -> None:
        await work.add("qbk_1")
        with cloned.administration() as administration:
            administration.execute("select pg_terminate_backend(%s, 1000)", [await work.process_id()])

    with pytest.raises(OutcomeUnknown):
        await banks(unit)
    assert await slugs(database) == []


@pytest.fixture
async def unprepared(cloned: ClonedDatabase) -> AsyncIterator[Database]:
    database = Database(cloned.urls.app, pool_min=1, pool_max=1, prepare_threshold=None)
    await database.open()
    yield database
    await database.close()


async def test_nothing_stays_in_the_session_so_a_transaction_pooler_may_stand_between(unprepared: Database) -> None:
    """No prepared statement, setting, lock, listener or temporary table outlives a unit of work."""
    banks: Banks = PostgresTransaction(unprepared, BankWork, TimeOrderedIds())
    for number in range(8):
        await banks(lambda work, number=number: work.add(f"qbk_{number}"))  # type: ignore[misc]
    row = await unprepared.fetch_one("""
        select (select count(*) from pg_prepared_statements) as prepared,
               (select count(*) from pg_locks where locktype = 'advisory') as locks,
               (select count(*) from pg_listening_channels()) as channels,
               (select count(*) from pg_settings where source = 'session') as settings,
               pg_my_temp_schema()::int as temporary
    """)
    assert row == {"prepared": 0, "locks": 0, "channels": 0, "settings": 0, "temporary": 0}

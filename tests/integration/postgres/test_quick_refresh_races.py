"""Refreshes at once beside everything else that touches a session, on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.postgres.auth import PostgresQuickRefresh
from adapters.postgres.auth.quick import rotation_params
from adapters.postgres.database import Database
from adapters.postgres.statements import load
from application.auth.opening import Grant
from application.auth.ports import AuthWork, QuickRotation, TokenSource
from application.auth.staying import Refreshed
from domain.auth.people import Actor, Role
from domain.auth.refresh import decode_token, digest, mask
from domain.auth.sessions import Session, SessionEnd, SessionEnded
from tests.integration.postgres.test_session_limit_races import everything_at_once
from tests.integration.postgres.test_session_machine import Sessions, Together, together
from tests.support.auth_builders import AuthOnPostgres, auth_on_postgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.session_races import at_once, live, noting_collisions, two_processes, waits_or_ends, watching

__all__ = ["together"]

SUCCESSOR = bytes(range(32))
_SLOWLY = "(select clock_timestamp() from pg_advisory_xact_lock_shared(4711))"


@dataclass(slots=True)
class TokensOfAStep(TokenSource):
    """The same token however often it is asked for within a step: what declined made one in vain."""

    step: int = 0

    def new(self) -> bytes:
        return self.step.to_bytes(32, "big")


class Quickly(Sessions):
    """The same histories: with care in memory, at once on PostgreSQL."""

    def both(self, act: Callable[[Any, int], Awaitable[Any]]) -> tuple[Any, Any]:
        if self.postgres.quick is None:
            self.postgres.quick = PostgresQuickRefresh(self.postgres.database, self.clock)
            self.memory.source = self.postgres.source = self.tokens = TokensOfAStep()
        self.tokens.step += 1
        return super().both(act)


def test_in_any_history_a_refresh_at_once_decides_as_one_with_care(together: Together) -> None:
    class Here(Quickly):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=25))


@pytest.fixture
def auth(database: Database, clock: SettableClock) -> AuthOnPostgres:
    """Refreshes are tried at once."""
    found = auth_on_postgres(database, clock)
    found.quick = PostgresQuickRefresh(database, clock)
    return found


@pytest.fixture
async def replicas(cloned: ClonedDatabase, clock: SettableClock) -> AsyncIterator[list[AuthOnPostgres]]:
    """Two processes as the database sees them; Ada has an account."""
    async with two_processes(cloned, clock) as both:
        for each in both:
            each.quick = PostgresQuickRefresh(each.database, clock)
        yield both


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    return noting_collisions(monkeypatch)


def rotation(token: bytes, successor: bytes = SUCCESSOR) -> QuickRotation:
    return QuickRotation(
        portal=Role.STUDENT,
        token_hash=digest(token),
        successor_hash=digest(successor),
        successor_masked=mask(token, successor),
        idle=timedelta(days=7),
    )


async def rotate(auth: AuthOnPostgres, grant: Grant) -> Session | None:
    assert auth.quick is not None
    return await auth.quick.rotate(rotation(decode_token(grant.refresh_token)))


@pytest.mark.parametrize("others", ["at once", "with care", "both"])
async def test_however_a_token_is_presented_by_many_there_is_one_successor_for_all(
    replicas: list[AuthOnPostgres], clock: SettableClock, others: str
) -> None:
    one, two = replicas
    careful = replace(two, quick=None)
    rest = {"at once": [one, two], "with care": [one, careful], "both": [one, two, careful]}[others]
    grant = await one.enter()
    token = grant.refresh_token
    for round_ in range(1, 9):
        clock.advance(minutes=1)
        answers = await asyncio.gather(
            *(auth.refresh(Role.STUDENT, token) for auth, _ in zip(cycle(rest), range(9), strict=False))
        )
        assert len({answer.refresh_token for answer in answers}) == 1
        assert len({(answer.session.last_seen_at, answer.session.idle_expires_at) for answer in answers}) == 1
        assert len(await one.tokens_of(grant.session.id)) == round_ + 1
        token = answers[0].refresh_token
    assert await one.audited() == []


async def _late(cloned: ClonedDatabase, grant: Grant) -> tuple[Any, ...] | None:
    """The statement, stopped when it has its sight: what happens meanwhile it sees only where it writes."""
    statement = load("auth")["rotate_at_once"].replace("clock_timestamp()", _SLOWLY)
    assert _SLOWLY in statement
    values = rotation_params(rotation(decode_token(grant.refresh_token)))
    async with await psycopg.AsyncConnection.connect(_patient(cloned), autocommit=True) as late:
        return await (await late.execute(statement.encode(), values)).fetchone()


def _patient(cloned: ClonedDatabase) -> str:
    return f"{cloned.urls.app}&options=-c%20lock_timeout%3D60s%20-c%20statement_timeout%3D60s"


async def _everything(cloned: ClonedDatabase) -> list[tuple[Any, ...]]:
    sessions = cloned.keeper.execute("select to_jsonb(s) from auth_sessions s order by id").fetchall()
    return sessions + cloned.keeper.execute("select to_jsonb(t) from auth_refresh_tokens t order by 1").fetchall()


@pytest.mark.parametrize("meanwhile", ["refreshed with care", "refreshed at once", "revoked", "nothing"])
async def test_what_was_committed_after_the_statement_looked_counts_when_it_writes(
    auth: AuthOnPostgres, cloned: ClonedDatabase, clock: SettableClock, meanwhile: str
) -> None:
    row = cloned.keeper.execute("select clock_timestamp()").fetchone()
    assert row is not None
    clock.set(row[0])
    grant = await auth.register()
    with cloned.administration() as gate:
        gate.execute("select pg_advisory_lock(4711)")
        slow = asyncio.create_task(_late(cloned, grant))
        await waits_or_ends(cloned, slow)
        await _happens(auth, grant, meanwhile)
        assert not slow.done()
        before = await _everything(cloned)
    assert (await slow is None) == (meanwhile != "nothing")
    assert (await _everything(cloned) == before) == (meanwhile != "nothing")


async def _happens(auth: AuthOnPostgres, grant: Grant, meanwhile: str) -> None:
    if meanwhile == "refreshed with care":
        await replace(auth, quick=None).refresh(Role.STUDENT, grant.refresh_token)
    elif meanwhile == "refreshed at once":
        await auth.refresh(Role.STUDENT, grant.refresh_token)
    elif meanwhile == "revoked":
        await auth.transact(lambda work: work.end_session(grant.person.id, grant.session.id, SessionEnd.REVOKED))


async def test_a_unit_of_work_that_holds_the_session_is_not_waited_for(auth: AuthOnPostgres) -> None:
    """So whoever sent several refreshes in one transaction never stands in a circle."""
    grant = await auth.register()

    async def hold(work: AuthWork) -> Session | None:
        assert await work.hold_session_of(digest(decode_token(grant.refresh_token))) is not None
        return await rotate(auth, grant)

    assert await auth.transact(hold) is None
    assert await rotate(auth, grant) is not None


async def test_refreshes_of_several_sessions_in_one_transaction_never_wait_for_each_other(
    replicas: list[AuthOnPostgres],
) -> None:
    """Two transactions that take the same sessions in opposite orders: each gets what the other has not."""
    one, two = replicas
    first, second = await one.enter(), await one.enter()
    statement = load("auth")["rotate_at_once"]
    values = [
        rotation_params(rotation(decode_token(grant.refresh_token), bytes([number]) * 32), one.clock.now())
        for number, grant in enumerate((first, second))
    ]

    async def crosswise(here: psycopg.AsyncConnection[Any], there: psycopg.AsyncConnection[Any]) -> list[int]:
        done = [await here.execute(statement, values[0]), await there.execute(statement, values[1])]
        done += [await here.execute(statement, values[1]), await there.execute(statement, values[0])]
        return [each.rowcount for each in done]

    async with (
        await psycopg.AsyncConnection.connect(one.database.conninfo) as here,
        await psycopg.AsyncConnection.connect(two.database.conninfo) as there,
        asyncio.timeout(30),
    ):
        assert await crosswise(here, there) == [1, 1, 0, 0]


async def test_no_refresh_survives_signing_out_everywhere(replicas: list[AuthOnPostgres]) -> None:
    """Refreshes and one sign-out at once: whatever each was answered, nothing opens afterwards."""
    one, two = replicas
    for _ in range(5):
        grants = [await one.enter() for _ in range(3)]
        actor = Actor(user_id="usr_ada", role=Role.STUDENT, session_id=grants[0].session.id)
        answers = await at_once(
            *(one.refresh(Role.STUDENT, grant.refresh_token) for grant in grants),
            two.sign_out_everywhere(actor),
            *(two.refresh(Role.STUDENT, grant.refresh_token) for grant in grants),
        )
        tokens = [answer.refresh_token for answer in answers if isinstance(answer, Refreshed)]
        assert await live(one) == set()
        for token in [*tokens, *(grant.refresh_token for grant in grants)]:
            with pytest.raises(SessionEnded):
                await one.refresh(Role.STUDENT, token)


async def test_sign_ins_beside_refreshes_never_pass_the_limit(
    replicas: list[AuthOnPostgres], cloned: ClonedDatabase, collisions: list[str | None]
) -> None:
    one, two = replicas
    grants = [await one.enter() for _ in range(3)]
    acts: list[Callable[[], Awaitable[object]]] = [one.enter, two.enter] * 4
    acts += [partial(auth.refresh, Role.STUDENT, grant.refresh_token) for grant in grants for auth in (one, two) * 2]
    random.Random(7).shuffle(acts)
    with watching(cloned) as seen:
        answers = await at_once(*(act() for act in acts))
    assert {type(answer) for answer in answers} <= {Grant, Refreshed, SessionEnded}
    assert max(seen) <= 3
    assert len(await live(one)) == 3
    assert collisions == []


@pytest.mark.parametrize("seed", range(3))
async def test_everything_at_once_on_one_account_is_answered_without_a_deadlock(
    seed: int, replicas: list[AuthOnPostgres], cloned: ClonedDatabase, collisions: list[str | None]
) -> None:
    await everything_at_once(seed, replicas, cloned)
    assert collisions == []


async def test_the_store_has_the_time_and_not_the_process(auth: AuthOnPostgres, clock: SettableClock) -> None:
    grant = await auth.register()
    auth.quick = PostgresQuickRefresh(auth.database)
    await _last_for(auth, timedelta(minutes=1))
    clock.advance(days=3_000)
    prolonged = await rotate(auth, grant)
    assert prolonged is not None
    row = await auth.database.fetch_one("select clock_timestamp() as now")
    assert row is not None
    assert abs(row["now"] - prolonged.last_seen_at) < timedelta(seconds=30)
    assert prolonged.idle_expires_at == prolonged.absolute_expires_at
    await _last_for(auth, timedelta(0))
    before = await auth.tokens_of(grant.session.id)
    assert await auth.quick.rotate(rotation(SUCCESSOR)) is None
    assert await auth.tokens_of(grant.session.id) == before


async def _last_for(auth: AuthOnPostgres, idle: timedelta) -> None:
    """By the time of the store; a day later every session ends for good."""
    await auth.database.fetch_one(
        "update auth_sessions set idle_expires_at = clock_timestamp() + %(idle)s,"
        " absolute_expires_at = clock_timestamp() + interval '1 day' returning id",
        {"idle": idle},
    )

"""Session limits while many come at once, through two processes' pools, on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

import pytest

from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.ports import AuthWork
from application.auth.staying import Refreshed
from domain.auth.limits import LimitSource, SessionLimitReached, WhenFull
from domain.auth.people import Actor, Role
from domain.auth.sessions import RefreshReused, SessionEnd, SessionEnded
from tests.support.auth_builders import AuthOnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.session_limits import define_limit
from tests.support.session_races import at_once, live, noting_collisions, two_processes, waits_or_ends, watching


@pytest.fixture
async def replicas(cloned: ClonedDatabase, clock: SettableClock) -> AsyncIterator[list[AuthOnPostgres]]:
    """Two processes as the database sees them; Ada has an account."""
    async with two_processes(cloned, clock) as both:
        yield both


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What made a unit of work run again: deadlocks, and nothing else at this level of isolation."""
    return noting_collisions(monkeypatch)


async def test_of_twelve_sign_ins_at_once_three_sessions_live_and_never_more(
    replicas: list[AuthOnPostgres], cloned: ClonedDatabase, collisions: list[str | None]
) -> None:
    """All twelve are let in; whoever came first is out again."""
    with watching(cloned) as seen:
        answers = await at_once(*(auth.enter() for auth, _ in zip(cycle(replicas), range(12), strict=False)))
    grants = [answer for answer in answers if isinstance(answer, Grant)]
    assert len(grants) == 12
    assert Counter(grant.evicted_sessions for grant in grants) == {0: 3, 1: 9}
    assert len(await live(replicas[0])) == 3
    assert max(seen) <= 3
    assert collisions == []


async def test_a_limit_that_denies_lets_three_of_twelve_in(
    replicas: list[AuthOnPostgres], cloned: ClonedDatabase
) -> None:
    await define_limit(replicas[0], LimitSource.ROLE, "student", 3, WhenFull.DENY)
    with watching(cloned) as seen:
        answers = await at_once(*(auth.enter() for auth, _ in zip(cycle(replicas), range(12), strict=False)))
    assert Counter(type(answer) for answer in answers) == {Grant: 3, SessionLimitReached: 9}
    assert await live(replicas[0]) == {answer.session.id for answer in answers if isinstance(answer, Grant)}
    assert max(seen) <= 3


async def test_a_session_that_a_sign_in_found_expired_is_not_prolonged_by_a_refresh_that_began_before(
    replicas: list[AuthOnPostgres], cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """In the time of the refresh the session lives, but the sign-in was first in the line for its row."""
    one, two = replicas
    await define_limit(one, LimitSource.USER, "usr_ada", 1)
    grant = await one.enter()
    clock.advance(days=7, seconds=-1)
    with cloned.administration() as holder:
        holder.execute("begin")
        holder.execute("select from auth_sessions where id = %s for update", [grant.session.id])

        async def transact(unit: Callable[[AuthWork], Awaitable[Any]], /) -> Any:
            async def late(work: AuthWork) -> Any:
                clock.advance(seconds=2)
                others.append(asyncio.create_task(two.enter()))
                await waits_or_ends(cloned, others[0])
                return await unit(work)

            return await one.transact(late)

        others: list[asyncio.Task[Grant]] = []
        refreshing = asyncio.create_task(replace(one, transact=transact).refresh(Role.STUDENT, grant.refresh_token))
        while not others:
            await asyncio.sleep(0)
        await waits_or_ends(cloned, refreshing, beside=others[0])
        holder.execute("commit")
    other = await others[0]
    with pytest.raises(SessionEnded):
        await refreshing
    assert await live(one) == {other.session.id}


async def test_a_session_that_is_being_prolonged_while_it_expires_is_counted_by_a_sign_in(
    replicas: list[AuthOnPostgres], cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """The refresh has done all but commit; the sign-in waits for it and finds no room."""
    one, two = replicas
    await define_limit(one, LimitSource.USER, "usr_ada", 1, WhenFull.DENY)
    grant = await one.enter()
    clock.advance(days=7, seconds=-1)
    others: list[asyncio.Task[Grant]] = []

    async def transact(unit: Callable[[AuthWork], Awaitable[Any]], /) -> Any:
        async def early(work: AuthWork) -> Any:
            answer = await unit(work)
            clock.advance(seconds=2)
            others.append(asyncio.create_task(two.enter()))
            await waits_or_ends(cloned, others[0])
            return answer

        return await one.transact(early)

    assert await replace(one, transact=transact).refresh(Role.STUDENT, grant.refresh_token)
    with pytest.raises(SessionLimitReached):
        await others[0]
    assert await live(one) == {grant.session.id}


async def test_a_lowered_limit_acts_once_while_all_sessions_refresh_at_once(
    replicas: list[AuthOnPostgres], collisions: list[str | None]
) -> None:
    """Whoever refreshed first keeps the session; nobody ends the last one."""
    one, _ = replicas
    await define_limit(one, LimitSource.USER, "usr_ada", 6)
    grants = [await one.enter() for _ in range(6)]
    await define_limit(one, LimitSource.USER, "usr_ada", 1)
    answers = await at_once(*(auth.refresh(Role.STUDENT, grant.refresh_token) for grant in grants for auth in replicas))
    assert set(map(type, answers)) <= {Refreshed, SessionEnded}
    refreshed = {answer.session.id for answer in answers if isinstance(answer, Refreshed)}
    assert len(await live(one)) == 1
    assert await live(one) <= refreshed
    assert collisions == []


@pytest.mark.parametrize("seed", range(3))
async def test_everything_at_once_on_one_account_is_answered_without_a_deadlock(
    seed: int, replicas: list[AuthOnPostgres], cloned: ClonedDatabase, collisions: list[str | None]
) -> None:
    await everything_at_once(seed, replicas, cloned)
    assert collisions == []


async def everything_at_once(seed: int, replicas: list[AuthOnPostgres], cloned: ClonedDatabase) -> None:
    """Sign-ins, refreshes, sign-outs, revocations, lowered limits: who holds a session never waits for its person."""
    one, two = replicas
    chance = random.Random(seed)
    await define_limit(one, LimitSource.USER, "usr_ada", 5)
    grants = [await one.enter() for _ in range(5)]
    acts = [act for grant in grants for act in acts_on(grant, one, two)]
    acts += [one.enter, two.enter] * 6
    acts += [partial(define_limit, two, LimitSource.USER, "usr_ada", most) for most in (1, 2, 3, 2)]
    chance.shuffle(acts)
    with watching(cloned) as seen:
        answers = await at_once(*(act() for act in acts))
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} <= {SessionEnded, RefreshReused}
    assert max(seen) <= 5
    last = await two.enter()
    assert len(await live(two)) <= 3
    assert last.session.id in await live(one)


def acts_on(grant: Grant, one: AuthOnPostgres, two: AuthOnPostgres) -> list[Callable[[], Awaitable[object]]]:
    """What may happen to a session through either process."""
    held = HeldTokens(access=grant.access_token, refresh=grant.refresh_token)
    actor = Actor(user_id="usr_ada", role=Role.STUDENT, session_id=grant.session.id)
    end = SessionEnd.REVOKED
    return [
        *[
            lambda: one.refresh(Role.STUDENT, grant.refresh_token),
            lambda: two.refresh(Role.STUDENT, grant.refresh_token),
        ]
        * 4,
        lambda: two.enter(visit=Visit(portal=Role.STUDENT, held=held)),
        lambda: one.sign_out(held),
        lambda: two.transact(lambda work: work.end_session("usr_ada", grant.session.id, end)),
        lambda: one.sign_out_everywhere(actor),
    ]

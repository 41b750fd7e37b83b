"""Sessions of the cookie door while many come at once, through two processes' pools on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any

import pytest

from adapters.postgres.auth import PostgresAuthWork
from application.auth.cookie_sessions import ReadCookieSession, Reading
from application.auth.opening import CookieGrant, Grant, HeldTokens
from application.auth.ports import AuthWork
from domain.auth.limits import LimitSource, SessionLimitReached, WhenFull
from domain.auth.people import Role
from domain.auth.sessions import Session, SessionEnd, SessionEnded
from tests.support.auth_builders import AuthOnPostgres
from tests.support.cookie_sessions import CookieDoor
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.session_limits import define_limit
from tests.support.session_races import at_once, live, noting_collisions, two_processes, waits_or_ends, watching

_REVOKE = "update auth_sessions set revoked_at = now(), revoke_reason = 'revoked' where id = %s"


@pytest.fixture
async def doors(cloned: ClonedDatabase, clock: SettableClock) -> AsyncIterator[list[CookieDoor]]:
    """The cookie door of two processes as the database sees them; Ada has an account."""
    async with two_processes(cloned, clock) as both:
        yield [CookieDoor(auth=auth) for auth in both]


@pytest.fixture
def collisions(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What made a unit of work run again: deadlocks, and nothing else at this level of isolation."""
    return noting_collisions(monkeypatch)


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that were renewed, each as often as it was."""
    written: list[str] = []
    renew = PostgresAuthWork.renew_session

    async def noting(work: PostgresAuthWork, session: Session) -> None:
        written.append(session.id)
        await renew(work, session)

    monkeypatch.setattr(PostgresAuthWork, "renew_session", noting)
    return written


def _through_every_door(doors: list[CookieDoor], count: int) -> list[Awaitable[object]]:
    """So many sign-ins, by turns at a portal and here, in one process and in the other."""
    ways = cycle([enter for door in doors for enter in (door.enter, door.auth.enter)])
    return [enter() for enter, _ in zip(ways, range(count), strict=False)]


async def test_of_twelve_sign_ins_through_both_doors_at_once_three_sessions_live_and_never_more(
    doors: list[CookieDoor], cloned: ClonedDatabase, collisions: list[str | None]
) -> None:
    with watching(cloned) as seen:
        answers = await at_once(*_through_every_door(doors, 12))
    assert Counter(type(answer) for answer in answers) == {CookieGrant: 6, Grant: 6}
    evicted = Counter(each.evicted_sessions for each in answers if isinstance(each, CookieGrant | Grant))
    assert evicted == {0: 3, 1: 9}
    assert len(await live(_auth(doors[0]))) == 3
    assert max(seen) <= 3
    assert collisions == []


async def test_a_limit_that_denies_lets_three_of_twelve_in_whichever_their_door(
    doors: list[CookieDoor], cloned: ClonedDatabase
) -> None:
    await define_limit(doors[0].auth, LimitSource.ROLE, "student", 3, WhenFull.DENY)
    with watching(cloned) as seen:
        answers = await at_once(*_through_every_door(doors, 12))
    grants = [answer for answer in answers if isinstance(answer, CookieGrant | Grant)]
    assert Counter(isinstance(answer, SessionLimitReached) for answer in answers) == {False: 3, True: 9}
    assert await live(_auth(doors[0])) == {grant.session.id for grant in grants}
    assert max(seen) <= 3


async def test_of_twelve_sign_ins_with_one_secret_in_hand_each_has_a_session_and_the_secret_none(
    doors: list[CookieDoor], collisions: list[str | None]
) -> None:
    await define_limit(doors[0].auth, LimitSource.USER, "usr_ada", 100)
    held = await doors[0].enter()
    sign_ins = [door.enter(held=HeldTokens(secret=held.secret)) for door in doors for _ in range(6)]
    answers = await at_once(*sign_ins)
    grants = [answer for answer in answers if isinstance(answer, CookieGrant)]
    assert len({grant.secret for grant in grants}) == 12
    assert await live(_auth(doors[1])) == {grant.session.id for grant in grants}
    assert (await doors[0].kept(held.secret)).revoke_reason == SessionEnd.REPLACED
    assert collisions == []


async def test_of_twelve_readings_of_a_due_session_at_once_one_renews_it(
    doors: list[CookieDoor], clock: SettableClock, renewals: list[str]
) -> None:
    grant = await doors[0].enter()
    for days in (1, 2, 3):
        now = clock.advance(days=1)
        answers = await asyncio.gather(*(door.read(grant.secret) for door in doors for _ in range(6)))
        assert {answer.session.ends_at for answer in answers} == {now + timedelta(days=7)}
        assert renewals == [grant.session.id] * days
    kept = await doors[1].kept(grant.secret)
    assert (kept.updated_at, kept.last_seen_at) == (now, now)
    assert len(await doors[0].auth.tokens_of(grant.session.id)) == 1


async def test_what_was_revoked_meanwhile_is_not_renewed(
    doors: list[CookieDoor], cloned: ClonedDatabase, clock: SettableClock, renewals: list[str]
) -> None:
    """The readings have found the session live, and wait for whoever is about to end it."""
    grant = await doors[0].enter()
    due = clock.advance(days=2)
    with cloned.administration() as other:
        other.execute("begin")
        other.execute(_REVOKE, [grant.session.id])
        readings = [asyncio.create_task(door.read(grant.secret)) for door in doors]
        await waits_or_ends(cloned, readings[0])
        other.execute("commit")
    for reading in readings:
        with pytest.raises(SessionEnded):
            await reading
    kept = await doors[0].kept(grant.secret)
    assert (kept.revoke_reason, kept.ends_at, renewals) == ("revoked", due + timedelta(days=5), [])


@pytest.mark.parametrize("seed", range(4))
async def test_an_end_among_readings_is_final(doors: list[CookieDoor], clock: SettableClock, seed: int) -> None:
    """In whatever order they come: what was read before stays answered, and afterwards nothing opens."""
    grant, chance = await doors[0].enter(), random.Random(seed)
    clock.advance(days=1)
    acts: list[Callable[[], Awaitable[object]]] = [partial(door.read, grant.secret) for door in doors for _ in range(8)]
    acts.append(partial(doors[1].leave, grant.secret))
    chance.shuffle(acts)
    answers = await at_once(*(act() for act in acts))
    assert {type(answer) for answer in answers} <= {Reading, SessionEnded, bool}
    kept = await doors[0].kept(grant.secret)
    assert kept.revoke_reason == SessionEnd.LOGOUT
    for door in doors:
        with pytest.raises(SessionEnded):
            await door.read(grant.secret)


async def test_that_a_session_was_seen_is_noted_without_waiting_for_whoever_holds_it(
    doors: list[CookieDoor], cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """A busy session is answered for all the same; the next reading notes it."""
    grant = await doors[0].enter()
    opened, now = grant.session.last_seen_at, clock.advance(hours=1)
    with cloned.administration() as holder:
        holder.execute("begin")
        holder.execute("select from auth_sessions where id = %s for update", [grant.session.id])
        async with asyncio.timeout(30):
            assert await doors[0].authenticate(grant.secret)
            assert await doors[1].read(grant.secret)
        holder.execute("rollback")
    assert (await doors[0].kept(grant.secret)).last_seen_at == opened
    await asyncio.gather(*(door.authenticate(grant.secret) for door in doors for _ in range(6)))
    assert (await doors[0].kept(grant.secret)).last_seen_at == now


async def test_a_renewal_that_has_to_wait_for_its_person_holds_no_session(
    doors: list[CookieDoor], cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """Whoever holds the person may need that session next, to end it."""
    grants = [await doors[0].enter() for _ in range(3)]
    await define_limit(doors[0].auth, LimitSource.USER, "usr_ada", 1)
    clock.advance(days=1)
    with cloned.administration() as holder:
        holder.execute("begin")
        holder.execute("select from users where id = 'usr_ada' for no key update")
        reading = asyncio.create_task(doors[1].read(grants[0].secret))
        await waits_or_ends(cloned, reading)
        assert not reading.done()
        holder.execute("select from auth_sessions where id = %s for update nowait", [grants[0].session.id])
        holder.execute("commit")
    assert (await reading).renewed
    assert await live(_auth(doors[0])) == {grants[0].session.id}


async def test_a_session_that_a_sign_in_found_expired_is_not_renewed_by_a_reading_that_began_before(
    doors: list[CookieDoor], cloned: ClonedDatabase, clock: SettableClock
) -> None:
    """In the time of the reading the session lives, but the sign-in was first in the line for its row."""
    one, two = doors
    await define_limit(one.auth, LimitSource.USER, "usr_ada", 1)
    grant = await one.enter()
    clock.advance(days=7, seconds=-1)
    others: list[asyncio.Task[CookieGrant]] = []
    with cloned.administration() as holder:
        holder.execute("begin")
        holder.execute("select from auth_sessions where id = %s for update", [grant.session.id])

        async def transact(unit: Callable[[AuthWork], Awaitable[Any]], /) -> Any:
            async def late(work: AuthWork) -> Any:
                clock.advance(seconds=2)
                others.append(asyncio.create_task(two.enter()))
                await waits_or_ends(cloned, others[0])
                return await unit(work)

            return await one.auth.transact(late)

        read = ReadCookieSession(transact=transact, people=one.auth.reader, policy=one.auth.policy)
        reading = asyncio.create_task(read(grant.secret))
        while not others:
            await asyncio.sleep(0)
        await waits_or_ends(cloned, reading, beside=others[0])
        holder.execute("commit")
    other = await others[0]
    with pytest.raises(SessionEnded):
        await reading
    assert await live(_auth(one)) == {other.session.id}


@pytest.mark.parametrize("seed", range(3))
async def test_everything_at_once_through_both_doors_is_answered_without_a_deadlock(
    seed: int, doors: list[CookieDoor], cloned: ClonedDatabase, clock: SettableClock, collisions: list[str | None]
) -> None:
    """Who holds a session never waits for its person: sign-ins, renewals, refreshes, sign-outs, lowered limits."""
    chance = random.Random(seed)
    await define_limit(doors[0].auth, LimitSource.USER, "usr_ada", 6)
    cookies = [await doors[0].enter() for _ in range(3)]
    portals = [await doors[0].auth.enter() for _ in range(3)]
    clock.advance(days=1)
    acts = [act for door in doors for grant in cookies for act in _acts_here(door, grant)]
    acts += [partial(door.auth.refresh, Role.STUDENT, grant.refresh_token) for door in doors for grant in portals]
    acts += [door.auth.enter for door in doors] * 2
    acts += [partial(define_limit, doors[1].auth, LimitSource.USER, "usr_ada", most) for most in (1, 2, 3, 2)]
    chance.shuffle(acts)
    with watching(cloned) as seen:
        answers = await at_once(*(act() for act in acts))
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} <= {SessionEnded}
    assert max(seen) <= 6
    assert collisions == []
    last = await doors[1].enter()
    assert len(await live(_auth(doors[0]))) <= 3
    assert last.session.id in await live(_auth(doors[0]))


def _acts_here(door: CookieDoor, grant: CookieGrant) -> list[Callable[[], Awaitable[object]]]:
    """What may happen to a session of this door."""
    looks: list[Callable[[], Awaitable[object]]] = [
        partial(door.read, grant.secret),
        partial(door.authenticate, grant.secret),
    ]
    return [
        *looks * 3,
        partial(door.enter, held=HeldTokens(secret=grant.secret)),
        partial(door.leave, grant.secret),
    ]


def _auth(door: CookieDoor) -> AuthOnPostgres:
    assert isinstance(door.auth, AuthOnPostgres)
    return door.auth

"""Many at once on PostgreSQL: one successor, one account, no session that outlives its end."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from adapters.postgres.auth import PostgresAuthReader, PostgresAuthWork
from adapters.postgres.database import Database
from adapters.postgres.transaction import PostgresTransaction
from application.auth.opening import Grant, HeldTokens, Visit
from application.auth.ports import AuthWork
from domain.auth.limits import LimitSource
from domain.auth.people import EmailTaken, Role
from domain.auth.sessions import InvalidCredentials, RefreshReused, SessionEnded
from tests.support.auth_builders import PASSWORD, AuthOnPostgres, a_new_user, auth_on_postgres
from tests.support.postgres import SettableClock
from tests.support.session_limits import define_limit


@pytest.fixture
def auth(database: Database, clock: SettableClock) -> AuthOnPostgres:
    return auth_on_postgres(database, clock)


async def test_twelve_refreshes_of_one_token_at_once_bring_one_successor_to_all(auth: AuthOnPostgres) -> None:
    grant = await auth.register()
    for round_ in range(1, 6):
        answers = await asyncio.gather(*(auth.refresh(Role.STUDENT, grant.refresh_token) for _ in range(12)))
        assert len({answer.refresh_token for answer in answers}) == 1
        assert len(await auth.tokens_of(grant.session.id)) == round_ + 1
        grant = Grant(
            person=grant.person,
            session=answers[0].session,
            access_token=answers[0].access_token,
            refresh_token=answers[0].refresh_token,
            expires_in=900,
        )
    assert await auth.authenticate(grant.access_token)
    assert await auth.audited() == []


async def test_twenty_sessions_that_refresh_twelve_times_at_once_have_one_successor_each(auth: AuthOnPostgres) -> None:
    """A browser with twelve tabs wakes up, on twenty desks: nobody is taken for a thief."""
    await define_limit(auth, LimitSource.ROLE, "student", 20)
    grants = [await auth.register(), *[await auth.enter() for _ in range(19)]]
    answers = await asyncio.gather(
        *(auth.refresh(Role.STUDENT, grant.refresh_token) for _ in range(12) for grant in grants)
    )
    assert len({answer.refresh_token for answer in answers}) == 20
    assert {len(await auth.tokens_of(grant.session.id)) for grant in grants} == {2}
    assert len(await auth.transact(lambda work: work.live_sessions(grants[0].person.id))) == 20
    assert await auth.audited() == []


async def test_a_thief_and_the_owner_at_once_are_noticed_once(auth: AuthOnPostgres, clock: SettableClock) -> None:
    """After the grace ten come with a used token: one reuse is recorded, the rest find the session ended."""
    grant = await auth.register()
    await auth.refresh(Role.STUDENT, grant.refresh_token)
    clock.advance(seconds=11)
    answers = await asyncio.gather(
        *(auth.refresh(Role.STUDENT, grant.refresh_token) for _ in range(10)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {RefreshReused: 1, SessionEnded: 9}
    assert await auth.audited() == ["session.refresh_reused"]


async def test_of_ten_registrations_of_one_address_one_succeeds(auth: AuthOnPostgres) -> None:
    answers = await asyncio.gather(*(auth.register() for _ in range(10)), return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {Grant: 1, EmailTaken: 9}


async def test_of_six_starters_one_makes_the_account(auth: AuthOnPostgres) -> None:
    made = await asyncio.gather(*(auth.ensure_user(a_new_user()) for _ in range(6)))
    assert sorted(made) == [False] * 5 + [True]
    assert await auth.audited() == ["user.created"]


async def test_no_refresh_survives_signing_out_everywhere(auth: AuthOnPostgres) -> None:
    """Refreshes and one sign-out at once: whatever each was answered, nothing opens afterwards."""
    grants = [await auth.register()]
    grants += [await auth.enter() for _ in range(2)]
    actor = await auth.authenticate(grants[0].access_token)
    await asyncio.gather(
        *(auth.refresh(Role.STUDENT, grant.refresh_token) for grant in grants),
        auth.sign_out_everywhere(actor),
        *(auth.refresh(Role.STUDENT, grant.refresh_token) for grant in grants),
        return_exceptions=True,
    )
    for grant in grants:
        with pytest.raises(SessionEnded):
            await auth.authenticate(grant.access_token)
        with pytest.raises(SessionEnded):
            await auth.refresh(Role.STUDENT, grant.refresh_token)


async def test_two_browsers_that_replace_each_others_session_do_not_block_each_other(auth: AuthOnPostgres) -> None:
    """Crossed locks are met by running the unit again, not by an error."""
    await define_limit(auth, LimitSource.ROLE, "student", 8)
    first, second = await auth.register(), await auth.enter()
    visits = [
        Visit(portal=Role.STUDENT, held=HeldTokens(refresh=held.refresh_token))
        for held in (first, second)
        for _ in "123"
    ]
    answers = await asyncio.gather(*(auth.enter(visit=visit) for visit in visits), return_exceptions=True)
    grants = [first, second, *(answer for answer in answers if isinstance(answer, Grant))]
    live = [await _opens(auth, grant) for grant in grants]
    assert live == [False, False] + [True] * 6


async def test_sign_ins_of_one_person_take_turns_and_others_do_not_wait(
    auth: AuthOnPostgres, database: Database
) -> None:
    """Whoever holds the person decides; a sign-in waits for that and then sees what was decided."""
    grant = await auth.register()
    held, release = asyncio.Event(), asyncio.Event()

    async def disable(work: AuthWork) -> None:
        await work.hold_user(grant.person.id)
        held.set()
        await release.wait()
        await work.replace_password_hash(grant.person.id, "kept:" + PASSWORD, "kept:another password")

    holder = asyncio.create_task(auth.transact(disable))
    await held.wait()
    waiting = asyncio.create_task(auth.enter())
    try:
        async with asyncio.timeout(30):
            while not (waiting.done() or await _somebody_waits(database)):
                await asyncio.sleep(0.005)
        assert not waiting.done()
        assert await auth.register("grace@example.org")
    finally:
        release.set()
    await holder
    with pytest.raises(InvalidCredentials):
        await waiting


async def _somebody_waits(database: Database) -> bool:
    row = await database.fetch_one("select exists (select from pg_locks where not granted) as found")
    return row is not None and bool(row["found"])


async def _opens(auth: AuthOnPostgres, grant: Grant) -> bool:
    try:
        await auth.authenticate(grant.access_token)
    except SessionEnded:
        return False
    return True


async def test_the_clock_of_the_store_decides_and_not_that_of_the_process(
    auth: AuthOnPostgres, database: Database, clock: SettableClock
) -> None:
    """With its real reader a token that PostgreSQL itself dates opens at once, whatever the process believes."""
    auth.transact = PostgresTransaction(database, PostgresAuthWork, auth.ids)
    auth.reader = PostgresAuthReader(database)
    clock.advance(days=3_000)
    grant = await auth.register()
    assert await auth.authenticate(grant.access_token)
    await database.fetch_one(
        "update auth_sessions set idle_expires_at = clock_timestamp() where id = %(id)s returning id",
        {"id": grant.session.id},
    )
    with pytest.raises(SessionEnded):
        await auth.authenticate(grant.access_token)

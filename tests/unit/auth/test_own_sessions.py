"""Seeing and ending one's own sessions, in conversations."""

from dataclasses import replace

import pytest

from application.auth.events import AuthAct, AuthEvent, Outcome
from application.auth.opening import Visit
from application.auth.policy import AuthPolicy
from application.auth.views import LiveSession
from domain.auth.people import Role
from domain.auth.sessions import Door, ReauthenticationRequired, SessionEnded, SessionNotFound
from tests.support.account_builders import Accounts, accounts_of, actor_of
from tests.support.auth_builders import NOW, AuthInMemory, a_user, auth_in_memory


@pytest.fixture
async def auth() -> AuthInMemory:
    """Ada has an account, Bob as well."""
    auth = auth_in_memory(policy=AuthPolicy(fresh_seconds=600))
    await auth.add(a_user())
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    return auth


@pytest.fixture
def accounts(auth: AuthInMemory) -> Accounts:
    return accounts_of(auth)


async def test_one_sees_where_one_is_signed_in_the_newest_first(accounts: Accounts, auth: AuthInMemory) -> None:
    first = await auth.enter(visit=Visit(portal=Role.STUDENT, ip="192.0.2.7", user_agent="a phone"))
    auth.clock.advance(minutes=1)
    second = await auth.enter(visit=Visit(portal=Role.STUDENT, ip="192.0.2.8", user_agent="a laptop"))
    await auth.enter("bob@example.org")
    listed = await accounts.list_own_sessions(actor_of(first))
    assert [(each.id, each.current) for each in listed] == [(second.session.id, False), (first.session.id, True)]
    assert listed[1] == LiveSession(
        id=first.session.id,
        current=True,
        door=Door.PORTAL,
        audience=Role.STUDENT,
        ip="192.0.2.7",
        user_agent="a phone",
        created_at=NOW,
        last_seen_at=NOW,
        updated_at=NOW,
        expires_at=first.session.idle_expires_at,
    )


async def test_a_session_that_was_left_open_is_listed_until_its_nearer_end() -> None:
    auth = auth_in_memory(policy=AuthPolicy(refresh_idle_seconds=600, session_seconds=500))
    await auth.add(a_user())
    (listed,) = await accounts_of(auth).list_own_sessions(actor_of(grant := await auth.enter()))
    assert listed.expires_at == grant.session.absolute_expires_at
    auth.clock.advance(seconds=500)
    assert await accounts_of(auth).list_own_sessions(actor_of(grant)) == ()


async def test_ended_sessions_are_not_listed(accounts: Accounts, auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    await accounts.end_own_session(actor_of(second), first.session.id)
    assert [each.id for each in await accounts.list_own_sessions(actor_of(second))] == [second.session.id]


async def test_another_one_of_ones_sessions_ends_at_once(accounts: Accounts, auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    await accounts.end_own_session(actor_of(second), first.session.id)
    with pytest.raises(SessionEnded):
        await auth.authenticate(first.access_token)
    assert (await accounts.session(first.session.id)).revoke_reason == "revoked"
    assert await auth.authenticate(second.access_token)


async def test_the_session_in_use_ends_as_by_signing_out(accounts: Accounts, auth: AuthInMemory) -> None:
    grant = await auth.enter()
    await accounts.end_own_session(actor_of(grant), grant.session.id)
    with pytest.raises(SessionEnded):
        await auth.authenticate(grant.access_token)
    assert (await accounts.session(grant.session.id)).revoke_reason == "logout"


async def test_other_peoples_sessions_and_ended_ones_do_not_exist(accounts: Accounts, auth: AuthInMemory) -> None:
    mine, ended, bobs = await auth.enter(), await auth.enter(), await auth.enter("bob@example.org")
    await accounts.end_own_session(actor_of(mine), ended.session.id)
    for session_id in (bobs.session.id, ended.session.id, "ses_none"):
        with pytest.raises(SessionNotFound):
            await accounts.end_own_session(actor_of(mine), session_id)
    assert await auth.authenticate(bobs.access_token)
    await auth.sign_out_everywhere(actor_of(mine))
    with pytest.raises(SessionNotFound):
        await accounts.end_own_session(actor_of(mine), mine.session.id)


async def test_a_session_that_ran_out_does_not_exist(accounts: Accounts, auth: AuthInMemory) -> None:
    old = await auth.enter()
    auth.clock.set(old.session.idle_expires_at)
    with pytest.raises(SessionNotFound):
        await accounts.end_own_session(actor_of(await auth.enter()), old.session.id)


async def test_long_after_a_sign_in_one_ends_only_the_session_in_use(accounts: Accounts, auth: AuthInMemory) -> None:
    """Somebody who finds an open browser does not shut its owner out of the others."""
    first, second = await auth.enter(), await auth.enter()
    auth.clock.advance(seconds=600)
    third = await auth.enter()
    await accounts.end_own_session(actor_of(second), third.session.id)
    auth.clock.advance(seconds=1)
    for session_id in (first.session.id, "ses_none"):
        with pytest.raises(ReauthenticationRequired):
            await accounts.end_own_session(actor_of(second), session_id)
    assert await auth.refresh(Role.STUDENT, first.refresh_token)
    await accounts.end_own_session(actor_of(second), second.session.id)


async def test_a_refresh_is_no_sign_in(accounts: Accounts, auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    auth.clock.advance(seconds=601)
    await auth.refresh(Role.STUDENT, second.refresh_token)
    with pytest.raises(ReauthenticationRequired):
        await accounts.end_own_session(actor_of(second), first.session.id)


async def test_a_session_that_ended_ends_no_other(accounts: Accounts, auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    await accounts.end_own_session(actor_of(first), second.session.id)
    with pytest.raises(SessionEnded):
        await accounts.end_own_session(actor_of(second), first.session.id)


async def test_every_outcome_is_told(accounts: Accounts, auth: AuthInMemory) -> None:
    first, second = await auth.enter(), await auth.enter()
    auth.events.all.clear()
    await accounts.end_own_session(actor_of(second), first.session.id)
    with pytest.raises(SessionNotFound):
        await accounts.end_own_session(actor_of(second), first.session.id)
    await accounts.end_own_session(actor_of(second), second.session.id)
    told = AuthEvent(act=AuthAct.SIGN_OUT, user_id="usr_ada", session_id=second.session.id, portal=Role.STUDENT)
    revoked = replace(told, act=AuthAct.SESSIONS_REVOKED)
    assert auth.events.all == [revoked, replace(revoked, outcome=Outcome.REFUSED), told]

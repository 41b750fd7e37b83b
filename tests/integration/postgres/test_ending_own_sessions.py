"""Ending one's sessions at the cookie door, by secret, by id, or all but one; on both stores."""

from __future__ import annotations

import pytest

from application.auth.events import AuthAct, Outcome
from application.auth.own_sessions import EndOtherSessions, EndSessionByToken
from domain.auth.people import Actor, Role
from domain.auth.sessions import SessionEnd, SessionEnded, SessionNotFound
from tests.support.auth_builders import Auth, a_user
from tests.support.cookie_sessions import CookieDoor


@pytest.fixture
async def door(auth: Auth) -> CookieDoor:
    await auth.add(a_user())
    await auth.add(a_user(id="usr_bob", email="bob@example.org", username=None))
    return CookieDoor(auth=auth)


def _ending(door: CookieDoor) -> EndSessionByToken:
    return EndSessionByToken(transact=door.auth.transact, events=door.auth.events)


async def _actor(door: CookieDoor, secret: str) -> Actor:
    return (await door.read(secret)).actor()


@pytest.mark.parametrize("by_secret", [True, False])
async def test_another_session_is_revoked_and_the_one_that_asks_is_left(door: CookieDoor, by_secret: bool) -> None:
    asking, other = await door.enter(), await door.enter()
    token = other.secret if by_secret else other.session.id
    await _ending(door)(await _actor(door, asking.secret), token)
    assert (await door.kept(other.secret)).revoke_reason == SessionEnd.REVOKED
    assert (await door.kept(asking.secret)).revoked_at is None
    event = door.auth.events.all[-1]
    assert (event.act, event.outcome, event.session_id) == (
        AuthAct.SESSIONS_REVOKED,
        Outcome.SUCCEEDED,
        asking.session.id,
    )


async def test_the_session_that_asks_is_signed_out(door: CookieDoor) -> None:
    asking = await door.enter()
    await _ending(door)(await _actor(door, asking.secret), asking.secret)
    assert (await door.kept(asking.secret)).revoke_reason == SessionEnd.LOGOUT
    assert door.auth.events.all[-1].act is AuthAct.SIGN_OUT


@pytest.mark.parametrize("by_secret", [True, False])
async def test_the_sessions_of_others_do_not_exist(door: CookieDoor, by_secret: bool) -> None:
    asking, foreign = await door.enter(), await door.enter("bob@example.org")
    token = foreign.secret if by_secret else foreign.session.id
    with pytest.raises(SessionNotFound):
        await _ending(door)(await _actor(door, asking.secret), token)
    assert (await door.kept(foreign.secret)).revoked_at is None
    assert door.auth.events.all[-1].outcome is Outcome.REFUSED


@pytest.mark.parametrize("token", ["", "ses_nobody", "a" * 32, "x" * 5_000])
async def test_what_names_nothing_ends_nothing(door: CookieDoor, token: str) -> None:
    asking = await door.enter()
    with pytest.raises(SessionNotFound):
        await _ending(door)(await _actor(door, asking.secret), token)
    assert (await door.kept(asking.secret)).revoked_at is None


async def test_a_session_ends_once(door: CookieDoor) -> None:
    asking, other = await door.enter(), await door.enter()
    actor = await _actor(door, asking.secret)
    await _ending(door)(actor, other.secret)
    with pytest.raises(SessionNotFound):
        await _ending(door)(actor, other.secret)


async def test_all_others_end_under_every_door_and_nobody_else_s(door: CookieDoor) -> None:
    asking, other, portal = await door.enter(), await door.enter(), await door.auth.enter()
    foreign = await door.enter("bob@example.org")
    end = EndOtherSessions(transact=door.auth.transact, events=door.auth.events)
    assert await end(await _actor(door, asking.secret)) == 2
    assert (await door.kept(other.secret)).revoke_reason == SessionEnd.REVOKED
    with pytest.raises(SessionEnded):
        await door.auth.authenticate(portal.access_token)
    assert (await door.kept(asking.secret)).revoked_at is None
    assert (await door.kept(foreign.secret)).revoked_at is None
    assert door.auth.events.all[-1].act is AuthAct.SESSIONS_REVOKED
    assert await end(Actor(user_id="usr_ada", role=Role.STUDENT, session_id=asking.session.id)) == 0

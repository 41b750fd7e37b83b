"""One's own sessions: seeing where one is signed in, and ending what one does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.auth.events import AuthAct
from application.auth.policy import AuthPolicy
from application.auth.ports import AccountWork, AuthEvents, AuthReader, AuthWork
from application.auth.proving import event_of, fresh_session
from application.auth.telling import telling
from application.auth.views import LiveSession
from application.ports import Transaction
from domain.auth.cookie_sessions import is_secret, secret_hash
from domain.auth.people import Actor
from domain.auth.sessions import SessionEnd, SessionNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOwnSessions:
    """Everybody may see where they are signed in, under every door, the newest first."""

    people: AuthReader

    async def __call__(self, actor: Actor) -> tuple[LiveSession, ...]:
        sessions = await self.people.live_sessions_of(actor.user_id)
        return tuple(LiveSession.of(session, current=session.id == actor.session_id) for session in sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOwnSession:
    """Everybody may end the session that they use. Another one of theirs is ended only by who signed in lately, so that
    a stolen session does not shut its owner out. Other people's sessions, and ended ones, do not exist.
    """

    transact: Transaction[AccountWork]
    policy: AuthPolicy
    events: AuthEvents

    async def __call__(self, actor: Actor, session_id: str) -> None:
        is_current = session_id == actor.session_id
        act = AuthAct.SIGN_OUT if is_current else AuthAct.SESSIONS_REVOKED
        with telling(self.events, event_of(actor, act)):
            await self._end(actor, session_id, is_current=is_current)

    async def _end(self, actor: Actor, session_id: str, *, is_current: bool) -> None:
        async def end(work: AccountWork) -> None:
            if not is_current:
                await fresh_session(work, actor, self.policy)
            session = await work.find_session(actor.user_id, session_id)
            if session is None or not session.is_live(work.now):
                raise SessionNotFound
            reason = SessionEnd.LOGOUT if is_current else SessionEnd.REVOKED
            await work.end_session(actor.user_id, session_id, reason)

        await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionByToken:
    """At the cookie door a session is ended by its secret, or by its id, which is all that a list tells of other
    sessions. Whoever has either of one's own session may end it, however long ago the sign-in is: the list is what only
    a late sign-in opens. Other people's sessions, and ended ones, do not exist.
    """

    transact: Transaction[AuthWork]
    events: AuthEvents

    async def __call__(self, actor: Actor, token: str) -> None:
        async def end(work: AuthWork) -> str:
            session_id = await _named_by(work, token)
            reason = SessionEnd.LOGOUT if session_id == actor.session_id else SessionEnd.REVOKED
            if session_id is None or not await work.end_session(actor.user_id, session_id, reason):
                raise SessionNotFound
            return session_id

        with telling(self.events, event_of(actor, AuthAct.SESSIONS_REVOKED)) as record:
            if await self.transact(end) == actor.session_id:
                record.event = replace(record.event, act=AuthAct.SIGN_OUT)


async def _named_by(work: AuthWork, token: str) -> str | None:
    """The id of a session, whosever it is: what is ended is ended as one of the person who asks."""
    if not is_secret(token):
        return token
    key = await work.find_session_key(secret_hash(token))
    return None if key is None else key[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOtherSessions:
    """Every session of the person ends, under every door, but the one that asks."""

    transact: Transaction[AuthWork]
    events: AuthEvents

    async def __call__(self, actor: Actor) -> int:
        async def end(work: AuthWork) -> int:
            # Held, so that a sign-in at the same moment comes wholly before or wholly after.
            await work.hold_user(actor.user_id)
            return await work.end_sessions_of(actor.user_id, SessionEnd.REVOKED, but=actor.session_id)

        with telling(self.events, event_of(actor, AuthAct.SESSIONS_REVOKED)):
            return await self.transact(end)

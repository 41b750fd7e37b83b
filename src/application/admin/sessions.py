"""What administrators do with sessions: end one, all of one person, or those of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from application.admin.auditing import act, administrator
from application.admin.ports import AdminReader, AdminWork
from application.admin.views import SessionView
from application.ports import Transaction
from domain.auth.people import Actor, UserNotFound
from domain.auth.sessions import Session, SessionEnd, SessionNotFound

# The subject of what is done to the sessions of everybody.
_EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsOf:
    """An admin sees the sessions of a person under every door, the newest first; those that ended when asked to."""

    admin_reader: AdminReader

    async def __call__(self, user_id: str, *, ended_too: bool, after: str | None, limit: int) -> Sequence[SessionView]:
        if await self.admin_reader.user(user_id) is None:
            raise UserNotFound
        return await self.admin_reader.sessions(user_id, ended_too=ended_too, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionOf:
    """An admin ends one session of somebody, at once. One that has ended already stays as it is."""

    transact: Transaction[AdminWork]

    async def __call__(
        self, actor: Actor | None, user_id: str, session_id: str, reason: str | None = None
    ) -> SessionView:
        administrator(actor)

        async def end(work: AdminWork) -> SessionView:
            session = await _find(work, user_id, session_id)
            if not session.is_live(work.now):
                return SessionView.of(session, work.now)
            if await work.end_session(user_id, session_id, SessionEnd.ADMIN_REVOKED):
                after = {"userId": user_id, "revoked": 1}
                await work.audit(act("session.revoked", session_id, by=actor, after=after, reason=reason))
            return SessionView.of(await _find(work, user_id, session_id), work.now)

        return await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionsOf:
    """An admin ends every session of somebody, under every door, at once."""

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> int:
        """How many that were."""
        administrator(actor)

        async def end(work: AdminWork) -> int:
            # Held, so that a sign-in at this moment comes before or after and is not missed.
            if await work.hold_user(user_id) is None:
                raise UserNotFound
            revoked = await work.end_sessions_of(user_id, SessionEnd.ADMIN_REVOKED)
            after = {"revoked": revoked}
            await work.audit(act("sessions.revoked", user_id, by=actor, after=after, reason=reason))
            return revoked

        return await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEverySession:
    """In an emergency an admin signs everybody out, and stays to see to it; there is always a reason for that."""

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor, reason: str) -> int:
        """How many sessions that were."""
        administrator(actor)

        async def end(work: AdminWork) -> int:
            revoked = await work.end_every_session(SessionEnd.ADMIN_REVOKED, but=actor.session_id)
            after = {"revoked": revoked}
            await work.audit(act("sessions.revoked", _EVERYBODY, by=actor, after=after, reason=reason))
            return revoked

        return await self.transact(end)


async def _find(work: AdminWork, user_id: str, session_id: str) -> Session:
    session = await work.find_session(user_id, session_id)
    if session is None:
        raise SessionNotFound
    return session

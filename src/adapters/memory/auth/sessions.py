"""Registration, sign-in and refresh in one process, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from adapters.memory.auth.people import MemoryInvitationWork, MemoryLinkWork, MemoryPeopleWork
from application.auth.ports import AuthWork, HeldSession
from domain.auth.limits import LimitCandidate, LimitSource
from domain.auth.people import Role
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd


class MemoryAuthWork(MemoryPeopleWork, MemoryLinkWork, MemoryInvitationWork, AuthWork):
    """One unit of work of the auth area."""

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        user = self._users.get(user_id)
        if user is None or user.password_hash != old:
            return False
        self._users[user_id] = replace(user, password_hash=new)
        return True

    async def add_session(self, session: Session, first: RefreshToken) -> None:
        self._sessions[session.user_id, session.id] = session
        self._add_link(first)

    async def limits_of(self, user_id: str, role: Role) -> Sequence[LimitCandidate]:
        groups = {group for member, group in self._tables["session_group_members"] if member == user_id}
        subjects = {(LimitSource.USER, user_id), (LimitSource.ROLE, role.value)}
        subjects |= {(LimitSource.GROUP, group) for group in groups}
        return [
            LimitCandidate(source=source, subject_id=subject, limit=limit)
            for (source, subject), limit in self._tables["session_limits"].items()
            if (source, subject) in subjects
        ]

    async def live_sessions(self, user_id: str) -> Sequence[Session]:
        return [s for s in self._sessions.values() if s.user_id == user_id and s.is_live(self.now)]

    async def end_expired(self, user_id: str, within: timedelta) -> None:
        for session in [s for s in self._sessions.values() if s.user_id == user_id]:
            if self.now - within < min(session.idle_expires_at, session.absolute_expires_at) <= self.now:
                await self.end_session(user_id, session.id, SessionEnd.EXPIRED)

    async def find_session_key(self, token_hash: bytes) -> tuple[str, str] | None:
        return next(((t.user_id, t.session_id) for t in self._links.values() if t.token_hash == token_hash), None)

    async def hold_session_of(self, token_hash: bytes) -> HeldSession | None:
        key = await self.find_session_key(token_hash)
        if key is None:
            return None
        session, user = self._sessions[key], self._users[key[0]]
        return HeldSession(
            session=session,
            holder_may_use=user.is_alive and user.role is session.audience,
            live_sessions=len(await self.live_sessions(user.id)),
        )

    async def read_chain(self, session: Session, token_hash: bytes) -> tuple[RefreshToken, RefreshToken]:
        chain = [t for t in self._links.values() if (t.user_id, t.session_id) == (session.user_id, session.id)]
        presented = next(link for link in chain if link.token_hash == token_hash)
        return presented, max(chain, key=lambda link: link.generation)

    async def rotate(self, spent: RefreshToken, successor: RefreshToken, session: Session) -> None:
        before = self._links.get((spent.user_id, spent.session_id, spent.generation - 1))
        if before is not None:
            self._links[before.user_id, before.session_id, before.generation] = replace(before, successor_masked=None)
        self._links[spent.user_id, spent.session_id, spent.generation] = spent
        self._add_link(successor)
        self._sessions[session.user_id, session.id] = session

    async def renew_session(self, session: Session) -> None:
        self._sessions[session.user_id, session.id] = session

    async def note_seen(self, session: Session) -> None:
        kept = self._sessions.get((session.user_id, session.id))
        if kept is not None and kept.revoked_at is None and kept.last_seen_at == session.last_seen_at:
            self._sessions[session.user_id, session.id] = replace(kept, last_seen_at=self.now)

    def _add_link(self, link: RefreshToken) -> None:
        chain = [t for t in self._links.values() if (t.user_id, t.session_id) == (link.user_id, link.session_id)]
        if any(other.used_at is None for other in chain):
            raise AssertionError("a session has two unused refresh tokens")
        self._links[link.user_id, link.session_id, link.generation] = link

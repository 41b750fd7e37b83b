"""People and sessions in one process, for tests; the reader decides as the one on PostgreSQL does."""

from __future__ import annotations

from dataclasses import replace

from adapters.memory.store import MemoryStore, MemoryWork
from application.auth.ports import AuthReader, AuthWork, HeldSession
from application.auth.views import OwnProfile, OwnSession, PersonView
from application.ports import Clock
from domain.auth.people import EmailTaken, Role, User, UsernameTaken
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd, Standing


class MemoryAuthWork(MemoryWork, AuthWork):
    """One unit of work of the auth area."""

    async def add_user(self, user: User) -> None:
        living = [other for other in self._users.values() if other.deleted_at is None]
        if any(other.email.lower() == user.email.lower() for other in living):
            raise EmailTaken
        if user.username and any((other.username or "").lower() == user.username.lower() for other in living):
            raise UsernameTaken
        self._users[user.id] = user

    async def hold_user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        user = self._users.get(user_id)
        if user is None or user.password_hash != old:
            return False
        self._users[user_id] = replace(user, password_hash=new)
        return True

    async def add_session(self, session: Session, first: RefreshToken) -> None:
        self._sessions[session.user_id, session.id] = session
        self._add_link(first)

    async def find_session_key(self, token_hash: bytes) -> tuple[str, str] | None:
        return next(((t.user_id, t.session_id) for t in self._links.values() if t.token_hash == token_hash), None)

    async def hold_session_of(self, token_hash: bytes) -> HeldSession | None:
        key = await self.find_session_key(token_hash)
        if key is None:
            return None
        session, user = self._sessions[key], self._users[key[0]]
        return HeldSession(session=session, holder_may_use=user.is_alive and user.role is session.audience)

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

    async def end_session(
        self, user_id: str, session_id: str, reason: SessionEnd, audience: Role | None = None
    ) -> bool:
        session = self._sessions.get((user_id, session_id))
        if session is None or session.revoked_at is not None or audience not in (None, session.audience):
            return False
        self._sessions[user_id, session_id] = replace(session, revoked_at=self.now, revoke_reason=reason.value)
        return True

    async def end_sessions_of(self, user_id: str, reason: SessionEnd) -> int:
        live = [s for s in self._sessions.values() if s.user_id == user_id and s.is_live(self.now)]
        for session in live:
            await self.end_session(user_id, session.id, reason)
        return len(live)

    def _add_link(self, link: RefreshToken) -> None:
        chain = [t for t in self._links.values() if (t.user_id, t.session_id) == (link.user_id, link.session_id)]
        if any(other.used_at is None for other in chain):
            raise AssertionError("a session has two unused refresh tokens")
        self._links[link.user_id, link.session_id, link.generation] = link

    @property
    def _users(self) -> dict[str, User]:
        return self._tables["users"]

    @property
    def _sessions(self) -> dict[tuple[str, str], Session]:
        return self._tables["auth_sessions"]

    @property
    def _links(self) -> dict[tuple[str, str, int], RefreshToken]:
        return self._tables["auth_refresh_tokens"]


class MemoryAuthReader(AuthReader):
    """Reads what is committed."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find_user_by_email(self, email: str) -> User | None:
        users: dict[str, User] = self._store.tables["users"]
        return next((u for u in users.values() if u.email.lower() == email.lower() and u.deleted_at is None), None)

    async def was_ever_registered(self, email: str) -> bool:
        return any(user.email.lower() == email.lower() for user in self._store.tables["users"].values())

    async def read_standing(self, user_id: str, session_id: str) -> Standing | None:
        found = self._find(user_id, session_id)
        if found is None:
            return None
        user, session = found
        return Standing(
            now=self._clock.now(),
            audience=session.audience,
            role=user.role,
            status=user.status,
            deleted_at=user.deleted_at,
            idle_expires_at=session.idle_expires_at,
            absolute_expires_at=session.absolute_expires_at,
            revoked_at=session.revoked_at,
        )

    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None:
        found = self._find(user_id, session_id)
        if found is None:
            return None
        user, session = found
        expires_at = min(session.idle_expires_at, session.absolute_expires_at)
        own = OwnSession(id=session.id, created_at=session.created_at, expires_at=expires_at)
        return OwnProfile(person=PersonView.of(user), session=own)

    def _find(self, user_id: str, session_id: str) -> tuple[User, Session] | None:
        tables = self._store.tables
        session = tables["auth_sessions"].get((user_id, session_id))
        return None if session is None else (tables["users"][user_id], session)

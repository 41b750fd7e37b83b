"""Reads of the auth area in one process; they decide as the ones on PostgreSQL do."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from adapters.memory.store import MemoryStore
from application.auth.ports import AuthReader
from application.auth.views import CookieStanding, OwnProfile, OwnSession, PersonView
from application.ports import Clock
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import User
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Door, Session, Standing


class MemoryAuthReader(AuthReader):
    """Reads what is committed."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find_user_by_email(self, email: str) -> User | None:
        users: dict[str, User] = self._store.tables["users"]
        return next((u for u in users.values() if u.email.lower() == email.lower() and u.deleted_at is None), None)

    async def find_user_by_username(self, username: str) -> User | None:
        users: dict[str, User] = self._store.tables["users"]
        named = {user.username.lower(): user for user in users.values() if user.username and user.deleted_at is None}
        return named.get(username.lower())

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
            must_change_password=user.must_change_password,
        )

    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None:
        found = self._find(user_id, session_id)
        if found is None:
            return None
        user, session = found
        own = OwnSession(id=session.id, created_at=session.created_at, expires_at=session.ends_at)
        return OwnProfile(person=PersonView.of(user), session=own)

    async def find_cookie_session(self, token_hash: bytes) -> CookieStanding | None:
        tokens: list[RefreshToken] = list(self._store.tables["auth_refresh_tokens"].values())
        token = next((each for each in tokens if each.token_hash == token_hash), None)
        found = None if token is None else self._find(token.user_id, token.session_id)
        if found is None or found[1].door is not Door.COOKIE:
            return None
        user, session = found
        return CookieStanding(now=self._clock.now(), session=session, user=user)

    async def live_sessions_of(self, user_id: str) -> Sequence[Session]:
        sessions: list[Session] = list(self._store.tables["auth_sessions"].values())
        live = [s for s in sessions if s.user_id == user_id and s.is_live(self._clock.now())]
        return sorted(live, key=lambda session: (session.created_at, session.id), reverse=True)

    async def find_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        links: list[Link] = list(self._store.tables["one_time_links"].values())
        return next((k for k in links if k.token_hash == token_hash and k.purpose in purposes), None)

    async def find_user(self, user_id: str) -> User | None:
        user: User | None = self._store.tables["users"].get(user_id)
        return user

    def _find(self, user_id: str, session_id: str) -> tuple[User, Session] | None:
        tables = self._store.tables
        session = tables["auth_sessions"].get((user_id, session_id))
        return None if session is None else (tables["users"][user_id], session)

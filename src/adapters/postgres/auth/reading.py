"""Reads of the auth area on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity
from adapters.postgres.statements import load
from application.auth.ports import AuthReader
from application.auth.views import CookieStanding, OwnProfile, OwnSession, PersonView
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import User
from domain.auth.sessions import Session, Standing

SQL = load("auth")


class PostgresAuthReader(AuthReader):
    """Reads of the auth area, each one statement that commits by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_user_by_email(self, email: str) -> User | None:
        row = await self._database.fetch_one(SQL["find_user_by_email"], {"email": email})
        return None if row is None else entity(row, User)

    async def find_user_by_username(self, username: str) -> User | None:
        row = await self._database.fetch_one(SQL["find_user_by_username"], {"username": username})
        return None if row is None else entity(row, User)

    async def was_ever_registered(self, email: str) -> bool:
        row = await self._database.fetch_one(SQL["was_ever_registered"], {"email": email})
        return row is not None and bool(row["found"])

    async def read_standing(self, user_id: str, session_id: str) -> Standing | None:
        row = await self._database.read_one(SQL["read_standing"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, Standing)

    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None:
        row = await self._database.read_one(SQL["read_profile"], {"user_id": user_id, "session_id": session_id})
        if row is None:
            return None
        session = OwnSession(
            id=row["session_id"], created_at=row["session_created_at"], expires_at=row["session_expires_at"]
        )
        return OwnProfile(person=entity(row, PersonView), session=session)

    async def find_cookie_session(self, token_hash: bytes) -> CookieStanding | None:
        row = await self._database.read_one(SQL["find_cookie_session"], {"token_hash": token_hash})
        if row is None:
            return None
        person = {name.removeprefix("user_"): value for name, value in row.items() if name.startswith("user_")}
        user = entity({**person, "id": row["user_id"]}, User)
        return CookieStanding(now=row["now"], session=entity(row, Session), user=user)

    async def live_sessions_of(self, user_id: str) -> Sequence[Session]:
        return entities(await self._database.fetch_all(SQL["live_sessions_of"], {"user_id": user_id}), Session)

    async def find_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        wanted = {"token_hash": token_hash, "purposes": sorted(purposes)}
        row = await self._database.fetch_one(SQL["find_link"], wanted)
        return None if row is None else entity(row, Link)

    async def find_user(self, user_id: str) -> User | None:
        row = await self._database.read_one(SQL["find_user"], {"user_id": user_id})
        return None if row is None else entity(row, User)

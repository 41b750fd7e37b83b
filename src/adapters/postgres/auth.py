"""People and sessions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.auth.ports import AuthReader, AuthWork, HeldSession
from application.auth.views import OwnProfile, OwnSession, PersonView
from domain.auth.people import EmailTaken, Role, User, UsernameTaken
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd, Standing
from domain.errors import DomainError

SQL = load("auth")


class PostgresAuthWork(PostgresWork, AuthWork):
    """One transaction of the auth area."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "users_email_unique": EmailTaken,
        "users_username_unique": UsernameTaken,
    }

    async def add_user(self, user: User) -> None:
        await self._run(SQL["add_user"], record(user))

    async def hold_user(self, user_id: str) -> User | None:
        row = await self._one(SQL["hold_user"], {"user_id": user_id})
        return None if row is None else entity(row, User)

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        return await self._run(SQL["replace_password_hash"], {"user_id": user_id, "old": old, "new": new}) == 1

    async def add_session(self, session: Session, first: RefreshToken) -> None:
        await self._run(SQL["add_session"], record(first) | record(session))

    async def find_session_key(self, token_hash: bytes) -> tuple[str, str] | None:
        row = await self._one(SQL["find_session_key"], {"token_hash": token_hash})
        return None if row is None else (row["user_id"], row["session_id"])

    async def hold_session_of(self, token_hash: bytes) -> HeldSession | None:
        row = await self._one(SQL["hold_session_of"], {"token_hash": token_hash})
        if row is None:
            return None
        return HeldSession(session=entity(row, Session), holder_may_use=row["holder_may_use"])

    async def read_chain(self, session: Session, token_hash: bytes) -> tuple[RefreshToken, RefreshToken]:
        rows = await self._all(
            SQL["read_chain"],
            {"user_id": session.user_id, "session_id": session.id, "token_hash": token_hash},
        )
        return entity(rows[0], RefreshToken), entity(rows[-1], RefreshToken)

    async def rotate(self, spent: RefreshToken, successor: RefreshToken, session: Session) -> None:
        await self._run(
            SQL["rotate"],
            record(spent)
            | {
                "successor_hash": successor.token_hash,
                "last_seen_at": session.last_seen_at,
                "idle_expires_at": session.idle_expires_at,
            },
        )

    async def end_session(
        self, user_id: str, session_id: str, reason: SessionEnd, audience: Role | None = None
    ) -> bool:
        ended = await self._run(
            SQL["end_session"],
            {
                "user_id": user_id,
                "session_id": session_id,
                "now": self.now,
                "reason": reason.value,
                "audience": None if audience is None else audience.value,
            },
        )
        return ended == 1

    async def end_sessions_of(self, user_id: str, reason: SessionEnd) -> int:
        return await self._run(SQL["end_sessions_of"], {"user_id": user_id, "now": self.now, "reason": reason.value})


class PostgresAuthReader(AuthReader):
    """Reads of the auth area, each one statement that commits by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_user_by_email(self, email: str) -> User | None:
        row = await self._database.fetch_one(SQL["find_user_by_email"], {"email": email})
        return None if row is None else entity(row, User)

    async def was_ever_registered(self, email: str) -> bool:
        row = await self._database.fetch_one(SQL["was_ever_registered"], {"email": email})
        return row is not None and bool(row["found"])

    async def read_standing(self, user_id: str, session_id: str) -> Standing | None:
        row = await self._database.fetch_one(SQL["read_standing"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, Standing)

    async def read_profile(self, user_id: str, session_id: str) -> OwnProfile | None:
        row = await self._database.fetch_one(SQL["read_profile"], {"user_id": user_id, "session_id": session_id})
        if row is None:
            return None
        session = OwnSession(
            id=row["session_id"], created_at=row["session_created_at"], expires_at=row["session_expires_at"]
        )
        return OwnProfile(person=entity(row, PersonView), session=session)

"""What people change about their own account, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection

from adapters.postgres.auth.links import PostgresLinkWork
from adapters.postgres.auth.people import PostgresPeopleWork
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.auth.ports import AccountWork
from domain.auth.people import User
from domain.auth.sessions import Session

SQL = load("auth")


class PostgresAccountWork(PostgresPeopleWork, PostgresLinkWork, AccountWork):
    """One transaction about one account."""

    async def find_session(self, user_id: str, session_id: str) -> Session | None:
        row = await self._one(SQL["find_session"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, Session)

    async def find_user_by_email(self, email: str) -> User | None:
        row = await self._one(SQL["find_user_by_email"], {"email": email})
        return None if row is None else entity(row, User)

    async def clear_attempts(self, keys: Collection[str]) -> bool:
        cleared = await self._all(SQL["clear_attempts"], {"keys": sorted(keys)})
        return any(row["failures"] for row in cleared)

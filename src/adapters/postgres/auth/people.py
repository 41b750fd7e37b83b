"""People and the end of their sessions, for every unit of work that changes a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.auth.ports import PeopleWork
from domain.auth.people import EmailTaken, Role, User, UsernameTaken
from domain.auth.sessions import SessionEnd
from domain.errors import DomainError

SQL = load("auth")


class PostgresPeopleWork(PostgresWork, PeopleWork):
    """Written through the unique indexes, which decide who came first."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "users_email_unique": EmailTaken,
        "users_username_unique": UsernameTaken,
    }

    async def add_user(self, user: User) -> None:
        await self._run(SQL["add_user"], record(user))

    async def hold_user(self, user_id: str) -> User | None:
        row = await self._one(SQL["hold_user"], {"user_id": user_id})
        return None if row is None else entity(row, User)

    async def save_user(self, user: User) -> None:
        await self._run(SQL["save_user"], record(user))

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

    async def end_sessions(self, user_id: str, session_ids: Collection[str], reason: SessionEnd) -> int:
        return await self._run(
            SQL["end_sessions"],
            {"user_id": user_id, "session_ids": sorted(session_ids), "now": self.now, "reason": reason.value},
        )

    async def end_sessions_of(self, user_id: str, reason: SessionEnd, *, but: str | None = None) -> int:
        return await self._run(
            SQL["end_sessions_of"], {"user_id": user_id, "now": self.now, "reason": reason.value, "but": but}
        )

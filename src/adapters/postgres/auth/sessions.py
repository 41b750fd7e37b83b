"""Registration, sign-in and refresh on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from adapters.postgres.auth.invitations import PostgresInvitationWork
from adapters.postgres.auth.links import PostgresLinkWork
from adapters.postgres.auth.people import PostgresPeopleWork
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.auth.ports import AuthWork, HeldSession
from domain.auth.limits import Limit, LimitCandidate, LimitSource
from domain.auth.people import Role
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd

SQL = load("auth")


class PostgresAuthWork(PostgresPeopleWork, PostgresLinkWork, PostgresInvitationWork, AuthWork):
    """One transaction of the auth area."""

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> bool:
        return await self._run(SQL["replace_password_hash"], {"user_id": user_id, "old": old, "new": new}) == 1

    async def add_session(self, session: Session, first: RefreshToken) -> None:
        await self._run(SQL["add_session"], record(first) | record(session))

    async def limits_of(self, user_id: str, role: Role) -> Sequence[LimitCandidate]:
        rows = await self._all(SQL["limits_of"], {"user_id": user_id, "role": role.value})
        return [
            LimitCandidate(source=LimitSource(row["scope"]), subject_id=row["subject_id"], limit=entity(row, Limit))
            for row in rows
        ]

    async def live_sessions(self, user_id: str) -> Sequence[Session]:
        return entities(await self._all(SQL["live_sessions"], {"user_id": user_id, "now": self.now}), Session)

    async def end_expired(self, user_id: str, within: timedelta) -> None:
        await self._run(
            SQL["end_expired"],
            {"user_id": user_id, "now": self.now, "since": self.now - within, "reason": SessionEnd.EXPIRED.value},
        )

    async def find_session_key(self, token_hash: bytes) -> tuple[str, str] | None:
        row = await self._one(SQL["find_session_key"], {"token_hash": token_hash})
        return None if row is None else (row["user_id"], row["session_id"])

    async def hold_session_of(self, token_hash: bytes) -> HeldSession | None:
        row = await self._one(SQL["hold_session_of"], {"token_hash": token_hash, "now": self.now})
        if row is None:
            return None
        return HeldSession(
            session=entity(row, Session), holder_may_use=row["holder_may_use"], live_sessions=row["live_sessions"]
        )

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

    async def renew_session(self, session: Session) -> None:
        await self._run(SQL["renew_session"], record(session))

    async def note_seen(self, session: Session) -> None:
        key = {"user_id": session.user_id, "session_id": session.id, "last_seen_at": session.last_seen_at}
        await self._run(SQL["note_seen"], {**key, "now": self.now})

"""What administrators do with people, sessions and invitations, on PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from adapters.postgres.auth import PostgresAccountWork, PostgresInvitationWork
from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from application.admin.ports import AdminWork
from domain.auth.invitations import Invitation
from domain.auth.sessions import SessionEnd

SQL = load("admin")


class PostgresAdminWork(PostgresAccountWork, PostgresInvitationWork, AdminWork):
    """One act of an administrator."""

    async def hold_admins(self) -> frozenset[str]:
        return frozenset(row["id"] for row in await self._all(SQL["hold_admins"]))

    async def last_seen(self, user_id: str) -> datetime | None:
        row = await self._one(SQL["last_seen"], {"user_id": user_id})
        return None if row is None else row["at"]

    async def end_every_session(self, reason: SessionEnd, *, but: str) -> int:
        return await self._run(SQL["end_every_session"], {"now": self.now, "reason": reason.value, "but": but})

    async def add_invitation(self, invitation: Invitation) -> bool:
        return await self._run(SQL["add_invitation"], record(invitation)) == 1

    async def hold_pending_invitation(self, email: str) -> Invitation | None:
        row = await self._one(SQL["hold_pending_invitation"], {"email": email})
        return None if row is None else entity(row, Invitation)

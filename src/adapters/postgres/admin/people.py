"""What administrators do with people, sessions and invitations, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.postgres.auth import PostgresAccountWork, PostgresInvitationWork
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.admin.ports import AdminWork, EndedBatch
from domain.admin import governs
from domain.auth.invitations import Invitation
from domain.auth.people import NO_PASSWORD, User
from domain.auth.sessions import SessionEnd

SQL = load("admin")


class PostgresAdminWork(PostgresAccountWork, PostgresInvitationWork, AdminWork):
    """One act of an administrator."""

    async def hold_with_admins(self, user_id: str) -> tuple[User | None, frozenset[str]]:
        rows = await self._all(SQL["hold_with_admins"], {"user_id": user_id, "no_password": NO_PASSWORD})
        held = {user.id: user for user in entities(rows, User)}
        return held.get(user_id), frozenset(user.id for user in held.values() if governs(user))

    async def last_seen(self, user_id: str) -> datetime | None:
        row = await self._one(SQL["last_seen"], {"user_id": user_id})
        return None if row is None else row["at"]

    async def end_everybodys(
        self, opened_until: datetime, reason: SessionEnd, *, but: str, after: tuple[str, str], limit: int
    ) -> EndedBatch:
        wanted = {"opened_until": opened_until, "but": but, "after_user": after[0], "after_session": after[1]}
        told = {"now": self.now, "reason": reason.value, "limit": limit}
        row = await self._one(SQL["end_everybodys"], {**wanted, **told})
        return EndedBatch() if row is None else EndedBatch(revoked=row["revoked"], last=(row["user_id"], row["id"]))

    async def add_invitation(self, invitation: Invitation) -> bool:
        return await self._run(SQL["add_invitation"], record(invitation)) == 1

    async def hold_pending_invitation(self, email: str) -> Invitation | None:
        row = await self._one(SQL["hold_pending_invitation"], {"email": email})
        return None if row is None else entity(row, Invitation)

    async def hold_open_invitations(self, invited_by: str) -> Sequence[Invitation]:
        rows = await self._all(SQL["hold_open_invitations"], {"invited_by": invited_by, "now": self.now})
        return entities(rows, Invitation)

"""Invitations on PostgreSQL."""

from __future__ import annotations

from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.auth.ports import InvitationWork
from domain.auth.invitations import Invitation

SQL = load("auth")


class PostgresInvitationWork(PostgresWork, InvitationWork):
    """Held by its row."""

    async def hold_invitation(self, invitation_id: str) -> Invitation | None:
        row = await self._one(SQL["hold_invitation"], {"id": invitation_id})
        return None if row is None else entity(row, Invitation)

    async def save_invitation(self, invitation: Invitation) -> None:
        await self._run(SQL["save_invitation"], record(invitation))

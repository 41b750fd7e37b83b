"""What administrators do with people, sessions and invitations, in one process."""

from __future__ import annotations

from datetime import datetime

from adapters.memory.auth import MemoryAccountWork, MemoryInvitationWork
from application.admin.ports import AdminWork
from domain.auth.invitations import Invitation
from domain.auth.people import Role
from domain.auth.sessions import SessionEnd


class MemoryAdminWork(MemoryAccountWork, MemoryInvitationWork, AdminWork):
    """One act of an administrator. Units of work take turns, so everybody is always held."""

    async def hold_admins(self) -> frozenset[str]:
        return frozenset(user.id for user in self._users.values() if user.role is Role.ADMIN and user.is_alive)

    async def last_seen(self, user_id: str) -> datetime | None:
        mine = [session.last_seen_at for session in self._sessions.values() if session.user_id == user_id]
        return max(mine, default=None)

    async def end_every_session(self, reason: SessionEnd, *, but: str) -> int:
        others = {session.user_id for session in self._sessions.values()}
        return sum([await self.end_sessions_of(user_id, reason, but=but) for user_id in others])

    async def add_invitation(self, invitation: Invitation) -> bool:
        if await self.hold_pending_invitation(invitation.email) is not None:
            return False
        self._invitations[invitation.id] = invitation
        return True

    async def hold_pending_invitation(self, email: str) -> Invitation | None:
        mine = [each for each in self._invitations.values() if each.email.lower() == email.lower()]
        return next((each for each in mine if each.accepted_at is None and each.revoked_at is None), None)

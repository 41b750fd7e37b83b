"""What administrators do with people, sessions and invitations, in one process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.auth import MemoryAccountWork, MemoryInvitationWork
from application.admin.ports import AdminWork, EndedBatch
from domain.admin import governs
from domain.auth.invitations import Invitation
from domain.auth.people import User
from domain.auth.sessions import SessionEnd


class MemoryAdminWork(MemoryAccountWork, MemoryInvitationWork, AdminWork):
    """One act of an administrator. Units of work take turns, so everybody is always held."""

    async def hold_with_admins(self, user_id: str) -> tuple[User | None, frozenset[str]]:
        return self._users.get(user_id), frozenset(user.id for user in self._users.values() if governs(user))

    async def last_seen(self, user_id: str) -> datetime | None:
        mine = [session.last_seen_at for session in self._sessions.values() if session.user_id == user_id]
        return max(mine, default=None)

    async def end_everybodys(
        self, opened_until: datetime, reason: SessionEnd, *, but: str, after: tuple[str, str], limit: int
    ) -> EndedBatch:
        live = [s for s in self._sessions.values() if s.is_live(self.now) and s.created_at <= opened_until]
        found = sorted((s.user_id, s.id) for s in live if s.id != but and (s.user_id, s.id) > after)[:limit]
        for user_id, session_id in found:
            await self.end_session(user_id, session_id, reason)
        return EndedBatch(revoked=len(found), last=found[-1]) if found else EndedBatch()

    async def add_invitation(self, invitation: Invitation) -> bool:
        if await self.hold_pending_invitation(invitation.email) is not None:
            return False
        self._invitations[invitation.id] = invitation
        return True

    async def hold_open_invitations(self, invited_by: str) -> Sequence[Invitation]:
        sent = [each for each in self._invitations.values() if each.invited_by == invited_by]
        return sorted((each for each in sent if each.is_open(self.now)), key=lambda each: each.id)

    async def hold_pending_invitation(self, email: str) -> Invitation | None:
        mine = [each for each in self._invitations.values() if each.email.lower() == email.lower()]
        return next((each for each in mine if each.accepted_at is None and each.revoked_at is None), None)

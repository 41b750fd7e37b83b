"""People, links and invitations in one process, as every unit of work speaks of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from adapters.memory.store import MemoryWork
from application.auth.ports import InvitationWork, LinkWork, PeopleWork
from domain.auth.invitations import Invitation
from domain.auth.links import Link, LinkPurpose
from domain.auth.people import EmailTaken, Role, User, UsernameTaken
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Session, SessionEnd


class MemoryPeopleWork(MemoryWork, PeopleWork):
    """People and the end of their sessions."""

    async def add_user(self, user: User) -> None:
        self._refuse_taken(user)
        self._users[user.id] = user

    async def hold_user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    async def save_user(self, user: User) -> None:
        self._refuse_taken(user)
        self._users[user.id] = user

    async def end_session(
        self, user_id: str, session_id: str, reason: SessionEnd, audience: Role | None = None
    ) -> bool:
        session = self._sessions.get((user_id, session_id))
        if session is None or session.revoked_at is not None or audience not in (None, session.audience):
            return False
        self._sessions[user_id, session_id] = replace(session, revoked_at=self.now, revoke_reason=reason.value)
        return True

    async def end_sessions(self, user_id: str, session_ids: Collection[str], reason: SessionEnd) -> int:
        mine = [self._sessions.get((user_id, session_id)) for session_id in session_ids]
        live = [session for session in mine if session is not None and session.is_live(self.now)]
        for session in live:
            await self.end_session(user_id, session.id, reason)
        return len(live)

    async def end_sessions_of(self, user_id: str, reason: SessionEnd, *, but: str | None = None) -> int:
        mine = [s.id for s in self._sessions.values() if s.user_id == user_id and s.id != but]
        return await self.end_sessions(user_id, mine, reason)

    def _refuse_taken(self, user: User) -> None:
        if user.deleted_at is not None:
            return
        others = [other for other in self._users.values() if other.deleted_at is None and other.id != user.id]
        if any(other.email.lower() == user.email.lower() for other in others):
            raise EmailTaken
        if user.username and any((other.username or "").lower() == user.username.lower() for other in others):
            raise UsernameTaken

    @property
    def _users(self) -> dict[str, User]:
        return self._tables["users"]

    @property
    def _sessions(self) -> dict[tuple[str, str], Session]:
        return self._tables["auth_sessions"]

    @property
    def _links(self) -> dict[tuple[str, str, int], RefreshToken]:
        return self._tables["auth_refresh_tokens"]


class MemoryLinkWork(MemoryWork, LinkWork):
    """One-time links, by owner and purpose."""

    async def put_link(self, link: Link) -> None:
        self._one_time_links[link.owner_id, link.purpose] = link

    async def renew_link(self, link: Link) -> bool:
        present = self._one_time_links.get((link.owner_id, link.purpose))
        if present is None or present.email != link.email:
            return False
        await self.put_link(link)
        return True

    async def take_link(self, token_hash: bytes, purposes: Collection[LinkPurpose]) -> Link | None:
        for key, link in self._one_time_links.items():
            if link.token_hash == token_hash and link.purpose in purposes:
                return self._one_time_links.pop(key)
        return None

    async def drop_links(self, owner_id: str, purposes: Collection[LinkPurpose]) -> None:
        for purpose in purposes:
            self._one_time_links.pop((owner_id, purpose), None)

    @property
    def _one_time_links(self) -> dict[tuple[str, LinkPurpose], Link]:
        return self._tables["one_time_links"]


class MemoryInvitationWork(MemoryWork, InvitationWork):
    """Invitations, by id."""

    async def hold_invitation(self, invitation_id: str) -> Invitation | None:
        return self._invitations.get(invitation_id)

    async def save_invitation(self, invitation: Invitation) -> None:
        self._invitations[invitation.id] = invitation

    @property
    def _invitations(self) -> dict[str, Invitation]:
        return self._tables["invitations"]

"""Invitations: how instructors and admins come to be, as students register openly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.auth.people import Role
from domain.errors import DomainError, Kind


class InvitationNotFound(DomainError):
    """There is no such invitation, or it is not open any more."""

    code = "invitation.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such open invitation"


class InvitationState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An address that may register as staff, once, until it expires. A newer one to the same address replaces it."""

    id: str
    email: str
    role: Role
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> InvitationState:
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.OPEN if now < self.expires_at else InvitationState.EXPIRED

    def is_open(self, now: datetime) -> bool:
        return self.state(now) is InvitationState.OPEN

    def admits(self, email: str, role: Role, now: datetime) -> bool:
        """Whether this address may register at the portal of this role with it."""
        return self.is_open(now) and self.role is role and self.email == email

    def accepted(self, user_id: str, now: datetime) -> Invitation:
        return replace(self, accepted_at=now, accepted_by=user_id)

    def revoked(self, now: datetime) -> Invitation:
        return replace(self, revoked_at=now)

"""What administrators see: people, sessions, invitations and the audit log. Nothing that would let anybody in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.auth.invitations import Invitation, InvitationState
from domain.auth.people import Role, User, UserStatus
from domain.auth.sessions import Door, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A person, alive or not, and when one of the person's sessions was last used."""

    id: str
    email: str
    email_verified_at: datetime | None
    username: str | None
    name: str
    role: Role
    status: UserStatus
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    last_seen_at: datetime | None

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @classmethod
    def of(cls, user: User, last_seen_at: datetime | None) -> UserView:
        return cls(
            id=user.id,
            email=user.email,
            email_verified_at=user.email_verified_at,
            username=user.username,
            name=user.name,
            role=user.role,
            status=user.status,
            must_change_password=user.must_change_password,
            created_at=user.created_at,
            updated_at=user.updated_at,
            deleted_at=user.deleted_at,
            last_seen_at=last_seen_at,
        )


class SessionState(StrEnum):
    """Whether a session can be used, and if not, why."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session as it is at one instant; it ends, or has ended, at `expires_at` if nothing ends it before."""

    id: str
    user_id: str
    state: SessionState
    door: Door
    audience: Role
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoke_reason: str | None

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionView:
        unrevoked = SessionState.LIVE if session.is_live(now) else SessionState.EXPIRED
        return cls(
            id=session.id,
            user_id=session.user_id,
            state=unrevoked if session.revoked_at is None else SessionState.REVOKED,
            door=session.door,
            audience=session.audience,
            ip=session.ip,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.ends_at,
            revoked_at=session.revoked_at,
            revoke_reason=session.revoke_reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationView:
    """An invitation and what has become of it at one instant."""

    id: str
    email: str
    role: Role
    state: InvitationState
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: str | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, invitation: Invitation, now: datetime) -> InvitationView:
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            state=invitation.state(now),
            invited_by=invitation.invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            accepted_at=invitation.accepted_at,
            accepted_by=invitation.accepted_by,
            revoked_at=invitation.revoked_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One row of the audit log."""

    id: str
    at: datetime
    actor_id: str | None
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None
    request_id: str | None
    ip: str | None

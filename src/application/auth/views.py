"""What readers of the auth area return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.auth.people import Role, User
from domain.auth.sessions import Door, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A person as the person itself may see it: nothing about passwords."""

    id: str
    email: str
    username: str | None
    name: str
    image: str | None
    role: Role
    email_verified: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> PersonView:
        return cls(
            id=user.id,
            email=user.email,
            username=user.username,
            name=user.name,
            image=user.image,
            role=user.role,
            email_verified=user.email_verified_at is not None,
            must_change_password=user.must_change_password,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """The session one is using; it ends at `expires_at` unless it is refreshed before."""

    id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProfile:
    """Who one is and through which session."""

    person: PersonView
    session: OwnSession


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """One of one's sessions, with what tells a person which device it is. `current` is the one that asks."""

    id: str
    current: bool
    door: Door
    audience: Role
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    updated_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: Session, *, current: bool) -> LiveSession:
        return cls(
            id=session.id,
            current=current,
            door=session.door,
            audience=session.audience,
            ip=session.ip,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            updated_at=session.updated_at,
            expires_at=session.ends_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieStanding:
    """A session of the cookie door and its person at the instant `now`, which is the store's own."""

    now: datetime
    session: Session
    user: User

    @property
    def opens(self) -> bool:
        """As `Standing.opens` has it: a dead session, a dead person and a changed role open nothing, at once."""
        return self.session.is_live(self.now) and self.user.is_alive and self.user.role is self.session.audience

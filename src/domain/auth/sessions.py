"""Sessions: how long they live, what ends them, and what is refused without one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.auth.people import Role, UserStatus
from domain.errors import DomainError, Kind

# So much is kept and told of what a client calls itself.
MAX_USER_AGENT_LENGTH = 400


class Door(StrEnum):
    """The way in: a portal with tokens, or the cookie door for clients of another protocol."""

    PORTAL = "portal"
    COOKIE = "cookie"


class SessionEnd(StrEnum):
    """Why a session was ended before its time."""

    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    REPLACED = "replaced"
    REFRESH_REUSED = "refresh_reused"
    EVICTED = "evicted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ADMIN_REVOKED = "admin_revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason
    ROLE_CHANGED = "role_changed"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLife:
    """Idle time slides with every refresh; the absolute end is set at sign-in and never moves."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device, good for one portal (`audience`)."""

    id: str
    user_id: str
    door: Door = Door.PORTAL
    audience: Role
    ip: str = ""
    user_agent: str = ""
    remember: bool = False
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    renewed_at: datetime | None = None
    idle_expires_at: datetime
    absolute_expires_at: datetime
    sits_exam_until: datetime | None = None
    revoked_at: datetime | None = None
    revoke_reason: str | None = None

    @property
    def ends_at(self) -> datetime:
        """When it ends of itself: at the first of its two ends."""
        return min(self.idle_expires_at, self.absolute_expires_at)

    @property
    def updated_at(self) -> datetime:
        """When it was last prolonged, or opened. A portal prolongs a session whenever it sees it."""
        return self.renewed_at or self.last_seen_at

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor past one of its two ends."""
        return self.revoked_at is None and now < self.ends_at

    def prolonged(self, now: datetime, life: SessionLife) -> Session:
        """Seen now: the idle end moves on, the absolute end stays and is never passed."""
        return replace(self, last_seen_at=now, idle_expires_at=min(now + life.idle, self.absolute_expires_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the store says about a session and its person at the instant `now`, which is the store's own."""

    now: datetime
    audience: Role
    role: Role
    status: UserStatus
    deleted_at: datetime | None
    idle_expires_at: datetime
    absolute_expires_at: datetime
    revoked_at: datetime | None
    must_change_password: bool = False

    @property
    def ends_at(self) -> datetime:
        """When it ends of itself: at the first of its two ends."""
        return min(self.idle_expires_at, self.absolute_expires_at)

    @property
    def opens(self) -> bool:
        """A revoked or expired session, a dead person and a changed role open nothing, at once."""
        in_time = self.revoked_at is None and self.now < self.ends_at
        alive = self.status is UserStatus.ACTIVE and self.deleted_at is None
        return in_time and alive and self.role is self.audience


class InvalidCredentials(DomainError):
    """One answer for a wrong password, an unknown address, and a locked, disabled or deleted account."""

    code = "auth.invalid_credentials"
    kind = Kind.UNAUTHENTICATED
    title = "E-mail address or password is wrong"


class WrongPortal(DomainError):
    """Each role signs in at its own portal; told only to who proved to be that person."""

    code = "auth.wrong_portal"
    kind = Kind.FORBIDDEN
    title = "This account belongs to another portal"


class ReauthenticationRequired(DomainError):
    """What could lock the owner out is done only by somebody who has signed in lately."""

    code = "auth.reauthentication_required"
    kind = Kind.FORBIDDEN
    title = "Sign in again first, the last time is too long ago"


class SessionNotFresh(ReauthenticationRequired):
    """The cookie door counts from the sign-in, in days; what it guards is the same."""

    code = "auth.session_not_fresh"


class EmailNotVerified(DomainError):
    """Where only verified addresses may sign in, this is told to who proved to be that person."""

    code = "auth.email_not_verified"
    kind = Kind.FORBIDDEN
    title = "Verify the e-mail address first"


class PasswordChangeRequired(DomainError):
    """A password that somebody else has chosen opens nothing but the change of that password."""

    code = "auth.password_change_required"
    kind = Kind.FORBIDDEN
    title = "Change the password first"


class CurrentPasswordWrong(DomainError):
    """Whoever changes a password or an address proves to know the present password."""

    code = "auth.current_password_wrong"
    kind = Kind.FORBIDDEN
    title = "The current password is wrong"


class SessionNotFound(DomainError):
    """The person has no such session, or it has ended."""

    code = "auth.session_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such session"


class TokenMissing(DomainError):
    """The route needs a session and the request shows none."""

    code = "auth.token_missing"
    kind = Kind.UNAUTHENTICATED
    title = "Sign in first"


class TokenInvalid(DomainError):
    """The token is not one of ours, or was changed on the way."""

    code = "auth.token_invalid"
    kind = Kind.UNAUTHENTICATED
    title = "The token is not valid"


class TokenExpired(DomainError):
    """Access tokens live for minutes; the refresh token brings the next one."""

    code = "auth.token_expired"
    kind = Kind.UNAUTHENTICATED
    title = "The access token has expired"


class SessionEnded(DomainError):
    """The session was revoked or ran out, or its person may no longer use it."""

    code = "auth.session_ended"
    kind = Kind.UNAUTHENTICATED
    title = "The session has ended, sign in again"


class RefreshInvalid(DomainError):
    """No session of this portal ever gave out this refresh token."""

    code = "auth.refresh_invalid"
    kind = Kind.UNAUTHENTICATED
    title = "The refresh token is not valid"


class RefreshReused(DomainError):
    """A refresh token was used twice by two holders: the session is ended for both."""

    code = "auth.refresh_reused"
    kind = Kind.UNAUTHENTICATED
    title = "The refresh token was used before, the session has ended"


class Forbidden(DomainError):
    """The caller is known, and this is not for the caller's role."""

    code = "auth.forbidden"
    kind = Kind.FORBIDDEN
    title = "Your role does not allow this"


class Busy(DomainError):
    """Passwords are checked one after the other, and too many are waiting; exams must not wait for them."""

    code = "auth.busy"
    kind = Kind.UNAVAILABLE
    title = "Too many sign-ins at once, try again"

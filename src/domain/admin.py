"""Administration: what administrators change about people, and what they may not do to themselves and to each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from domain.auth.people import NO_PASSWORD, Role, User, UserStatus, normalise_email, normalise_name, normalise_username
from domain.auth.sessions import SessionEnd
from domain.errors import DomainError, InvalidInput, Kind

MAX_REASON_LENGTH = 500


class LastAdmin(DomainError):
    """Somebody must be able to let others in: the last admin is not demoted, disabled or deleted."""

    code = "admin.last_admin"
    kind = Kind.CONFLICT
    title = "This is the last administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to be changed about somebody. None leaves it as it is; an empty name or username takes it away."""

    email: str | None = None
    username: str | None = None
    name: str | None = None
    role: Role | None = None
    status: UserStatus | None = None

    def __post_init__(self) -> None:
        if all(value is None for value in (self.email, self.username, self.name, self.role, self.status)):
            raise InvalidInput("Nothing is to be changed: name one of email, username, name, role and status")

    @property
    def may_unseat(self) -> bool:
        """Whether an admin may cease to be one by it."""
        return self.role not in (None, Role.ADMIN) or self.status is UserStatus.DISABLED

    def applied_to(self, user: User, now: datetime) -> User:
        """The person as changed; the very same where nothing differs. A new address is not verified."""
        email = user.email if self.email is None else normalise_email(self.email)
        changed = replace(
            user,
            email=email,
            email_verified_at=user.email_verified_at if email == user.email else None,
            username=user.username if self.username is None else normalise_username(self.username),
            name=user.name if self.name is None else normalise_name(self.name),
            role=self.role or user.role,
            status=self.status or user.status,
        )
        return user if changed == user else replace(changed, updated_at=now)


def governs(user: User) -> bool:
    """Whether this is an admin who can sign in; one who has not chosen a password yet cannot."""
    return user.role is Role.ADMIN and user.is_alive and user.password_hash != NO_PASSWORD


def keep_an_admin(before: User, after: User, governing: Collection[str]) -> None:
    """Refuses a change that would leave nobody who governs. `governing` are the ids of all who do now, held."""
    if before.id in governing and not governs(after) and len(governing) == 1:
        raise LastAdmin


def is_dismissed(before: User, after: User) -> bool:
    """Whether an admin is none any more: what they have handed out is not honoured."""
    return before.role is Role.ADMIN and not (after.role is Role.ADMIN and after.is_alive)


def end_of_sessions(before: User, after: User) -> SessionEnd | None:
    """Why the change ends every session of the person, if it does: what a session was opened for holds no more."""
    if after.deleted_at is not None:
        return SessionEnd.DELETED
    if after.status is UserStatus.DISABLED and before.status is not UserStatus.DISABLED:
        return SessionEnd.DISABLED
    return SessionEnd.ROLE_CHANGED if after.role is not before.role else None

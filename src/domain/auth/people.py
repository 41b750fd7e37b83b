"""People: who they are, what they may be, and the rules of their e-mail address, username and name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 200
MAX_IMAGE_LENGTH = 2000
# No character that can be typed is spelt by more code points than these.
_LONGEST_SPELLING = 4

# The hash of an account that has no password yet: no text matches it.
NO_PASSWORD = "!"  # noqa: S105 - of nobody

# What the audit log tells of something, by name.
Facts = Mapping[str, object]

# The address as RFC 5321 writes it in ASCII: a dot-atom of at most 64 characters, and a domain of at least two labels.
# An internationalised domain is written in its xn-- form: guessing that form could end at somebody else's domain.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{1,62}[A-Za-z0-9])")


class Role(StrEnum):
    """What a person is on the platform. Each role has its own portal, and a token is good for one portal only."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"

    @property
    def is_staff(self) -> bool:
        return self is not Role.STUDENT


class UserStatus(StrEnum):
    """Whether a person may sign in at all."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account. A deleted one keeps the row and frees the address."""

    id: str
    email: str
    username: str | None = None
    name: str = ""
    image: str | None = None
    role: Role
    status: UserStatus = UserStatus.ACTIVE
    email_verified_at: datetime | None = None
    password_hash: str = field(repr=False)
    must_change_password: bool = False
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def is_alive(self) -> bool:
        """Whether this person may sign in and use a session."""
        return self.status is UserStatus.ACTIVE and self.deleted_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a person, in the role the database says they have, through one live session."""

    user_id: str
    role: Role
    session_id: str
    must_change_password: bool = False


class UserNotFound(DomainError):
    """Nobody has this id."""

    code = "user.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such user"


class EmailTaken(DomainError):
    """One address belongs to one living account, whatever its case."""

    code = "user.email_taken"
    kind = Kind.CONFLICT
    title = "This e-mail address is in use"


class UsernameTaken(DomainError):
    """One username belongs to one living account, whatever its case."""

    code = "user.username_taken"
    kind = Kind.CONFLICT
    title = "This username is in use"


class InvitationRequired(DomainError):
    """Students register openly, instructors and admins only when they were invited."""

    code = "auth.invitation_required"
    kind = Kind.FORBIDDEN
    title = "Registration at this portal needs an invitation"


class DemoAccountsRefused(DomainError):
    """Accounts with a password that everybody may know exist only where nothing is at stake."""

    code = "auth.demo_accounts_refused"
    kind = Kind.FORBIDDEN
    title = "Demo accounts exist only in development"


def normalise_email(text: str) -> str:
    """The address as it is stored and compared: trimmed and in lower case. Refuses what cannot receive mail."""
    email = text.strip().lower()
    if len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise _wrong("email", "This is not an e-mail address")
    return email


def normalise_username(text: str | None) -> str | None:
    """The username as chosen, 3 to 64 letters, digits, dots, hyphens or underscores; None when there is none."""
    if text is None or not text.strip():
        return None
    username = text.strip()
    if not _USERNAME.fullmatch(username):
        raise _wrong("username", "A username has 3 to 64 letters, digits, dots, hyphens or underscores")
    return username


def normalise_name(text: str | None) -> str:
    """The name as people write it, in one line: composed (NFC) and trimmed."""
    too_long = _wrong("name", f"A name has at most {MAX_NAME_LENGTH} characters")
    # Composing costs time that grows with the square of a run of marks, so it is not done to what is far too long.
    if len(text or "") > _LONGEST_SPELLING * MAX_NAME_LENGTH:
        raise too_long
    name = unicodedata.normalize("NFC", text or "").strip()
    if len(name) > MAX_NAME_LENGTH:
        raise too_long
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        raise _wrong("name", "A name has no control characters")
    return name


def normalise_image(text: str | None) -> str | None:
    """The address of a picture as a client gave it, trimmed; None when there is none. Who shows it decides which
    addresses may be shown.
    """
    image = (text or "").strip()
    if len(image) > MAX_IMAGE_LENGTH:
        raise _wrong("image", f"The address of a picture has at most {MAX_IMAGE_LENGTH} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in image):
        raise _wrong("image", "The address of a picture has no control characters")
    return image or None


def facts_of(user: User) -> Facts:
    """What the audit log may tell of a person: never anything of a password."""
    return {
        "email": user.email,
        "email_verified": user.email_verified_at is not None,
        "username": user.username,
        "name": user.name,
        "role": user.role.value,
        "status": user.status.value,
        "deleted_at": None if user.deleted_at is None else user.deleted_at.isoformat(),
    }


def differences(before: Facts, after: Facts) -> tuple[Facts, Facts]:
    """What differs, as it was and as it is."""
    changed = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in changed}, {name: after[name] for name in changed}


def _wrong(name: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem(f"/{name}", f"invalid_{name}", message),))

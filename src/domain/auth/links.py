"""One-time links: what is mailed to prove that an address belongs to somebody. The store knows only their hashes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.auth.refresh import decode_token, digest
from domain.auth.sessions import RefreshInvalid
from domain.errors import DomainError, FieldProblem, Kind


class LinkPurpose(StrEnum):
    """What a link is good for. An owner has one link per purpose: a new one replaces it."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose
    SET_PASSWORD = "set_password"  # noqa: S105 - a purpose
    INVITATION = "invitation"

    @property
    def life(self) -> timedelta:
        """For how long the link is good."""
        return _LIVES[self]


_LIVES = {
    LinkPurpose.VERIFY_EMAIL: timedelta(hours=24),
    LinkPurpose.CHANGE_EMAIL: timedelta(hours=24),
    LinkPurpose.RESET_PASSWORD: timedelta(minutes=30),
    LinkPurpose.SET_PASSWORD: timedelta(days=7),
    LinkPurpose.INVITATION: timedelta(days=7),
}

# What is mailed to a person; with the account it ends.
PERSONAL: Final = (
    LinkPurpose.VERIFY_EMAIL,
    LinkPurpose.CHANGE_EMAIL,
    LinkPurpose.RESET_PASSWORD,
    LinkPurpose.SET_PASSWORD,
)

# How the cookie door spells a token: letters and digits that nobody can guess, or the three parts of a signed one.
DOOR_TOKEN_LENGTH: Final = 24
_DOOR_TOKEN = re.compile(
    rf"[A-Za-z0-9]{{{DOOR_TOKEN_LENGTH}}}|[A-Za-z0-9_-]{{10,1000}}\.[A-Za-z0-9_-]{{10,2000}}\.[A-Za-z0-9_-]{{43}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a person, or of an invitation: `email` is the address that its use proves."""

    owner_id: str
    purpose: LinkPurpose
    token_hash: bytes = field(repr=False)
    email: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def new(cls, owner_id: str, purpose: LinkPurpose, *, email: str, token: bytes, now: datetime) -> Link:
        """A link with a token of a portal, good for as long as its purpose allows."""
        life = purpose.life
        return cls.hashed(owner_id, purpose, email=email, token_hash=digest(token), now=now, life=life)

    @classmethod
    def hashed(
        cls, owner_id: str, purpose: LinkPurpose, *, email: str, token_hash: bytes, now: datetime, life: timedelta
    ) -> Link:
        """A link whose token is spelt by some door."""
        return cls(
            owner_id=owner_id,
            purpose=purpose,
            token_hash=token_hash,
            email=email,
            created_at=now,
            expires_at=now + life,
        )

    def is_good(self, now: datetime) -> bool:
        return now < self.expires_at


class LinkInvalid(DomainError):
    """The link was never given out, was used, was replaced by a newer one or is too old; which of these is not told."""

    code = "auth.link_invalid"
    kind = Kind.INVALID
    title = "This link is not valid any more"

    def __init__(self, pointer: str = "/token") -> None:
        super().__init__(problems=(FieldProblem(pointer, "link_invalid", self.title),))


class LinkExpired(DomainError):
    """A link of the cookie door says itself when it was made and for how long it is good."""

    code = "auth.link_expired"
    kind = Kind.INVALID
    title = "This link is too old"


class LinkOfAnother(DomainError):
    """Who is signed in does not complete the change of address of somebody else."""

    code = "auth.link_of_another"
    kind = Kind.FORBIDDEN
    title = "This link belongs to another account"


def link_hash(text: str, pointer: str = "/token") -> bytes:
    """What the store knows of the token that somebody shows, in the spelling of whichever door; refuses a text that is
    no token of any.
    """
    if _DOOR_TOKEN.fullmatch(text):
        return hashlib.sha256(text.encode("ascii")).digest()
    try:
        return digest(decode_token(text))
    except RefreshInvalid:
        raise LinkInvalid(pointer) from None

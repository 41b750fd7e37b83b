"""One-time links: what is mailed to prove that an address belongs to somebody. The store knows only their hashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

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
        return cls(
            owner_id=owner_id,
            purpose=purpose,
            token_hash=digest(token),
            email=email,
            created_at=now,
            expires_at=now + purpose.life,
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


def link_hash(text: str, pointer: str = "/token") -> bytes:
    """What the store knows of the token that somebody shows; refuses a text that is no token."""
    try:
        return digest(decode_token(text))
    except RefreshInvalid:
        raise LinkInvalid(pointer) from None

"""How each door spells the one-time links that it mails: the token, and the address of what uses it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import quote

from application.auth.opening import new_secret
from application.auth.ports import TokenSource, VerificationClaims, VerificationTokens
from application.mail import MailKind
from domain.auth.links import DOOR_TOKEN_LENGTH, Link, LinkPurpose, link_hash
from domain.auth.people import Role
from domain.auth.refresh import encode_token
from domain.auth.sessions import Door

# What a link is good for and the page of the portal that uses it. A kind that is not here is a notice, without a link.
_PORTAL_PAGES: Final = {
    MailKind.VERIFY_EMAIL: (LinkPurpose.VERIFY_EMAIL, "verify-email"),
    MailKind.CHANGE_EMAIL: (LinkPurpose.CHANGE_EMAIL, "change-email"),
    MailKind.RESET_PASSWORD: (LinkPurpose.RESET_PASSWORD, "reset-password"),
    MailKind.SET_PASSWORD: (LinkPurpose.SET_PASSWORD, "set-password"),
    MailKind.INVITATION: (LinkPurpose.INVITATION, "register"),
}
# The links that the cookie door has pages for. Whoever has no password yet sets the first one at the portal.
_AT_COOKIE_DOOR: Final = (MailKind.VERIFY_EMAIL, MailKind.CHANGE_EMAIL, MailKind.RESET_PASSWORD)
_VERIFIED_WITHIN: Final = timedelta(hours=1)
_CHANGE_REQUEST: Final = "change-email-verification"
# What stays as it is in a component of an address, as browsers encode one.
_PLAIN: Final = "-_.!~*'()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a link is mailed for: its owner, to which address it goes and which one the account has."""

    kind: MailKind
    owner_id: str
    role: Role
    to: str = field(repr=False)
    account: str = field(default="", repr=False)
    callback: str | None = None

    @property
    def purpose(self) -> LinkPurpose:
        return _PORTAL_PAGES[self.kind][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLink:
    """A link as it is mailed and as it is kept. Unless `used_once` it may be followed again, to no further effect."""

    kept: Link
    token: str = field(repr=False)
    url: str = field(repr=False)
    used_once: bool = True

    @property
    def life(self) -> timedelta:
        """For how long it is good."""
        return self.kept.expires_at - self.kept.created_at


class MailedLinks(Protocol):
    """How a door spells a link."""

    @abstractmethod
    def new(self, occasion: Occasion, now: datetime) -> MailedLink:
        """A link that nobody has seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLinks(MailedLinks):
    """A page of the portal of the person, with 32 random bytes in the fragment."""

    source: TokenSource
    base_url: str

    def new(self, occasion: Occasion, now: datetime) -> MailedLink:
        token = encode_token(self.source.new())
        url = link_url(self.base_url, occasion.role, occasion.kind, token)
        return _mailed(occasion, token, url, occasion.purpose.life, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieDoorLinks(MailedLinks):
    """An endpoint of the cookie door, which leads on to the page that was named when the mail was asked for.

    A token that resets the password is letters and digits. One that verifies an address is signed and says which; it
    is kept all the same, so that it can be revoked.
    """

    source: TokenSource
    tokens: VerificationTokens
    base_url: str

    def new(self, occasion: Occasion, now: datetime) -> MailedLink:
        if occasion.kind is MailKind.RESET_PASSWORD:
            token = new_secret(self.source, DOOR_TOKEN_LENGTH)
            url = f"{self.base_url}/api/auth/reset-password/{token}?callbackURL={_encoded(occasion.callback or '')}"
            return _mailed(occasion, token, url, occasion.purpose.life, now)
        token = self.tokens.sign(_claims(occasion, now))
        back = _encoded(occasion.callback or "/")
        url = f"{self.base_url}/api/auth/verify-email?token={token}&callbackURL={back}"
        mailed = _mailed(occasion, token, url, min(occasion.purpose.life, _VERIFIED_WITHIN), now)
        return replace(mailed, used_once=occasion.kind is not MailKind.VERIFY_EMAIL)


def brings_link(kind: MailKind) -> bool:
    """Whether such a mail brings a link; otherwise it is a notice."""
    return kind in _PORTAL_PAGES


def door_of_link(kind: MailKind, role: Role, asked_at: Door) -> Door:
    """At which door the link is used: only students have another one than the portals."""
    return asked_at if kind in _AT_COOKIE_DOOR and not role.is_staff else Door.PORTAL


def link_url(base_url: str, portal: Role, kind: MailKind, token: str) -> str:
    """The address of the page at the portal that uses the link."""
    _, page = _PORTAL_PAGES[kind]
    # In the fragment, which browsers keep to themselves: no server and no log on the way sees the token.
    return f"{base_url}/{portal}/{page}#token={token}"


def _mailed(occasion: Occasion, token: str, url: str, life: timedelta, now: datetime) -> MailedLink:
    kept = Link.hashed(
        occasion.owner_id,
        occasion.purpose,
        email=occasion.to,
        token_hash=link_hash(token),
        now=now,
        life=life,
    )
    return MailedLink(kept=kept, token=token, url=url)


def _claims(occasion: Occasion, now: datetime) -> VerificationClaims:
    moves, issued_at = occasion.kind is MailKind.CHANGE_EMAIL, int(now.timestamp())
    return VerificationClaims(
        email=occasion.account,
        update_to=occasion.to if moves else None,
        request_type=_CHANGE_REQUEST if moves else None,
        issued_at=issued_at,
        expires_at=issued_at + int(_VERIFIED_WITHIN.total_seconds()),
    )


def _encoded(component: str) -> str:
    return quote(component, safe=_PLAIN)

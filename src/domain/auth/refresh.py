"""Refresh tokens: a chain of one-time tokens per session, where two tabs are no thief and a thief is noticed.

A used token names its successor in a mask that only the holder of the used token can take off:
`mask = successor XOR HMAC-SHA256(key=used, "ace/refresh-successor/v1")`. So a lost reply can be repeated, and whoever
reads the store learns no token. Tokens are 32 random bytes, in unpadded base64url for clients, SHA-256 in the store.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from domain.auth.sessions import RefreshInvalid, Session

TOKEN_BYTES = 32
_TOKEN_LENGTH = 43
_MASK_LABEL = b"ace/refresh-successor/v1"


class Decision(Enum):
    """What happens to a presented refresh token."""

    ENDED = auto()
    ROTATE = auto()
    REPLAY = auto()
    REUSE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One link of a session's chain; at most the last link is unused."""

    user_id: str
    session_id: str
    generation: int
    token_hash: bytes = field(repr=False)
    issued_at: datetime
    used_at: datetime | None = None
    successor_masked: bytes | None = field(default=None, repr=False)

    @classmethod
    def first(cls, session: Session, token: bytes) -> RefreshToken:
        """The link that a sign-in begins with."""
        return cls(
            user_id=session.user_id,
            session_id=session.id,
            generation=0,
            token_hash=digest(token),
            issued_at=session.last_seen_at,
        )

    def spent(self, now: datetime, successor_masked: bytes) -> RefreshToken:
        return replace(self, used_at=now, successor_masked=successor_masked)

    def successor(self, token: bytes, now: datetime) -> RefreshToken:
        return replace(
            self,
            generation=self.generation + 1,
            token_hash=digest(token),
            issued_at=now,
            used_at=None,
            successor_masked=None,
        )

    def successor_under(self, token: bytes) -> bytes:
        """The successor that this spent link hides, for the holder of its token."""
        if self.successor_masked is None:
            raise RefreshInvalid
        return mask(token, self.successor_masked)


def decide(
    session: Session, presented: RefreshToken, latest: RefreshToken, now: datetime, grace: timedelta
) -> Decision:
    """An ended session gives nothing. An unused token rotates. A used one is a replay while its successor is unused and
    it was used at most `grace` ago: two tabs, or a reply that was lost. Any other used token has two holders.
    """
    if not session.is_live(now):
        return Decision.ENDED
    if presented.used_at is None:
        return Decision.ROTATE
    successor_unused = presented.generation == latest.generation - 1 and latest.used_at is None
    if successor_unused and now - presented.used_at <= grace:
        return Decision.REPLAY
    return Decision.REUSE


def digest(token: bytes) -> bytes:
    """What the store knows of a token."""
    return hashlib.sha256(token).digest()


def mask(used: bytes, successor: bytes) -> bytes:
    """Hides `successor` from everybody who does not hold `used`; applied to a mask it takes the mask off."""
    pad = hmac.digest(used, _MASK_LABEL, hashlib.sha256)
    return (int.from_bytes(successor) ^ int.from_bytes(pad)).to_bytes(len(pad))


def encode_token(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode("ascii")


def decode_token(text: str) -> bytes:
    """The token that a client shows; refuses every text that is not the one spelling of 32 bytes."""
    try:
        token = base64.b64decode(text + "=", altchars=b"-_", validate=True) if len(text) == _TOKEN_LENGTH else b""
    except (binascii.Error, ValueError):
        raise RefreshInvalid from None
    # base64 ignores the last two bits of the last character, so four spellings would be one token.
    if len(token) != TOKEN_BYTES or encode_token(token) != text:
        raise RefreshInvalid
    return token

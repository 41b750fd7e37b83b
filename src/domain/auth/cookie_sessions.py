"""Sessions of the cookie door: one secret for the whole session, sliding by days, each reading of it may prolong it.

The secret is 32 letters and digits (190 bits); the store knows only its SHA-256. It stays the same for as long as the
session lives, so the end that never moves is what bounds the use of a stolen one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from domain.auth.people import Role, User
from domain.auth.refresh import RefreshToken
from domain.auth.sessions import Door, Session

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SECRET_LENGTH: Final = 32
_SECRET = re.compile(rf"[A-Za-z0-9]{{{SECRET_LENGTH}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieLife:
    """How long such a session lasts: `lasts` after its opening or its last renewal, which happens at most once in
    `renewed_after`, and never beyond `absolute`. One that is not to be remembered lasts `unremembered` and is never
    renewed. It is fresh for `fresh_for` after the sign-in; zero: always. That it was seen is noted at most once in
    `noted_after` and prolongs nothing: a session limit gives up first what was not used for longest.
    """

    lasts: timedelta = timedelta(days=7)
    renewed_after: timedelta = timedelta(days=1)
    unremembered: timedelta = timedelta(days=1)
    absolute: timedelta = timedelta(days=30)
    fresh_for: timedelta = timedelta(days=1)
    noted_after: timedelta = timedelta(minutes=15)

    def opened(
        self, session_id: str, user: User, now: datetime, *, remember: bool, ip: str = "", user_agent: str = ""
    ) -> Session:
        """A new session of a student."""
        absolute = self.absolute if remember else min(self.unremembered, self.absolute)
        return Session(
            id=session_id,
            user_id=user.id,
            door=Door.COOKIE,
            audience=Role.STUDENT,
            ip=ip,
            user_agent=user_agent,
            remember=remember,
            auth_time=now,
            created_at=now,
            last_seen_at=now,
            renewed_at=now,
            idle_expires_at=now + min(self.lasts, absolute),
            absolute_expires_at=now + absolute,
        )

    def is_due(self, session: Session, now: datetime) -> bool:
        """Whether a reading renews it: the last renewal is long enough ago, and one now would move its end."""
        if not session.remember or session.ends_at - self.lasts + self.renewed_after > now:
            return False
        return self.renewed(session, now).idle_expires_at > session.idle_expires_at

    def renewed(self, session: Session, now: datetime) -> Session:
        """Seen and prolonged now; the absolute end stays and is never passed."""
        idle = min(now + self.lasts, session.absolute_expires_at)
        return replace(session, last_seen_at=now, renewed_at=now, idle_expires_at=idle)

    def is_unnoted(self, session: Session, now: datetime) -> bool:
        """Whether it was last noted so long ago that it is noted again."""
        return now - session.last_seen_at >= self.noted_after

    def is_fresh(self, session: Session, now: datetime) -> bool:
        """Whether its person signed in lately."""
        return self.fresh_for == timedelta(0) or now - session.created_at < self.fresh_for


def secret_of(random: Iterable[int]) -> str:
    """The secret that these random bytes spell; bytes that would favour some letters are left out."""
    fair = 256 - 256 % len(ALPHABET)
    letters = [ALPHABET[byte % len(ALPHABET)] for byte in random if byte < fair]
    return "".join(letters)


def is_secret(text: str) -> bool:
    """Whether a text could be such a secret."""
    return _SECRET.fullmatch(text) is not None


def secret_hash(secret: str) -> bytes:
    """What the store knows of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def key_of(session: Session, secret: str) -> RefreshToken:
    """The one key of a session of this door; it is never spent and has no successor."""
    return RefreshToken(
        user_id=session.user_id,
        session_id=session.id,
        generation=0,
        token_hash=secret_hash(secret),
        issued_at=session.created_at,
    )

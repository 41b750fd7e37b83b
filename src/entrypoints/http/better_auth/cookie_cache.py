"""The cached session: a signed copy of session and person that the browser keeps, so that a while of readings asks
nobody. What was revoked meanwhile stays readable until the copy is too old; whoever decides something does not read it.

The text is unpadded base64url of `{"session":{session,user,updatedAt,version},"expiresAt":ms,"signature":…}`; signed is
the JSON of the inner object with `expiresAt` behind its members.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from application.auth.ports import Signatures
from application.auth.views import PersonView
from domain.auth.people import Role
from domain.auth.sessions import Door, Session
from entrypoints.http.better_auth.cookie_text import set_cookie

_VERSION: Final = "1"
# Without an age of its own the copy is good for this long.
UNTIL_CLOSED_SECONDS: Final = 60
# What a browser keeps of one cookie, with its attributes; and into how many one value may be cut.
_MOST_BYTES: Final = 4_050
_MOST_PIECES: Final = 100
_NUMBERS: Final = frozenset(map(str, range(_MOST_PIECES)))
# The order in which a cached session and its person are told.
_SESSION = ("id", "createdAt", "updatedAt", "userId", "expiresAt", "token", "ipAddress", "userAgent")
_USER = ("id", "createdAt", "updatedAt", "email", "emailVerified", "name", "image")


_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _CachedSession(msgspec.Struct, rename="camel"):
    id: str
    user_id: str
    token: str
    created_at: _Instant
    updated_at: _Instant
    expires_at: _Instant
    ip_address: str | None = None
    user_agent: str | None = None


class _CachedUser(msgspec.Struct, rename="camel"):
    id: str
    email: str
    email_verified: bool
    name: str
    created_at: _Instant
    updated_at: _Instant
    image: str | None = None


class _Kept(msgspec.Struct, rename="camel"):
    session: _CachedSession
    user: _CachedUser
    updated_at: int
    version: str = _VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedSession:
    """A copy whose signature is good: session and person as they are told, and as they are known. Until when it may be
    read is `expires_at`, in milliseconds of Unix time.
    """

    session_body: Mapping[str, Any] = field(repr=False)
    user_body: Mapping[str, Any] = field(repr=False)
    session: Session
    person: PersonView
    secret: str = field(repr=False)
    expires_at: int
    version: str

    def is_of(self, secret: str, now: datetime) -> bool:
        """Whether it is a copy of this very session, and neither it nor the session is over."""
        in_time = self.expires_at >= now.timestamp() * 1000 and self.session.ends_at >= now
        return self.secret == secret and self.version == _VERSION and in_time


class CookieCache:
    """Writes and reads copies. They are good for `seconds`; with zero none are kept."""

    def __init__(self, signatures: Signatures, *, seconds: int) -> None:
        self._signatures = signatures
        self.seconds = seconds

    @property
    def is_kept(self) -> bool:
        return self.seconds > 0

    def write(self, session: Mapping[str, Any], user: Mapping[str, Any], now: datetime, *, remember: bool) -> str:
        """The copy as text."""
        at = int(now.timestamp() * 1000)
        kept = {"session": session, "user": user, "updatedAt": at, "version": _VERSION}
        expires_at = at + 1000 * (self.seconds if remember else UNTIL_CLOSED_SECONDS)
        signature = _base64url(self._signatures.sign(_json({**kept, "expiresAt": expires_at})))
        return _base64url(_json({"session": kept, "expiresAt": expires_at, "signature": signature}).encode())

    def read(self, text: str) -> CachedSession | None:
        """What a text of ours says; None where its signature is not ours or a part is missing."""
        try:
            whole = json.loads(_bytes_of(text))
            kept, expires_at, signature = whole["session"], whole["expiresAt"], _bytes_of(whole["signature"])
            if not self._signatures.belongs(signature, _json({**kept, "expiresAt": expires_at})):
                return None
            return _cached(kept, expires_at)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def pieces_of(name: str, value: str, *, secure: bool, max_age: int | None) -> dict[str, str]:
    """The value under the names that it is kept by: its own, or numbered ones where it is too long for one cookie;
    under none where it would take too many.
    """
    room = _MOST_BYTES - len(set_cookie(f"{name}.{_MOST_PIECES - 1}", "", secure=secure, max_age=max_age))
    if len(value) <= room:
        return {name: value}
    pieces = [value[start : start + room] for start in range(0, len(value), room)]
    return {f"{name}.{number}": piece for number, piece in enumerate(pieces)} if len(pieces) <= _MOST_PIECES else {}


def joined(name: str, cookies: Mapping[str, str]) -> str | None:
    """The value that was kept under its name or in pieces."""
    if cookies.get(name):
        return cookies[name]
    pieces = {int(key[len(name) + 1 :]): value for key, value in cookies.items() if is_piece(name, key)}
    return "".join(pieces[number] for number in sorted(pieces)) or None


def is_piece(name: str, key: str) -> bool:
    """Whether a cookie called `key` may hold a piece of what is kept as `name`. Of other names no answer speaks."""
    beginning, _, number = key.rpartition(".")
    return beginning == name and number in _NUMBERS


def _cached(kept: dict[str, Any], expires_at: object) -> CachedSession | None:
    try:
        read = msgspec.convert(kept, _Kept)
    except msgspec.ValidationError:
        return None
    if not isinstance(expires_at, int):
        return None
    return CachedSession(
        session_body=_in_order(kept["session"], _SESSION),
        user_body=_in_order(kept["user"], _USER),
        session=_session_of(read.session),
        person=_person_of(read.user),
        secret=read.session.token,
        expires_at=expires_at,
        version=read.version,
    )


def _session_of(read: _CachedSession) -> Session:
    return Session(
        id=read.id,
        user_id=read.user_id,
        door=Door.COOKIE,
        audience=Role.STUDENT,
        ip=read.ip_address or "",
        user_agent=read.user_agent or "",
        auth_time=read.created_at,
        created_at=read.created_at,
        last_seen_at=read.updated_at,
        idle_expires_at=read.expires_at,
        absolute_expires_at=read.expires_at,
    )


def _person_of(read: _CachedUser) -> PersonView:
    return PersonView(
        id=read.id,
        email=read.email,
        username=None,
        name=read.name,
        image=read.image,
        role=Role.STUDENT,
        email_verified=read.email_verified,
        must_change_password=False,
        created_at=read.created_at,
        updated_at=read.updated_at,
    )


def _in_order(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _bytes_of(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

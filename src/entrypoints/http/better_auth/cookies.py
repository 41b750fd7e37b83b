"""The three cookies of a session at the better-auth door: `session_token`, `session_data` and `dont_remember`.

A signed value is `text.signature`, the signature in base64. Under https the names carry `__Secure-`, and a cookie
without it is nobody's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from application.auth.ports import Signatures
from entrypoints.http.better_auth.cookie_cache import CachedSession, CookieCache, is_piece, joined
from entrypoints.http.better_auth.cookie_text import decoded, encoded, first_of_each, set_cookie
from entrypoints.http.better_auth.settings import DoorSettings
from entrypoints.http.exchange import Header

_TOKEN, _DATA, _DONT_REMEMBER = "better-auth.session_token", "better-auth.session_data", "better-auth.dont_remember"
# 32 bytes in base64, padded.
_SIGNATURE_LENGTH: Final = 44
_SCHEME: Final = "bearer "
_FROM_ADDRESSES: Final = str.maketrans("-_", "+/")
_TELLING: Final = frozenset({b"set-auth-token", b"access-control-expose-headers"})


def _system_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCookies:
    """What a request brought. `secret` is the session's, if its signature is good; `cache_text` the copy as it came,
    `cached` what it says if that is ours; `cache_names` the cookies that hold a copy or a piece of one.
    """

    secret: str | None = field(default=None, repr=False)
    dont_remember: bool = False
    cache_text: str | None = field(default=None, repr=False)
    cached: CachedSession | None = field(default=None, repr=False)
    cache_names: tuple[str, ...] = ()
    has_token: bool = False


class DoorCookies:
    """How the cookies are named, signed, read, set and cleared. `max_age` is the session's, in seconds.

    With `takes_bearer` an `Authorization: Bearer` header stands for the session cookie: the token alone, or with its
    signature. One whose signature is wrong says nothing.
    """

    def __init__(
        self,
        signatures: Signatures,
        *,
        secure: bool,
        max_age: int,
        cache_seconds: int = 0,
        takes_bearer: bool = False,
        now: Callable[[], datetime] = _system_time,
    ) -> None:
        prefix = "__Secure-" if secure else ""
        self.token, self.data, self.dont_remember = f"{prefix}{_TOKEN}", f"{prefix}{_DATA}", f"{prefix}{_DONT_REMEMBER}"
        self.cache = CookieCache(signatures, seconds=cache_seconds)
        self.max_age = max_age
        self.takes_bearer = takes_bearer
        self.now = now
        self._signatures = signatures
        self.secure = secure

    def read(self, header: str, authorization: str = "") -> ReceivedCookies:
        """What a `Cookie` header and, where it counts, an `Authorization` header bring, which stands for the cookie."""
        cookies = first_of_each(header)
        bearer = self._borne(authorization) if self.takes_bearer else None
        if bearer is not None:
            cookies[self.token] = bearer
        text = joined(self.data, cookies)
        return ReceivedCookies(
            secret=self._verified(cookies.get(self.token, "")),
            dont_remember=self._verified(cookies.get(self.dont_remember, "")) is not None,
            cache_text=text,
            cached=None if text is None else self.cache.read(text),
            cache_names=tuple(name for name in cookies if name == self.data or is_piece(self.data, name)),
            has_token=self.token in cookies,
        )

    def bearer(self, authorization: str) -> str | None:
        """The secret that an `Authorization` header brings, where such headers count."""
        borne = self._borne(authorization) if self.takes_bearer else None
        return None if borne is None else self._verified(borne)

    def signed(self, text: str) -> str:
        """The text with its signature, as it travels in a header; in a cookie it is percent-encoded."""
        return f"{text}.{base64.b64encode(self._signatures.sign(text)).decode('ascii')}"

    def line(self, name: str, value: str, max_age: int | None = None) -> str:
        """What sets one of the cookies."""
        return set_cookie(name, value, secure=self.secure, max_age=max_age)

    def hands_out(self, header: Header) -> bool:
        """Whether a header of an answer sets one of the cookies or tells what they say."""
        name, value = header
        if name != b"set-cookie":
            return name in _TELLING
        cookie = value.partition(b"=")[0].decode("ascii")
        return cookie in (self.token, self.dont_remember) or cookie.startswith(self.data)

    def cleared(self) -> list[Header]:
        """Headers that remove all three."""
        names = (self.token, self.data, self.dont_remember)
        return [(b"set-cookie", self.line(name, "", 0).encode("ascii")) for name in names]

    def _borne(self, authorization: str) -> str | None:
        """The cookie's value that a bearer stands for."""
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return None
        token = authorization[len(_SCHEME) :].strip()
        if not token:
            return None
        signed = decoded(token) if "." in token else decoded(encoded(self.signed(token)))
        text, signature, *_ = *signed.split("."), ""
        # Padding may be missing, the alphabet be that of addresses and something follow: such a bearer still takes the
        # place of the cookie, where it opens nothing.
        return signed if self._is_ours(text, signature.translate(_FROM_ADDRESSES).rstrip("=")) else None

    def _verified(self, value: str) -> str | None:
        """The text of a signed value. One without a signature is not taken for anything."""
        text, dot, signature = value.rpartition(".")
        if not dot or not text or len(signature) != _SIGNATURE_LENGTH or not signature.endswith("="):
            return None
        return text if self._is_ours(text, signature[:-1]) else None

    def _is_ours(self, text: str, unpadded: str) -> bool:
        try:
            signature = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
        except (ValueError, binascii.Error):
            return False
        return self._signatures.belongs(signature, text)


def door_cookies_of(settings: DoorSettings, signatures: Signatures) -> DoorCookies:
    """The cookies as clients of this installation must see them."""
    door = settings.better_auth
    return DoorCookies(
        signatures,
        secure=settings.secure,
        max_age=door.session_seconds,
        cache_seconds=door.cookie_cache_seconds,
        takes_bearer=settings.takes_door_bearer,
    )

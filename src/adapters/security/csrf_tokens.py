"""CSRF tokens: `b64u(random).b64u(HMAC(key, "ace/csrf/v1" NUL | length | session id | random))`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Sequence

from adapters.security.keys import Key, key_ring
from application.auth.ports import CsrfTokens

_LABEL = b"ace/csrf/v1\0"
_RANDOM_BYTES = 16


class HmacCsrfTokens(CsrfTokens):
    """A token is worth something for one session only, so that nobody can plant one that they made for theirs.

    A browser shows the same one with every change. That it belongs to its session never changes, and is remembered;
    what was refused is not.
    """

    def __init__(self, installation_secrets: Sequence[str], *, remembered: int = 10_000) -> None:
        self._ring = key_ring(installation_secrets, "csrf")
        self._belonging: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._room = remembered

    def issue(self, session_id: str) -> str:
        return _token(self._ring[0], session_id, secrets.token_bytes(_RANDOM_BYTES))

    def belongs(self, token: str, session_id: str) -> bool:
        if (token, session_id) in self._belonging:
            return True
        if not self._is_ours(token, session_id):
            return False
        self._belonging[token, session_id] = None
        if len(self._belonging) > self._room:
            self._belonging.popitem(last=False)
        return True

    def _is_ours(self, token: str, session_id: str) -> bool:
        try:
            random = _decode(token.partition(".")[0])
        except ValueError:
            return False
        # The whole text is compared, so that a token has one spelling.
        shown = token.encode()
        return any(hmac.compare_digest(_token(key, session_id, random).encode(), shown) for key in self._ring)


def _token(key: Key, session_id: str, random: bytes) -> str:
    return f"{_encode(random)}.{_encode(_seal(key, session_id, random))}"


def _seal(key: Key, session_id: str, random: bytes) -> bytes:
    session = session_id.encode()
    return hmac.digest(key.bytes, _LABEL + len(session).to_bytes(4, "big") + session + random, hashlib.sha256)


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

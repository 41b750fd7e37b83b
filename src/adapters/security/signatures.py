"""Signatures of texts that clients keep: HMAC-SHA256 over the text."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from application.auth.ports import Signatures


class HmacSignatures(Signatures):
    """The first key signs; all of them verify, so that a key can be changed while its signatures are in use."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def sign(self, text: str) -> bytes:
        return _seal(self._keys[0], text)

    def belongs(self, signature: bytes, text: str) -> bool:
        return any(hmac.compare_digest(_seal(key, text), signature) for key in self._keys)


def _seal(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256)

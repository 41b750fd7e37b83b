"""Verification tokens of the cookie door: JSON Web Tokens signed with HMAC-SHA256, with no header but the algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jwt
import msgspec

from application.auth.ports import VerificationClaims, VerificationTokens
from domain.auth.links import LinkInvalid

_ALGORITHM = "HS256"
_MAX_LENGTH = 4_096
# Time is judged by whoever knows it: the use case compares it with that of its unit of work.
_OPTIONS = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class _Payload(msgspec.Struct, frozen=True, rename="camel"):
    """The claims; those of a change of address are there only if an address is to change."""

    email: str
    iat: int
    exp: int
    update_to: str | None = None
    request_type: str | None = None


class JwtVerificationTokens(VerificationTokens):
    """Signs with the newest key and reads with every key, so that a key can be changed while mail is under way."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def sign(self, claims: VerificationClaims) -> str:
        payload = {
            "email": claims.email,
            "updateTo": claims.update_to,
            "requestType": claims.request_type,
            "iat": claims.issued_at,
            "exp": claims.expires_at,
        }
        said = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(said, self._keys[0], algorithm=_ALGORITHM, headers={"typ": ""})

    def read(self, token: str) -> VerificationClaims:
        if len(token) > _MAX_LENGTH:
            raise LinkInvalid
        for key in self._keys:
            content = _verified(token, key)
            if content is not None:
                return _claims(content)
        raise LinkInvalid


def _verified(token: str, key: bytes) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, key, algorithms=[_ALGORITHM], options=_OPTIONS)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None


def _claims(content: dict[str, Any]) -> VerificationClaims:
    try:
        payload = msgspec.convert(content, _Payload)
    except msgspec.ValidationError:
        raise LinkInvalid from None
    return VerificationClaims(
        email=payload.email,
        update_to=payload.update_to,
        request_type=payload.request_type,
        issued_at=payload.iat,
        expires_at=payload.exp,
    )

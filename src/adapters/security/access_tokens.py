"""Access tokens: JSON Web Tokens (RFC 9068's `at+jwt`) signed with HMAC-SHA256."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import msgspec

from adapters.security.keys import key_ring
from application.auth.ports import AccessClaims, AccessTokens
from domain.auth.people import Role
from domain.auth.sessions import TokenInvalid

_ALGORITHM = "HS256"
# Signs bytes: the claims are written by an encoder that is a good deal faster than the one of `jwt.encode`.
_SIGNATURES = jwt.PyJWS(algorithms=[_ALGORITHM])
_TYPE = "at+jwt"
_MAX_LENGTH = 4_096
# Headers that point at a key, or ask for an extension to be understood. We name our keys ourselves.
_REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
# Time is judged by whoever knows it, see the use case `Authenticate`; the audience and the rest by `_Payload`.
_OPTIONS = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class _Payload(msgspec.Struct, frozen=True):
    """The claims: all of them required, each of exactly this type, the audience one portal and no list."""

    iss: str
    aud: Role
    sub: str
    sid: str
    role: Role
    auth_time: int
    iat: int
    nbf: int
    exp: int
    jti: str


class JwtAccessTokens(AccessTokens):
    """Signs with the newest key and reads with every key of the ring, so that a key can be changed while tokens live.

    Tokens that were read are remembered, by the whole token. Nothing is decided by the memory that time can change:
    whoever asked for the claims still compares their times, and reads the session.
    """

    def __init__(self, installation_secrets: Sequence[str], *, issuer: str = "ace", remembered: int = 10_000) -> None:
        ring = key_ring(installation_secrets, "access-token")
        self._newest = ring[0]
        self._keys = {key.id: key.bytes for key in reversed(ring)}
        self._issuer = issuer
        self._remembered: OrderedDict[str, AccessClaims] = OrderedDict()
        self._room = remembered

    def sign(self, claims: AccessClaims) -> str:
        payload = _Payload(
            iss=self._issuer,
            aud=claims.audience,
            sub=claims.user_id,
            sid=claims.session_id,
            role=claims.role,
            auth_time=claims.auth_time,
            iat=claims.issued_at,
            nbf=claims.not_before,
            exp=claims.expires_at,
            jti=claims.token_id,
        )
        headers = {"typ": _TYPE, "kid": self._newest.id}
        return _SIGNATURES.encode(msgspec.json.encode(payload), self._newest.bytes, _ALGORITHM, headers)

    def read(self, token: str) -> AccessClaims:
        known = self._remembered.get(token)
        if known is not None:
            return known
        claims = self._verify(token)
        self._remembered[token] = claims
        if len(self._remembered) > self._room:
            self._remembered.popitem(last=False)
        return claims

    def _verify(self, token: str) -> AccessClaims:
        if not token or len(token) > _MAX_LENGTH:
            raise TokenInvalid
        try:
            key = self._key_for(jwt.get_unverified_header(token))
            content = jwt.decode(token, key, algorithms=[_ALGORITHM], options=_OPTIONS)  # type: ignore[arg-type]
            payload = msgspec.convert(content, _Payload)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, RecursionError):
            raise TokenInvalid from None
        if payload.iss != self._issuer:
            raise TokenInvalid
        return _claims(payload)

    def _key_for(self, header: Mapping[str, Any]) -> bytes:
        kid = header.get("kid")
        plain = header.get("alg") == _ALGORITHM and header.get("typ") == _TYPE
        if not plain or not isinstance(kid, str) or kid not in self._keys or _REFUSED_HEADERS & header.keys():
            raise TokenInvalid
        return self._keys[kid]


def _claims(payload: _Payload) -> AccessClaims:
    return AccessClaims(
        audience=payload.aud,
        role=payload.role,
        user_id=payload.sub,
        session_id=payload.sid,
        token_id=payload.jti,
        auth_time=payload.auth_time,
        issued_at=payload.iat,
        not_before=payload.nbf,
        expires_at=payload.exp,
    )

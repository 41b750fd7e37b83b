"""Hashes that other systems made, for people who come from there: bcrypt, and the scrypt of better-auth.

They are verified and never made: whoever signs in with one has it replaced. What is given here is the canonical
password: one that the other system hashed in another spelling does not open a bcrypt hash, and has to be reset.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

import bcrypt

# bcrypt's cost is the power of two of its rounds: 12 takes a quarter of a second, 14 a whole one, 31 a day and a half.
# Nobody waits for what is above: such a hash is unreadable. The last character of a salt holds two bits.
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII)
_BCRYPT_BYTES = 72
_SCRYPT = re.compile(r"(?P<salt>[0-9a-f]{32}):(?P<key>[0-9a-f]{128})", re.ASCII)
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 16_384, 16, 1
# It works in 128·N·r bytes, which is just above what OpenSSL allows unasked.
_SCRYPT_MEMORY = 2 * 128 * _SCRYPT_N * _SCRYPT_R


def legacy_check(password_hash: str) -> Callable[[str, str], bool] | None:
    """What tells whether a password belongs to this hash, or None if no system that we know wrote it so."""
    if _BCRYPT.fullmatch(password_hash):
        return _matches_bcrypt
    if _SCRYPT.fullmatch(password_hash):
        return _matches_scrypt
    return None


def _matches_bcrypt(password_hash: str, password: str) -> bool:
    """By definition no byte behind the 72nd counts; the package refuses to be given one."""
    return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], password_hash.encode())


def _matches_scrypt(password_hash: str, password: str) -> bool:
    """The salt is the hexadecimal text itself, not the bytes that it spells."""
    salt, _, key = password_hash.partition(":")
    derived = hashlib.scrypt(
        password.encode(),
        salt=salt.encode(),
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=len(key) // 2,
    )
    return hmac.compare_digest(derived, bytes.fromhex(key))

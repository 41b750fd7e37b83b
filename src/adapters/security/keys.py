"""Keys: what an installation's secrets become. A new secret goes in front; the ones behind it still verify."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

MINIMAL_SECRET_BYTES = 32


class WeakSecret(ValueError):
    """A secret is too short to sign with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One purpose's key from one secret; `id` tells keys apart and nothing about them."""

    id: str
    bytes: bytes = field(repr=False)


def key_ring(secrets: Sequence[str], purpose: str) -> tuple[Key, ...]:
    """The keys of one purpose, newest first; no two purposes share a key."""
    if not secrets:
        raise WeakSecret("there is no secret")
    if any(len(secret.encode()) < MINIMAL_SECRET_BYTES for secret in secrets):
        raise WeakSecret(f"a secret has fewer than {MINIMAL_SECRET_BYTES} bytes")
    return tuple(_derive(secret.encode(), purpose.encode()) for secret in secrets)


def door_keys(own: Sequence[str], installation: Sequence[str]) -> tuple[bytes, ...]:
    """The keys of the better-auth door, newest first: secrets of its own as they are, so that an application that moves
    here keeps the one it signed with; without any, keys from the secrets of the installation.
    """
    if own:
        return tuple(secret.encode() for secret in own)
    return tuple(key.bytes for key in key_ring(installation, "better-auth"))


def _derive(secret: bytes, purpose: bytes) -> Key:
    material = hmac.digest(secret, b"ace/key/v1\0" + purpose, hashlib.sha256)
    identity = hmac.digest(material, b"ace/key-id/v1", hashlib.sha256)[:9]
    return Key(id=base64.urlsafe_b64encode(identity).decode("ascii"), bytes=material)

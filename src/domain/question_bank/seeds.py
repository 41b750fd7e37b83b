"""Chance that can be told again: everything random about a paper follows from its seed, on every machine alike."""

from __future__ import annotations

import hashlib
import hmac

_DRAW_BITS = 52  # as many as a double holds exactly below one


def rank(seed: str, *parts: str) -> bytes:
    """Where something stands in a shuffle: 32 bytes to sort by, evenly spread. Neither seed nor parts may hold NUL."""
    return hmac.digest(seed.encode(), "\0".join(parts).encode(), hashlib.sha256)


def draw_start(seed: str) -> float:
    """Where on the circle of draw keys, 0 ≤ x < 1, the questions of a paper are looked for."""
    return (int.from_bytes(rank(seed, "draw")[:8], "big") >> (64 - _DRAW_BITS)) / (1 << _DRAW_BITS)

"""Identifiers: opaque text with a type prefix, made by the application, later ones sort after earlier ones."""

from __future__ import annotations

import re

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_ENTROPY_BITS = 80
_LENGTH = 26
_SHIFTS = range(5 * (_LENGTH - 2), -1, -10)
_SHAPE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def compose_id(prefix: str, milliseconds: int, entropy: int) -> str:
    """`prefix_` and 26 base-32 characters: 48 bits of Unix time in milliseconds, then 80 bits of entropy."""
    number = (milliseconds << _ENTROPY_BITS) | (entropy & ((1 << _ENTROPY_BITS) - 1))
    digits = "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])
    return f"{prefix}_{digits}"


def could_be_id(text: str) -> bool:
    """Whether `text` has the shape of an identifier; one that has not cannot exist."""
    return _SHAPE.fullmatch(text) is not None

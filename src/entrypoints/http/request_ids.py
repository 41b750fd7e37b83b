"""Ids for requests that bring none."""

from __future__ import annotations

import secrets
from typing import Final

_DIGITS: Final = 32
_AT_ONCE: Final = 256


class RequestIds:
    """32 hexadecimal digits that nobody can guess. The system is asked for chance once for 256 of them."""

    def __init__(self) -> None:
        self._ready: list[str] = []

    def __call__(self) -> str:
        if not self._ready:
            digits = secrets.token_hex(_AT_ONCE * _DIGITS // 2)
            self._ready = [digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)]
        return self._ready.pop()

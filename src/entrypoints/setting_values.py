"""How the text of one setting becomes its value; each function raises ValueError for what it cannot accept."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

MINIMAL_SECRET_BYTES = 32
_MINIMAL_DIFFERENT_CHARACTERS = 8
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def postgres_url(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError
    return text


def http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError
    return text.rstrip("/")


def between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"got {number}")
        return number

    return parse


def items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def origins(text: str) -> tuple[str, ...]:
    found = items(text)
    for item in found:
        if item != "*" and (not item.startswith(("http://", "https://")) or item.count("/") != 2):
            raise ValueError(f"{item} is not an origin")
    return found


def networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(item)) for item in items(text))


def secret_keys(text: str) -> tuple[str, ...]:
    keys = items(text)
    if any(len(key.encode()) < MINIMAL_SECRET_BYTES for key in keys):
        raise ValueError("one of them is shorter")
    if any(len(set(key)) < _MINIMAL_DIFFERENT_CHARACTERS for key in keys):
        raise ValueError("one of them repeats a few characters")
    return keys


def threshold(text: str) -> int | None:
    return None if text.lower() in {"0", "off"} else between(1, 1_000_000)(text)


def switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError from None

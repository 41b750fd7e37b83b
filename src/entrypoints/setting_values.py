"""How the text of one setting becomes its value; each function raises ValueError for what it cannot accept."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

MINIMAL_SECRET_BYTES = 32
_MINIMAL_DIFFERENT_CHARACTERS = 12
# What people write where a secret belongs. Chance writes such a word too, so what stands around it counts as well.
_PLACEHOLDER_WORDS = re.compile(
    r"change[-_ .]?(?:me|it|this)|secret|pass[-_ .]?(?:word|phrase)|example|default|placeholder|insecure"
    r"|please|your|replace|production|signs-nothing|no request is served",
    re.IGNORECASE,
)
_DIFFERENT_CHARACTERS_AROUND_A_WORD = 24
_HOST_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def postgres_url(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError
    return text


def http_url(text: str) -> str:
    """Scheme, host and port in the form in which browsers write an origin; one slash at the end is no path."""
    return origin(text.removesuffix("/"))


def origin(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it has blanks or characters that are not ASCII")
    parts = urlsplit(text)
    if parts.scheme not in _DEFAULT_PORTS or text.lower() != f"{parts.scheme}://{parts.netloc.lower()}":
        raise ValueError("expected http:// or https://, a host, a port if need be, and nothing else")
    host = _host(parts.hostname or "")
    port = parts.port
    written = host if port is None else f"{host}:{port}"
    if port == 0 or parts.netloc.lower() != written:
        raise ValueError("expected a host, and a port from 1 to 65535 if need be")
    return f"{parts.scheme}://{host if port == _DEFAULT_PORTS[parts.scheme] else written}"


def host_of(url: str) -> str:
    """The host of an accepted address, as it stands in a `Host` header without the port."""
    return _host(urlsplit(url).hostname or "")


def _host(name: str) -> str:
    """A host name, or an address as it stands in a URL."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    if name.rpartition(".")[2].isdigit():
        return str(ipaddress.IPv4Address(name))
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("there is no such host name")
    return name


def between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # int() would take 1_000, blanks, signs and the digits of other scripts as well.
        if not (text.isascii() and text.isdigit()):
            raise ValueError("write digits only")
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"got {number}")
        return number

    return parse


def items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def origins(text: str) -> tuple[str, ...]:
    return tuple(item if item == "*" else _listed_origin(item) for item in items(text))


def _listed_origin(item: str) -> str:
    try:
        return origin(item)
    except ValueError as error:
        raise ValueError(f"{item!r} is not an origin: {error}") from None


def networks(text: str) -> tuple[str, ...]:
    found = [ipaddress.ip_network(item) for item in items(text)]
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("a network of everybody would let everybody choose the address that they come from")
    return tuple(str(network) for network in found)


def secret_keys(text: str) -> tuple[str, ...]:
    keys = items(text)
    for key in keys:
        refuse_weak(key)
    return keys


def refuse_weak(key: str) -> None:
    """Only what looks like chance keeps others from signing tokens; a random key of 32 bytes always does."""
    if len(key.encode()) < MINIMAL_SECRET_BYTES:
        raise ValueError("one of them is shorter")
    if len(set(key)) < _MINIMAL_DIFFERENT_CHARACTERS or _repeats_a_block(key):
        raise ValueError("one of them repeats a few characters")
    around = _PLACEHOLDER_WORDS.sub("", key)
    if around != key and (
        len(around.encode()) < MINIMAL_SECRET_BYTES or len(set(around)) < _DIFFERENT_CHARACTERS_AROUND_A_WORD
    ):
        raise ValueError("one of them is a placeholder")


def _repeats_a_block(key: str) -> bool:
    return any(key[size:] == key[:-size] for size in range(1, len(key) // 2 + 1))


def threshold(text: str) -> int | None:
    return None if text.lower() in {"0", "off"} else between(1, 1_000_000)(text)


def switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError from None

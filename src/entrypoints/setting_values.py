"""How the text of one setting becomes its value; each function raises ValueError for what it cannot accept."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import HeaderRegistry
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

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
_PACKAGE_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*|[a-z]+_[A-Za-z0-9_-]{1,58}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAIL_PORTS = {"smtp": 587, "smtps": 465}
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(name: str) -> str:
    """A host name, or an address as it stands in a URL."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    if name.rpartition(".")[2].isdigit():
        return str(ipaddress.IPv4Address(name))
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("there is no such host name")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in: with `tls` from the first byte on, or as the server offers it. It shows no password."""

    host: str
    port: int
    tls: bool
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, so that nobody can listen in."""
        return self.host == "localhost" or _is_loopback(self.host)


def mail_server(text: str) -> MailServer:
    """`smtp://user:password@host:587`; what stands for a user or a password is percent-encoded."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        # The error would quote a piece of the address, which may be a piece of the password.
        raise ValueError("its host or port cannot be read") from None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("write other than ASCII characters as %XX")
    if parts.scheme not in _MAIL_PORTS or parts.path not in ("", "/") or parts.query or parts.fragment or port == 0:
        raise ValueError("write characters such as / ? # @ : in a user name or password as %XX")
    return MailServer(
        host=_mail_host(parts.hostname or ""),
        port=port or _MAIL_PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        credentials=_credentials(parts),
    )


def _mail_host(name: str) -> str:
    try:
        return _host(name).strip("[]")
    except ValueError:
        raise ValueError("it names no host") from None


def _credentials(parts: SplitResult) -> tuple[str, str] | None:
    if "@" not in parts.netloc:
        return None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    # What is not UTF-8 was replaced by this character.
    if not user or not password or not (user + password).isprintable() or "\ufffd" in user + password:
        raise ValueError("user name and password go together, as %XX of UTF-8 where they are not ASCII")
    return user, password


def mail_from(text: str) -> str:
    """One address, with a name in front if wanted, as it will stand in the header."""
    header: Any = HeaderRegistry()("From", text) if text.isprintable() else None
    addresses = [] if header is None or header.defects else list(header.addresses)
    if len(addresses) != 1 or not addresses[0].domain or not addresses[0].addr_spec.isascii():
        raise ValueError
    return text


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


def packages(text: str) -> tuple[str, ...]:
    """Slugs or ids, each once."""
    for item in items(text):
        if not _PACKAGE_NAME.fullmatch(item):
            raise ValueError(f"{item!r} is neither a slug nor an id")
    return tuple(dict.fromkeys(items(text)))


def origins(text: str) -> tuple[str, ...]:
    return tuple(item if item == "*" else _listed_origin(item) for item in items(text))


def _listed_origin(item: str) -> str:
    try:
        return origin(item)
    except ValueError as error:
        raise ValueError(f"{item!r} is not an origin: {error}") from None


# An origin, a host or an origin with `*` and `?` in it, or the scheme of an app: `myapp://`, with a path if need be.
_TRUSTED = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s,#]*|[A-Za-z0-9.*?:-]*[*?][A-Za-z0-9.*?:-]*")


def trusted_origins(text: str) -> tuple[str, ...]:
    """Origins and patterns of origins as better-auth writes them. Each names somebody: no pattern fits every host."""
    return tuple(_trusted_origin(item) for item in items(text))


def _trusted_origin(item: str) -> str:
    scheme, is_address, rest = item.partition("://")
    has_wildcard = "*" in item or "?" in item
    if scheme.lower() in _DEFAULT_PORTS and is_address and not has_wildcard:
        return _listed_origin(item.removesuffix("/"))
    if not _TRUSTED.fullmatch(item):
        raise ValueError(f"{item!r} names no origin")
    if is_address and scheme.lower() not in _DEFAULT_PORTS:
        return item
    host, _, path = (rest if is_address else item).partition("/")
    if path or not host.partition(":")[0].strip("*?."):
        raise ValueError(f"{item!r} would trust everybody, or has a path")
    return item.removesuffix("/").lower()


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


def given_secrets(text: str) -> tuple[str, ...]:
    """Secrets that another application has chosen already. How they came about is asked in production, their length
    always.
    """
    keys = items(text)
    if any(len(key.encode()) < MINIMAL_SECRET_BYTES for key in keys):
        raise ValueError("one of them is shorter")
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

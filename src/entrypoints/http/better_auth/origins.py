"""Whom the door trusts: the origins that requests may come from, and the pages that people may be sent to.

An entry is an origin, a pattern of origins or hosts with `*` and `?`, or the scheme of an app with as much of an
address as is wanted. Our own origin is always among them. An address is read more narrowly than browsers read it: what
two readers could take for different hosts is trusted by none.
"""

from __future__ import annotations

import fnmatch
import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

_LONGEST = 4_000
_WEB: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:[/?#][^\\]*)?",
    re.IGNORECASE,
)
_APP: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):"
    r"(?://(?P<authority>(?:[a-z0-9._~-]*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)(?=[/?#]|\Z)|(?!//))"
    r"(?P<path>[^?#\\\s]*)(?:[?#][^\\\s]*)?",
    re.IGNORECASE,
)
_RELATIVE: Final = re.compile(r"/(?!/)[A-Za-z0-9_\-.+/@]*(?:\?[A-Za-z0-9_\-.+/=&%@]*)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT = 65_535
# Schemes whose addresses are programs or documents of their own, or files of whoever is sent there.
_NEVER: Final = frozenset({"javascript", "data", "vbscript", "blob", "file", "about", "view-source"})


class OriginSettings(Protocol):
    """What is set about origins."""

    @property
    @abstractmethod
    def trusted_origins(self) -> tuple[str, ...]: ...
    @property
    @abstractmethod
    def public_url(self) -> str | None: ...
    @property
    @abstractmethod
    def base_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _AppAddress:
    """An address of an app's own scheme. Its path has no steps that lead nowhere or up."""

    scheme: str
    authority: str
    path: str

    def covers(self, other: _AppAddress) -> bool:
        """Whether it is the other one's beginning; what it leaves out may be anything."""
        if self.scheme != other.scheme or self.authority not in ("", other.authority):
            return False
        return self.path in ("", other.path) or other.path.startswith(f"{self.path}/")


@dataclass(frozen=True, slots=True)
class _Address:
    """An address as it is compared: the origin and the host with the port of one on the web, or an app's."""

    text: str
    origin: str | None = None
    host: str = ""
    app: _AppAddress | None = None


class TrustedOrigins:
    """The origins that are trusted, as `ACE_TRUSTED_ORIGINS` has them, and our own."""

    def __init__(self, settings: OriginSettings) -> None:
        self._entries = [_entry(entry) for entry in (settings.base_url, *settings.trusted_origins)]

    def allows(self, origin: str, own: str) -> bool:
        """Whether an `Origin` or a `Referer` is trusted, where the request was sent to the origin `own`."""
        address = _read(origin)
        return address is not None and (address.origin == own or any(entry(address) for entry in self._entries))

    def trusts(self, url: str, own: str) -> bool:
        """Whether people may be sent there: a plain path of ours, or an address of a trusted origin."""
        if url.startswith("/"):
            return len(url) <= _LONGEST and _RELATIVE.fullmatch(url) is not None
        return self.allows(url, own)


def own_origin(settings: OriginSettings, *, https: bool, host: str) -> str:
    """The origin that a request was sent to: the public one where there is one, else what the caller calls us."""
    if settings.public_url is not None:
        return settings.public_url
    found = _read(f"{'https' if https else 'http'}://{host}")
    return settings.base_url if found is None or found.origin is None else found.origin


def _entry(entry: str) -> Callable[[_Address], bool]:
    """The question whether an address is what this entry means."""
    if "*" in entry or "?" in entry:
        pattern = re.compile(fnmatch.translate(entry.replace("[", "[[]")))
        if "://" in entry:
            return lambda address: pattern.match(address.origin or address.text) is not None
        return lambda address: bool(address.host) and pattern.match(address.host) is not None
    meant = _read(entry)
    if meant is None or meant.app is None:
        return lambda address: address.origin is not None and address.origin == entry
    app = meant.app
    return lambda address: address.app is not None and app.covers(address.app)


def _read(text: str) -> _Address | None:
    """An address in the one way in which everybody reads it, or nothing."""
    if len(text) > _LONGEST or _CONTROL.search(text):
        return None
    if text[:5].lower().startswith("http:") or text[:6].lower().startswith("https:"):
        return _web_address(text)
    found = _APP.fullmatch(text)
    if found is None or found["scheme"].lower() in _NEVER or int(found["port"] or 0) > _LAST_PORT:
        return None
    authority = (found["authority"] or "").lower()
    return _Address(
        text, host=authority, app=_AppAddress(found["scheme"].lower(), authority, _without_steps(found["path"]))
    )


def _web_address(text: str) -> _Address | None:
    found = _WEB.fullmatch(text)
    if found is None:
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or _PORTS[scheme])
    if port > _LAST_PORT:
        return None
    if port != _PORTS[scheme]:
        host = f"{host}:{port}"
    return _Address(text, origin=f"{scheme}://{host}", host=host)


def _without_steps(path: str) -> str:
    """A path after its `.` and `..` were followed, decoded, so that none leads out of what is trusted."""
    kept: list[str] = []
    for step in unquote(path).split("/"):
        if step == "..":
            del kept[-1:]
        elif step not in ("", "."):
            kept.append(step)
    return "".join(f"/{step}" for step in kept)

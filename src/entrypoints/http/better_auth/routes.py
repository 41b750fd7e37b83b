"""Which endpoint a path belongs to. A path is compared as it was sent: what is encoded there stays encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from litestar.types import HTTPScope

from entrypoints.http.better_auth.endpoint import BASE, Endpoint


@dataclass(frozen=True, slots=True)
class Route:
    """A path that was found, with the endpoint for each method."""

    template: str
    by_method: Mapping[str, Endpoint]
    params: Mapping[str, str] = field(default_factory=dict)


class Routes:
    """The endpoints by their paths; one without parameters goes before one with."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._plain: dict[str, dict[str, Endpoint]] = {}
        self._open: dict[tuple[str, ...], dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            methods = (
                self._open.setdefault(tuple(endpoint.path.split("/")), {})
                if ":" in endpoint.path
                else self._plain.setdefault(endpoint.path, {})
            )
            methods.update(dict.fromkeys(endpoint.methods, endpoint))

    def find(self, path: str) -> Route | None:
        """The route of a path below the base, whatever the method."""
        if path in self._plain:
            return _route(self._plain[path], {})
        parts = path.split("/")
        for pattern, methods in self._open.items():
            params = _matched(pattern, parts)
            if params is not None:
                return _route(methods, params)
        return None


def is_below_base(scope: HTTPScope) -> bool:
    """Whether a request is one to the door."""
    path = scope["path"]
    return path.startswith(BASE) and (path == BASE or path.startswith(f"{BASE}/"))


def path_below_base(scope: HTTPScope) -> str:
    """The path of such a request without the base, as it was sent; empty where it leads nowhere."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return path.removeprefix(BASE) if path.startswith(f"{BASE}/") else ""


def _route(methods: Mapping[str, Endpoint], params: Mapping[str, str]) -> Route:
    return Route(next(iter(methods.values())).template, methods, params)


def _matched(pattern: tuple[str, ...], parts: Sequence[str]) -> dict[str, str] | None:
    """What stands for the parameters of a pattern, if the path is one of it."""
    if len(pattern) != len(parts):
        return None
    params = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith(":") and part:
            params[wanted[1:]] = part
        elif wanted != part:
            return None
    return params

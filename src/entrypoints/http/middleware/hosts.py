"""The host names that the server answers for; any other is refused, so that no link is built from a forged one."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import lru_cache
from typing import Final

from litestar.types import HTTPScope, Receive, Send

from entrypoints.http.exchange import HttpApp, exchange_of
from entrypoints.http.problems import send_problem
from entrypoints.http.refusals import HostNotAllowed

# Probes come by address.
_PROBES = frozenset({"/healthz", "/health", "/readyz"})
_REMEMBERED: Final = 256
# A name of 253 letters, a colon and a port.
_LONGEST: Final = 259


class Hosts:
    """Compares every `Host` header, without its port, with an exact list."""

    def __init__(self, app: HttpApp, *, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = frozenset(name.lower() for name in allowed)
        self._is_ours = lru_cache(_REMEMBERED)(self._compare)

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        if self._allows(scope) or scope["path"] in _PROBES:
            return self._app(scope, receive, send)
        return send_problem(send, exchange_of(scope), HostNotAllowed())

    def _allows(self, scope: HTTPScope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return bool(hosts) and all(len(host) <= _LONGEST and self._is_ours(host) for host in hosts)

    def _compare(self, host: bytes) -> bool:
        return _without_port(host.decode("latin-1").lower()) in self._allowed


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host

"""The host names that the server answers for; any other is refused, so that no link is built from a forged one."""

from __future__ import annotations

from litestar.types import HTTPScope, Receive, Send

from entrypoints.http.exchange import HttpApp, exchange_of
from entrypoints.http.problems import send_problem
from entrypoints.http.refusals import HostNotAllowed

# Probes come by address.
_PROBES = frozenset({"/healthz", "/health", "/readyz"})


class Hosts:
    """Compares every `Host` header, without its port, with an exact list."""

    def __init__(self, app: HttpApp, *, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = frozenset(name.lower() for name in allowed)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if scope["path"] in _PROBES or self._allows(scope):
            await self._app(scope, receive, send)
        else:
            await send_problem(send, exchange_of(scope), HostNotAllowed())

    def _allows(self, scope: HTTPScope) -> bool:
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        return bool(hosts) and all(_without_port(host) in self._allowed for host in hosts)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host

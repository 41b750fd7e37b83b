"""Rate limits of routes: a route names its quota in `opt["quota"]`, and every answer tells what is left of it.

The headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy: "link";q=60;w=60` is the quota in a
window of seconds, `RateLimit: "link";r=59;t=60` what remains of it until the window ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from litestar.types import ASGIApp, Receive, Scope, Send

from application.auth.throttling import TakeQuota
from domain.auth.people import Actor
from domain.auth.throttling import Left, Quota, client_network
from entrypoints.http.exchange import exchange_of
from entrypoints.http.route_layers import RouteLayer, ServedRoute


class Container(Protocol):
    """Where the middleware gets what it needs."""

    @property
    def providers(self) -> Mapping[str, Callable[[], Any]]: ...


class RateLimits(RouteLayer):
    """Counts a request before its body is read. The caller is the user who is signed in, else the client's network."""

    def __init__(self, take_quota: TakeQuota, quotas: Mapping[str, Quota]) -> None:
        self._take_quota = take_quota
        self._quotas = quotas

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        name = route.opt.get("quota")
        if name is None:
            return app

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            await self._count(self._quotas[name], scope)
            await app(scope, receive, send)

        return counted

    async def _count(self, quota: Quota, scope: Scope) -> None:
        exchange, actor = exchange_of(scope), scope.get("user")
        caller = actor.user_id if isinstance(actor, Actor) else client_network(exchange.ip)
        left = await self._take_quota(quota, caller)
        exchange.answer_headers += [
            (header.encode(), value.encode()) for header, value in rate_limit_headers(left).items()
        ]


def rate_limit_headers(left: Left) -> dict[str, str]:
    """What a client is told about a quota that it uses."""
    quota = left.quota
    return {
        "ratelimit-policy": f'"{quota.name}";q={quota.limit};w={int(quota.window.total_seconds())}',
        "ratelimit": f'"{quota.name}";r={left.acts};t={left.seconds}',
    }


def middleware(container: Container) -> list[RouteLayer]:
    """To stand behind authentication, which says who asks."""
    return [RateLimits(container.providers["take_quota"](), container.providers["quotas"]())]

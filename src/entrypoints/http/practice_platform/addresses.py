"""Before anybody is recognised at this door: no token travels in an address."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from litestar.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.practice_platform.errors import TokenInAddress
from entrypoints.http.route_layers import RouteLayer, ServedRoute

_NAMES: Final = frozenset({"token", "access_token", "refresh_token", "auth_token", "jwt", "bearer", "authorization"})


class NoTokensInAddresses(RouteLayer):
    """Refuses what would work elsewhere and leak by it: logs, histories and referrers keep addresses."""

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        if not route.opt.get("tokenless_address", False):
            return app

        async def refused_with_token(scope: Scope, receive: Receive, send: Send) -> None:
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if any(name.lower() in _NAMES for name, _ in query):
                raise TokenInAddress(
                    "A token must not be sent in the address, where logs keep it: send it in the header"
                    " 'Authorization: Bearer <token>'."
                )
            await app(scope, receive, send)

        return refused_with_token

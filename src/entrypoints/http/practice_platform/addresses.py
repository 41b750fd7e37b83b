"""Before anybody is recognised at this door: no token travels in an address."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.practice_platform.errors import TokenInAddress

_NAMES: Final = frozenset({"token", "access_token", "refresh_token", "auth_token", "jwt", "bearer", "authorization"})


class NoTokensInAddresses(ASGIMiddleware):
    """Refuses what would work elsewhere and leak by it: logs, histories and referrers keep addresses."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["route_handler"].opt.get("tokenless_address", False):
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if any(name.lower() in _NAMES for name, _ in query):
                raise TokenInAddress(
                    "A token must not be sent in the address, where logs keep it: send it in the header"
                    " 'Authorization: Bearer <token>'."
                )
        await next_app(scope, receive, send)

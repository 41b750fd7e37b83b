"""Before anybody is recognised at this door: no token travels in an address."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from litestar.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.practice_platform.errors import TokenInAddress
from entrypoints.http.route_layers import RouteLayer, ServedRoute

# As they are spelt without case, hyphens, underscores and brackets.
_NAMES: Final = frozenset(f"{which}token" for which in ("", "access", "refresh", "id", "auth", "bearer", "session")) | {
    "jwt",
    "bearer",
    "authorization",
}
_BETWEEN_WORDS: Final = re.compile(r"[-_\[\] ]")
# Three parts by points, the first of which begins with `{"` before it is encoded.
_ACCESS_TOKEN: Final = re.compile(r"(?:bearer )?eyJ[\w-]*\.[\w-]*\.[\w-]*", re.ASCII | re.IGNORECASE)


class NoTokensInAddresses(RouteLayer):
    """Refuses what would work elsewhere and leak by it: logs, histories and referrers keep addresses.

    That is whatever is called a token, and an access token whatever it is called.
    """

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        if not route.opt.get("tokenless_address", False):
            return app

        async def refused_with_token(scope: Scope, receive: Receive, send: Send) -> None:
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            if any(_is_token(name, value) for name, value in query):
                raise TokenInAddress(
                    "A token must not be sent in the address, where logs keep it: send it in the header"
                    " 'Authorization: Bearer <token>'."
                )
            await app(scope, receive, send)

        return refused_with_token


def _is_token(name: str, value: str) -> bool:
    return _BETWEEN_WORDS.sub("", name).lower() in _NAMES or _ACCESS_TOKEN.fullmatch(value) is not None

"""Cross-origin requests: an exact list of origins, with credentials."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from litestar.types import HTTPScope, Receive, Send

from entrypoints.http.exchange import Header, HttpApp, exchange_of

_EXPOSED = (
    b"ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Error-Code, X-Request-Id,"
    b" X-Retry-After, traceparent"
)
_REQUEST_HEADERS = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-CSRF-Token, X-Request-Id, traceparent"
)
_PREFLIGHT: Final[tuple[Header, ...]] = (
    (b"access-control-allow-methods", b"DELETE, GET, HEAD, PATCH, POST, PUT"),
    (b"access-control-allow-headers", _REQUEST_HEADERS),
    (b"access-control-max-age", b"600"),
)
_VARY: Final[Header] = (b"vary", b"Origin")


class Cors:
    """Tells browsers which other origins may read answers. `*` allows every origin, by its name."""

    def __init__(self, app: HttpApp, *, origins: tuple[str, ...]) -> None:
        self._app = app
        self._any = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange = exchange_of(scope)
        exchange.answer_headers.append(_VARY)
        origin = exchange.request_headers.get(b"origin")
        allowed = origin is not None and (self._any or origin in self._origins)
        if origin is not None and allowed:
            exchange.answer_headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        if scope["method"] == "OPTIONS" and origin and b"access-control-request-method" in exchange.request_headers:
            return _answer_preflight(send, list(_PREFLIGHT) if allowed else [])
        return self._app(scope, receive, send)


async def _answer_preflight(send: Send, headers: list[Header]) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

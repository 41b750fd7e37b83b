"""Checks that need the route and nothing else: identifiers in the path, and the announced size of the body."""

from __future__ import annotations

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from domain.identifiers import could_be_id
from entrypoints.http.exchange import exchange_of
from entrypoints.http.refusals import MalformedRequest, PayloadTooLarge, RouteNotFound

_LENGTH_DIGITS = 18


class Admission(ASGIMiddleware):
    """A path parameter is an identifier: one of impossible shape is of nothing. A body too large is not read at all."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        for value in scope["path_params"].values():
            if not could_be_id(value):
                raise RouteNotFound
        length = exchange_of(scope).request_headers.get(b"content-length")
        if length is not None:
            _refuse_too_large(scope, length)
        await next_app(scope, receive, send)


def _refuse_too_large(scope: Scope, length: bytes) -> None:
    if not length.isdigit():
        raise MalformedRequest("Content-Length is not a number")
    limit = scope["route_handler"].resolve_request_max_body_size()  # type: ignore[union-attr]
    if limit is not None and (len(length) > _LENGTH_DIGITS or int(length) > limit):
        raise PayloadTooLarge(f"The body may have at most {limit} bytes")

"""Checks that need the route and nothing else: identifiers in the path, and the announced size of the body."""

from __future__ import annotations

from litestar.types import ASGIApp, Receive, Scope, Send

from domain.identifiers import could_be_id
from entrypoints.http.exchange import exchange_of
from entrypoints.http.refusals import MalformedRequest, PayloadTooLarge, RouteNotFound
from entrypoints.http.route_layers import RouteLayer, ServedRoute

_LENGTH_DIGITS = 18


class Admission(RouteLayer):
    """A path parameter is an identifier: one of impossible shape is of nothing. A body too large is not read at all."""

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        limit = route.handler.resolve_request_max_body_size()

        async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
            for value in scope["path_params"].values():
                if not could_be_id(value):
                    raise RouteNotFound
            length = exchange_of(scope).request_headers.get(b"content-length")
            if length is not None:
                _refuse_too_large(length, limit)
            await app(scope, receive, send)

        return admitted


def _refuse_too_large(length: bytes, limit: int | None) -> None:
    if not length.isdigit():
        raise MalformedRequest("Content-Length is not a number")
    if limit is not None and (len(length) > _LENGTH_DIGITS or int(length) > limit):
        raise PayloadTooLarge(f"The body may have at most {limit} bytes")

"""HEAD wherever GET is, and OPTIONS that tells every method of an address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import cast

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope, Message, Receive, Send

from entrypoints.http.exchange import Header, HttpApp, enter, exchange_of
from entrypoints.http.refusals import allow_with_head


def allowed_methods(app: Litestar) -> dict[str, bytes]:
    """The value of `Allow` for each route template. Litestar's own forgets handlers that were registered later."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found[route.path_format] |= set(route.route_handler_map)
    return {template: allow_with_head(", ".join(methods)).encode() for template, methods in found.items()}


class Methods:
    """Asks for a GET when the client asks for a HEAD and keeps the body back; corrects what OPTIONS says."""

    def __init__(self, app: HttpApp, *, allowed: Mapping[str, bytes]) -> None:
        self._app = app
        self._allowed = allowed

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["method"] == "HEAD":
            # A copy: the server looks at its own scope to know that no body will come.
            asked = cast("HTTPScope", {**scope, "method": "GET"})
            enter(asked, exchange_of(scope))
            return self._app(asked, receive, _without_body(send))
        if scope["method"] == "OPTIONS":
            send = self._telling_all_methods(scope, send)
        return self._app(scope, receive, send)

    def _telling_all_methods(self, scope: HTTPScope, send: Send) -> Send:
        async def send_corrected(message: Message) -> None:
            if message["type"] == "http.response.start":
                allow = self._allowed.get(scope.get("path_template", ""))
                message["headers"] = [_corrected(header, allow) for header in message["headers"]]
            await send(message)

        return send_corrected


def _without_body(send: Send) -> Send:
    async def send_headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message["body"] = b""
        await send(message)

    return send_headers_only


def _corrected(header: Header, allow: bytes | None) -> Header:
    return (b"allow", allow) if header[0] == b"allow" and allow is not None else header

"""From the layers to the handler of a route: by the framework's own table, without its detours."""

from __future__ import annotations

import re

from litestar import Litestar
from litestar.types import ASGIApp, HTTPScope, Receive, Send
from litestar.utils import normalize_path

from entrypoints.http.exchange import exchange_of
from entrypoints.http.problems import send_refusal
from entrypoints.http.refusals import MalformedRequest

# What may stand in a host, in its port and around an address (RFC 3986, 3.2.2).
_HOST = re.compile(rb"[0-9A-Za-z!$&'()*+,;=._~:\[\]@%-]*")


class Routing:
    """Does what calling the framework at the root of a server does, and tells what is refused as its handler would.

    The framework gathers the handlers of errors anew for each request and watches every message of its answer, because
    any route may have handlers of its own and nobody else knows whether an answer has begun. Here there is one, and the
    exchange knows.
    """

    def __init__(self, app: Litestar) -> None:
        self._app = app
        self._find = app.asgi_router.handle_routing

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        try:
            await self._found(scope)(scope, receive, send)
        except Exception as error:
            if exchange_of(scope).status:
                raise  # an answer has begun, and cannot become another
            await send_refusal(send, scope, error)

    def _found(self, scope: HTTPScope) -> ASGIApp:
        """What serves the address; what it leads to is noted in the scope, as the framework does."""
        scope["app"] = scope["litestar_app"] = self._app
        scope.setdefault("state", {})
        for name, value in scope["headers"]:
            if name == b"host" and not _HOST.fullmatch(value):
                raise MalformedRequest
        path, method = normalize_path(scope["path"]), scope["method"]
        app, handler, scope["path"], scope["path_params"], template = self._find(path=path, method=method)
        scope["route_handler"], scope["path_template"] = handler, template
        return app

"""What stands between the router and a handler: for each route only what has something to do there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from litestar import Litestar
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Middleware, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from entrypoints.http.plain import PlainCall, is_plain


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """One handler at one path, as the layers around it need to know it.

    `takes_claims`: the handler asks the store itself whether a claim stands, and whatever it refuses, its refusal
    passes through every layer before it is told.
    """

    handler: HTTPRouteHandler
    takes_claims: bool = False

    @property
    def opt(self) -> dict[str, Any]:
        return self.handler.opt


class RouteLayer(Protocol):
    """Puts itself around the handlers that it has something to do for."""

    @abstractmethod
    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        """What stands in front of `app` at this route; `app` itself where nothing needs to."""


# The framework's own kind of middleware stands at every route.
AnyLayer: TypeAlias = "RouteLayer | Middleware"


class RouteLayers:
    """The layers as the framework's one middleware, outermost first; behind them plain handlers are called directly.

    What a route needs is found out at its first request.
    """

    def __init__(self, layers: Sequence[AnyLayer], *, plain: bool = True) -> None:
        self._layers = tuple(layers)
        self._plain = plain
        # Who is no layer of ours may answer in place of a handler, so nobody gets there unless the store was asked.
        self._all_ours = all(hasattr(layer, "around") for layer in layers)

    def __call__(self, app: ASGIApp) -> ASGIApp:
        entries: list[ASGIApp] = []

        async def enter(scope: Scope, receive: Receive, send: Send) -> None:
            if not entries:
                entries.append(self._built(scope, app))
            await entries[0](scope, receive, send)

        return enter

    def _built(self, scope: Scope, app: ASGIApp) -> ASGIApp:
        handler: Any = scope["route_handler"]
        parameters = frozenset(scope["path_params"])
        call = PlainCall.of(handler, parameters) if self._plain else None
        takes_claims = call is not None and self._all_ours and handler.opt.get("claimant", False)
        route = ServedRoute(handler, takes_claims)
        app = _answering_errors(handler, app) if call is None else call
        for layer in reversed(self._layers):
            app = _around(layer, route, app)
        return app


def _answering_errors(handler: HTTPRouteHandler, app: ASGIApp) -> ASGIApp:
    """The framework's own call, which expects its router to have said who answers errors."""
    known = handler.resolve_exception_handlers()

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        ScopeState.from_scope(scope).exception_handlers = known
        await app(scope, receive, send)

    return call


def _around(layer: Any, route: ServedRoute, app: ASGIApp) -> ASGIApp:
    found: ASGIApp = layer.around(route, app) if hasattr(layer, "around") else layer(app)
    return found


def refuse_impossible_claims(app: Litestar) -> None:
    """A route for claimants has a plain handler that asks for its `caller`, and nothing that needs to know an actor."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, _ in route.route_handler_map.values():
                if handler.opt.get("claimant", False) and not _may_take_claims(handler, route):
                    raise ImproperlyConfiguredException(f"{handler} cannot take claimants")


def _may_take_claims(handler: HTTPRouteHandler, route: HTTPRoute) -> bool:
    asked = handler.parsed_fn_signature.parameters
    return (
        "caller" in asked
        and "actor" not in asked
        and bool(handler.opt.get("callers"))
        and handler.opt.keys().isdisjoint({"quota", "before_password_change", "bearer_only"})
        and is_plain(handler, frozenset(route.path_parameters))
    )

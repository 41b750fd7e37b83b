"""From the container into the parameters of handlers, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from litestar import Litestar, Router
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

T = TypeVar("T")

# A parameter filled by name. It is not validated: Litestar cannot check a value against a Protocol.
Injected: TypeAlias = NamedDependency[SkipValidation[T]]


def provided(providers: Mapping[str, Callable[[], Any]]) -> dict[str, Provide]:
    """Every provider of the container as a dependency. Use cases hold no state of a request, so each is built once."""
    return {
        name: Provide(_call(provider), sync_to_thread=False, use_cache=True) for name, provider in providers.items()
    }


def needed(handlers: Sequence[ControllerRouterHandler], available: Mapping[str, Provide]) -> dict[str, Provide]:
    """Of what is available, what these handlers and their dependencies name.

    Litestar compares all dependencies of each handler with each other when it starts, so it is not given all of them.
    """
    found: dict[str, Provide] = {}
    names = {name for handler in handlers for function in _functions(handler) for name in _parameters(function)}
    while missing := (names & available.keys()) - found.keys():
        found |= {name: available[name] for name in missing}
        names = {name for each in missing for name in _parameters(available[each].dependency)}
    return found


def _functions(handler: ControllerRouterHandler) -> Iterator[Callable[..., Any]]:
    if isinstance(handler, HTTPRouteHandler):
        yield handler.fn
    elif isinstance(handler, Router):
        for route in handler.routes:
            if isinstance(route, HTTPRoute):
                yield from (inner.fn for inner in route.route_handlers)
    else:
        for name in dir(handler):
            member = getattr(handler, name)
            if isinstance(member, HTTPRouteHandler):
                yield member.fn


def _parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)


def resolve_one_by_one(app: Litestar) -> None:
    """Litestar starts a task for each of several dependencies, 25 µs each; ours are plain functions and need none."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [{each} for batch in model.dependency_batches for each in batch]


def _call(provider: Callable[[], Any]) -> Callable[[], Any]:
    """A plain function: Litestar cannot read the signature of a provider object."""

    def provide() -> Any:
        return provider()

    return provide

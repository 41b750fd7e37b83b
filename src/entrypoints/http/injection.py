"""From the container into the parameters of handlers, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from litestar import Litestar
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from litestar.routes import HTTPRoute

T = TypeVar("T")

# A parameter filled by name. It is not validated: Litestar cannot check a value against a Protocol.
Injected: TypeAlias = NamedDependency[SkipValidation[T]]


def provided(providers: Mapping[str, Callable[[], Any]]) -> dict[str, Provide]:
    """Every provider of the container as a dependency. Use cases hold no state of a request, so each is built once."""
    return {
        name: Provide(_call(provider), sync_to_thread=False, use_cache=True) for name, provider in providers.items()
    }


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

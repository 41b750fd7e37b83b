"""The areas that are served, each with the routes of its module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler, Middleware

from entrypoints.http import admin, auth, enrollment, exam, practice, progress, question_bank
from entrypoints.http.injection import needed


class Area(Protocol):
    """A module with `handlers`. It may also have `middleware` and `dependencies`, as authentication has."""

    @property
    def handlers(self) -> Sequence[ControllerRouterHandler]: ...


AREAS: tuple[Area, ...] = (auth, enrollment, question_bank, progress, practice, exam, admin)


def routers_of(areas: Sequence[Area], available: Mapping[str, Provide]) -> list[Router]:
    """The routes of each area, with what they need of what is available."""
    return [
        Router(path="/", route_handlers=area.handlers, dependencies=needed(area.handlers, available)) for area in areas
    ]


def dependencies_of(areas: Sequence[Area]) -> dict[str, Provide]:
    """What the areas offer to every handler by name, such as the actor."""
    found: dict[str, Provide] = {}
    for area in areas:
        found.update(getattr(area, "dependencies", {}))
    return found


def middleware_of(areas: Sequence[Area], container: Any) -> list[Middleware]:
    """What the areas put between the router and the handlers, in the order of the areas."""
    found: list[Middleware] = []
    for area in areas:
        own: Sequence[Middleware] | Callable[[Any], Sequence[Middleware]] = getattr(area, "middleware", ())
        found.extend(own(container) if callable(own) else own)
    return found

"""The areas that are served, each with the routes of its module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from entrypoints.http import admin, auth, enrollment, exam, practice, practice_platform, progress, question_bank
from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.injection import needed
from entrypoints.http.route_layers import AnyLayer


class Area(Protocol):
    """A module with `handlers`. It may also have `middleware` and `dependencies`, as authentication has; `is_served`,
    which tells by the settings whether it is there; and `forms`, which tell errors below a path in their own way.
    """

    @property
    def handlers(self) -> Sequence[ControllerRouterHandler]: ...


# The practice platform's door first: what it asks of an address, it asks before anybody is recognised.
AREAS: tuple[Area, ...] = (practice_platform, auth, enrollment, question_bank, progress, practice, exam, admin)


def served_areas(areas: Sequence[Area], settings: Any) -> tuple[Area, ...]:
    """Those of the areas that the settings do not turn off."""
    return tuple(area for area in areas if getattr(area, "is_served", _always)(settings))


def forms_of(areas: Sequence[Area]) -> dict[str, ErrorForm]:
    """How errors are told below the paths of areas that have a form of their own."""
    found: dict[str, ErrorForm] = {}
    for area in areas:
        found.update(getattr(area, "forms", {}))
    return found


def routers_of(areas: Sequence[Area], available: Mapping[str, Provide]) -> list[Router]:
    """The routes of each area, with what they need of what is available."""
    return [
        Router(path="/", route_handlers=area.handlers, dependencies=needed(area.handlers, available)) for area in areas
    ]


def dependencies_of(areas: Sequence[Area], container: Any) -> dict[str, Provide]:
    """What the areas offer to every handler by name, such as the actor."""
    found: dict[str, Provide] = {}
    for area in areas:
        own: Mapping[str, Provide] | Callable[[Any], Mapping[str, Provide]] = getattr(area, "dependencies", {})
        found.update(own(container) if callable(own) else own)
    return found


def middleware_of(areas: Sequence[Area], container: Any) -> list[AnyLayer]:
    """What the areas put between the router and the handlers, in the order of the areas."""
    found: list[AnyLayer] = []
    for area in areas:
        own: Sequence[AnyLayer] | Callable[[Any], Sequence[AnyLayer]] = getattr(area, "middleware", ())
        found.extend(own(container) if callable(own) else own)
    return found


def _always(_: Any) -> bool:
    return True

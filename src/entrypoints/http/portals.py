"""What the routes of the three portals share: each stands at every portal, under the same name and for its role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from litestar import Controller
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from domain.auth.people import Role


class PortalRoutes(Controller):
    """Routes that every portal has. Whoever inherits them at last names the portal's role."""

    portal: ClassVar[Role]


def operation(verb: str) -> Callable[[HTTPRouteHandler, Method, list[Any]], str]:
    """`login` at `/student/…` is `loginStudent`; the old paths without a portal are `loginLegacy`."""

    def name(_: HTTPRouteHandler, __: Method, path: list[Any]) -> str:
        return f"{verb}Legacy" if path[0] == "auth" else f"{verb}{str(path[0]).title()}"

    return name

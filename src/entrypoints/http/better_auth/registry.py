"""The endpoints that the door has, and what they are made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from entrypoints.http.better_auth import (
    account_endpoints,
    email_endpoints,
    pages,
    password_endpoints,
    session_endpoints,
    sign_endpoints,
)
from entrypoints.http.better_auth.cookies import door_cookies_of
from entrypoints.http.better_auth.endpoint import Endpoint
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools


class EndpointModule(Protocol):
    """A module with endpoints."""

    def endpoints(self, tools: Tools) -> Sequence[Endpoint]: ...


class Container(Protocol):
    """The composition root: a provider for each name."""

    @property
    def providers(self) -> Mapping[str, Callable[[], Any]]: ...


MODULES: Final[tuple[EndpointModule, ...]] = (
    pages,
    sign_endpoints,
    session_endpoints,
    account_endpoints,
    password_endpoints,
    email_endpoints,
)


def tools_of(container: Container) -> Tools:
    """What endpoints are made with."""
    settings, signatures = container.providers["settings"](), container.providers["door_signatures"]()
    return Tools(settings=settings, cookies=door_cookies_of(settings, signatures), providers=container.providers)


def sessions_of(tools: Tools) -> Sessions:
    """How the door reads the session of a request."""
    return Sessions(tools)


def endpoints_of(container: Container) -> list[Endpoint]:
    """Every endpoint of the door."""
    tools = tools_of(container)
    return [endpoint for module in MODULES for endpoint in module.endpoints(tools)]

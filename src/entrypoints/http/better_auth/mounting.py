"""Whether the door is there, and what it is made of."""

from __future__ import annotations

from entrypoints.http.better_auth.door import BetterAuthDoor
from entrypoints.http.better_auth.rate_limit import RateLimit
from entrypoints.http.better_auth.registry import Container, endpoints_of, sessions_of, tools_of
from entrypoints.http.exchange import HttpApp


def with_better_auth(app: HttpApp, container: Container) -> HttpApp:
    """The application with the door in front of it, where it is switched on and there are sessions to be had."""
    settings = container.providers["settings"]()
    door = getattr(settings, "better_auth", None)
    if door is None or not door.served:
        return app
    tools = tools_of(container)
    return BetterAuthDoor(
        app,
        endpoints=endpoints_of(container),
        sessions=sessions_of(tools),
        settings=settings,
        rate_limit=RateLimit(tools.use("take_quota")) if settings.counts_door_requests else None,
    )

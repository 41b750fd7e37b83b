"""Administration over HTTP: the routes of its parts, each in a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Router
from litestar.types import ControllerRouterHandler

from entrypoints.http.admin_audit import audit
from entrypoints.http.admin_dashboard import dashboard
from entrypoints.http.admin_groups import groups
from entrypoints.http.admin_invitations import invitations
from entrypoints.http.admin_limits import limits
from entrypoints.http.admin_people import people
from entrypoints.http.admin_sessions import sessions

handlers: Sequence[ControllerRouterHandler] = [
    Router("/", route_handlers=[*people, *sessions, *invitations, *limits, *groups, *audit, *dashboard], tags=["admin"])
]

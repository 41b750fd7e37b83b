"""Session limits of users and roles over HTTP: routes."""

from __future__ import annotations

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from application.admin.limit_ports import LimitReader
from application.admin.limits import ReadUserLimits, SetRoleLimit, SetUserLimit
from domain.auth.people import Actor, Role, UserNotFound
from entrypoints.http.admin_limit_bodies import (
    ChangedRoleLimitBody,
    ChangedUserLimitBody,
    RoleLimitBody,
    SetLimitRequest,
    UserLimitBody,
    changed_role_limit_body,
    changed_user_limit_body,
    role_limit_body,
    user_limit_body,
)
from entrypoints.http.admin_people import ADMINS
from entrypoints.http.injection import Injected
from entrypoints.http.refusals import RouteNotFound

_ONE_USER = {**ADMINS, "refusals": (UserNotFound,)}


@get(
    "/admin/users/{user_id:str}/session-limit",
    summary="Read the session limit of a user",
    operation_id="getUserSessionLimit",
    opt=_ONE_USER,
)
async def get_user_limit(user_id: FromPath[str], read_user_limits: Injected[ReadUserLimits]) -> UserLimitBody:
    """The session limit that counts for a user, who defines it, and every other one that is defined.

    The user's own comes first, then the lowest of the user's groups, then that of the role, then the default.
    """
    return user_limit_body(await read_user_limits(user_id))


@put(
    "/admin/users/{user_id:str}/session-limit",
    summary="Set the session limit of a user",
    operation_id="setUserSessionLimit",
    opt=_ONE_USER,
)
async def set_user_limit_of(
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[SetLimitRequest],
    set_user_limit: Injected[SetUserLimit],
) -> ChangedUserLimitBody:
    """Give a user a session limit that counts before all others, or take it away.

    It acts at the next sign-in or refresh. With `enforceNow` what is too many ends at once: the least recently seen
    first, never the session that this is asked through.
    """
    limits, enforced = await set_user_limit(actor, user_id, data.order())
    return changed_user_limit_body(limits, enforced)


@get(
    "/admin/session-limits/{role:str}",
    summary="Read the session limit of a role",
    operation_id="getRoleSessionLimit",
    opt=ADMINS,
)
async def get_role_limit(role: FromPath[str], limit_reader: Injected[LimitReader]) -> RoleLimitBody:
    """The session limit of all who have a role, if one is defined for it."""
    wanted = _role(role)
    return role_limit_body(wanted, await limit_reader.role_limit(wanted))


@put(
    "/admin/session-limits/{role:str}",
    summary="Set the session limit of a role",
    operation_id="setRoleSessionLimit",
    opt=ADMINS,
)
async def set_role_limit_of(
    role: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[SetLimitRequest],
    set_role_limit: Injected[SetRoleLimit],
) -> ChangedRoleLimitBody:
    """Give a role a session limit, for all who have neither their own nor one by their groups, or take it away.

    With `enforceNow` what is too many ends: for the first people at once, for the rest, where `complete` is false,
    within minutes.
    """
    wanted, order = _role(role), data.order()
    return changed_role_limit_body(wanted, order.limit, await set_role_limit(actor, wanted, order))


def _role(name: str) -> Role:
    """The role of this name; what is none is nothing that there could be a limit of."""
    if name not in set(Role):
        raise RouteNotFound
    return Role(name)


limits = [get_user_limit, set_user_limit_of, get_role_limit, set_role_limit_of]

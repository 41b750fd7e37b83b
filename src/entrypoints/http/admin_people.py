"""People over HTTP, as administrators deal with them: routes."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from application.admin.people import (
    AddUser,
    ChangeUser,
    DeleteUser,
    ReadUser,
    RestoreUser,
    SendPasswordLink,
    UnlockUser,
)
from application.admin.ports import AdminReader, UserFilter, UserState
from application.admin.views import UserView
from domain.admin import MAX_REASON_LENGTH, LastAdmin
from domain.auth.people import Actor, EmailTaken, Role, UsernameTaken, UserNotFound
from entrypoints.http.admin_bodies import (
    AddUserRequest,
    AdminUserBody,
    AdminUserPage,
    ChangeUserRequest,
    ReasonRequest,
    user_body,
)
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

ADMINS: dict[str, Any] = {"callers": (Role.ADMIN,)}
_ONE = {**ADMINS, "refusals": (UserNotFound,)}

# Of acts that bring no body.
ReasonParameter = Annotated[
    str | None,
    QueryParameter(name="reason", max_length=MAX_REASON_LENGTH, description="Why, for those who read the audit log"),
]


@get("/admin/users", summary="List people", operation_id="listUsers", opt=ADMINS)
async def list_users(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    admin_reader: Injected[AdminReader],
    role: Annotated[Role | None, QueryParameter(description="Only people of this role")] = None,
    status: Annotated[
        UserState | None, QueryParameter(description="Only these; unless told all who are not deleted")
    ] = None,
    q: Annotated[
        str | None,
        QueryParameter(max_length=200, description="Words that e-mail address, username or name have, or begin with"),
    ] = None,
) -> Response[AdminUserPage]:
    """People with an account, those whose account was made last first. Every word of `q` has to be found."""
    (after,) = paging.after(str) or (None,)
    chosen = UserFilter(role=role, state=status, text=q)
    found = await admin_reader.users(chosen, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=user_body, body=AdminUserPage)


@get("/admin/users/{user_id:str}", summary="Read a person", operation_id="getUser", opt=_ONE)
async def get_user(user_id: FromPath[str], read_user: Injected[ReadUser]) -> AdminUserBody:
    """One person, a deleted one too."""
    return user_body(await read_user(user_id))


@post(
    "/admin/users",
    summary="Make an account",
    operation_id="addUser",
    opt={**ADMINS, "refusals": (EmailTaken, UsernameTaken), "located": True},
)
async def add(
    request: ApiRequest, actor: NamedDependency[Actor], data: JSONBody[AddUserRequest], add_user: Injected[AddUser]
) -> Response[AdminUserBody]:
    """Make an account for somebody, who is mailed a link to choose a password. The link is good for seven days."""
    return await once(request, actor, lambda: add_user(actor, data.newcomer(), data.reason), _added)


@patch(
    "/admin/users/{user_id:str}",
    summary="Change a person",
    operation_id="changeUser",
    opt={**ADMINS, "refusals": (UserNotFound, EmailTaken, UsernameTaken, LastAdmin)},
)
async def change(
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeUserRequest],
    change_user: Injected[ChangeUser],
) -> AdminUserBody:
    """Change somebody. What is so already stays unchanged, and if nothing differs nothing happens.

    Another role, and disabling, ends every session of the person at once. A new address is mailed a link to verify it,
    and the old one is told.
    """
    return user_body(await change_user(actor, user_id, data.change(), data.reason))


@delete(
    "/admin/users/{user_id:str}",
    summary="Delete a person",
    operation_id="deleteUser",
    response_description="The person is deleted and signed out everywhere",
    opt={**ADMINS, "refusals": (UserNotFound, LastAdmin)},
)
async def delete_one(
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_user: Injected[DeleteUser],
    reason: ReasonParameter = None,
) -> None:
    """Delete somebody: every session ends at once and the address is free. What the person did stays, and they can be
    restored.
    """
    await delete_user(actor, user_id, reason)


@post(
    "/admin/users/{user_id:str}/restore",
    summary="Restore a person",
    operation_id="restoreUser",
    status_code=200,
    opt={**ADMINS, "refusals": (UserNotFound, EmailTaken, UsernameTaken)},
)
async def restore(
    request: ApiRequest,
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    restore_user: Injected[RestoreUser],
    data: JSONBody[ReasonRequest | None] = None,
) -> Response[AdminUserBody]:
    """Restore somebody who was deleted, as they were; the sessions stay ended. Whoever is not deleted stays as is."""
    return await once(request, actor, lambda: restore_user(actor, user_id, _reason(data)), user_body)


@post(
    "/admin/users/{user_id:str}/unlock",
    summary="Unlock an account",
    operation_id="unlockUser",
    status_code=204,
    response_description="The person may try to sign in at once",
    opt=_ONE,
)
async def unlock(
    request: ApiRequest,
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    unlock_user: Injected[UnlockUser],
    data: JSONBody[ReasonRequest | None] = None,
) -> Response[None]:
    """Forget the wrong passwords that were tried at an account, so that its person need not wait.

    If none were tried nothing happens.
    """
    return await once(request, actor, lambda: unlock_user(actor, user_id, _reason(data)), _nothing)


@post(
    "/admin/users/{user_id:str}/password-reset",
    summary="Send a password link",
    operation_id="sendPasswordLink",
    status_code=202,
    response_description="The mail is on its way",
    opt=_ONE,
)
async def send_password(
    request: ApiRequest,
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    send_password_link: Injected[SendPasswordLink],
    data: JSONBody[ReasonRequest | None] = None,
) -> Response[None]:
    """Mail somebody a link to choose a new password. The present one is good until the link is used.

    A disabled person gets no mail.
    """
    return await once(request, actor, lambda: send_password_link(actor, user_id, _reason(data)), _accepted)


def _reason(data: ReasonRequest | None) -> str | None:
    return None if data is None else data.reason


def _added(view: UserView) -> Reply:
    return Reply(user_body(view), headers={"location": f"/admin/users/{view.id}"})


def _nothing(_: None) -> None:
    return None


def _accepted(_: None) -> Reply:
    return Reply(None, status=202)


people = [list_users, get_user, add, change, delete_one, restore, unlock, send_password]

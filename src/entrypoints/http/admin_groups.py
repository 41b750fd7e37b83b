"""Session groups over HTTP: routes."""

from __future__ import annotations

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from application.admin.groups import (
    Added,
    AddMember,
    ChangeGroup,
    CreateGroup,
    DeleteGroup,
    ListGroupsOfUser,
    ListMembers,
    RemoveMember,
)
from application.admin.limit_ports import LimitReader
from domain.auth.limits import SessionGroupMemberNotFound, SessionGroupNameTaken, SessionGroupNotFound
from domain.auth.people import Actor, UserNotFound
from entrypoints.http.admin_limit_bodies import (
    AddMemberRequest,
    ChangedSessionGroupBody,
    ChangeGroupRequest,
    CreateGroupRequest,
    GroupMemberBody,
    GroupMemberPage,
    SessionGroupBody,
    SessionGroupPage,
    changed_group_body,
    group_body,
    member_body,
)
from entrypoints.http.admin_people import ADMINS, ReasonParameter
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_ONE = {**ADMINS, "refusals": (SessionGroupNotFound,)}


@get("/admin/session-groups", summary="List the session groups", operation_id="listSessionGroups", opt=ADMINS)
async def list_groups(
    request: ApiRequest, paging: NamedDependency[Paging], limit_reader: Injected[LimitReader]
) -> Response[SessionGroupPage]:
    """Every session group with its limit and how many people are in it, the first made first."""
    (after,) = paging.after(str) or (None,)
    found = await limit_reader.groups(after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=group_body, body=SessionGroupPage)


@post(
    "/admin/session-groups",
    summary="Make a session group",
    operation_id="createSessionGroup",
    opt={**ADMINS, "refusals": (SessionGroupNameTaken,)},
)
async def create(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    data: JSONBody[CreateGroupRequest],
    create_group: Injected[CreateGroup],
) -> Response[SessionGroupBody]:
    """Make a group of people who share a session limit. Names are told apart without regard to case."""
    return await once(request, actor, lambda: create_group(actor, data.new()), group_body)


@patch(
    "/admin/session-groups/{group_id:str}",
    summary="Change a session group",
    operation_id="changeSessionGroup",
    opt={**ADMINS, "refusals": (SessionGroupNotFound, SessionGroupNameTaken)},
)
async def change(
    group_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[ChangeGroupRequest],
    change_group: Injected[ChangeGroup],
) -> ChangedSessionGroupBody:
    """Rename a session group or change its limit: absent stays as it is, null defines no limit.

    With `enforceNow` what is too many ends: for the first members at once, for the rest, where `complete` is false,
    within minutes.
    """
    return changed_group_body(*await change_group(actor, group_id, data.change()))


@delete(
    "/admin/session-groups/{group_id:str}",
    summary="Delete a session group",
    operation_id="deleteSessionGroup",
    response_description="The group is deleted",
    opt=_ONE,
)
async def remove(
    group_id: FromPath[str],
    actor: NamedDependency[Actor],
    delete_group: Injected[DeleteGroup],
    reason: ReasonParameter = None,
) -> None:
    """Delete a session group. Its members stay as they are, its limit counts for them no more."""
    await delete_group(actor, group_id, reason)


@get(
    "/admin/session-groups/{group_id:str}/members",
    summary="List the members of a session group",
    operation_id="listSessionGroupMembers",
    opt=_ONE,
)
async def members_of(
    request: ApiRequest,
    group_id: FromPath[str],
    paging: NamedDependency[Paging],
    list_members: Injected[ListMembers],
) -> Response[GroupMemberPage]:
    """Who is in a session group, in the order in which they came to the platform."""
    (after,) = paging.after(str) or (None,)
    found = await list_members(group_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.user_id,), item=member_body, body=GroupMemberPage)


@post(
    "/admin/session-groups/{group_id:str}/members",
    summary="Put a user into a session group",
    operation_id="addSessionGroupMember",
    opt={**ADMINS, "refusals": (SessionGroupNotFound, UserNotFound), "also_answers": (200,)},
)
async def put_in(
    request: ApiRequest,
    group_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[AddMemberRequest],
    add_member: Injected[AddMember],
) -> Response[GroupMemberBody]:
    """Put a user into a session group, whose limit counts from the next sign-in or refresh.

    Who is in it already is answered as the first time, with status 200.
    """

    async def add() -> Added:
        return await add_member(actor, group_id, data.user_id, data.reason)

    return await once(request, actor, add, _added)


@delete(
    "/admin/session-groups/{group_id:str}/members/{user_id:str}",
    summary="Take a user out of a session group",
    operation_id="removeSessionGroupMember",
    response_description="The user is not in the group any more",
    opt={**ADMINS, "refusals": (SessionGroupNotFound, SessionGroupMemberNotFound)},
)
async def take_out(
    group_id: FromPath[str],
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    remove_member: Injected[RemoveMember],
    reason: ReasonParameter = None,
) -> None:
    """Take a user, deleted or not, out of a session group."""
    await remove_member(actor, group_id, user_id, reason)


@get(
    "/admin/users/{user_id:str}/session-groups",
    summary="List the session groups of a user",
    operation_id="listSessionGroupsOfUser",
    opt={**ADMINS, "refusals": (UserNotFound,)},
)
async def list_groups_of(
    request: ApiRequest,
    user_id: FromPath[str],
    paging: NamedDependency[Paging],
    list_groups_of_user: Injected[ListGroupsOfUser],
) -> Response[SessionGroupPage]:
    """The session groups that a user is in, the first made first."""
    (after,) = paging.after(str) or (None,)
    found = await list_groups_of_user(user_id, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=group_body, body=SessionGroupPage)


def _added(added: Added) -> Reply:
    return Reply(member_body(added.member), status=201 if added.created else 200)


groups = [list_groups, create, change, remove, members_of, put_in, take_out, list_groups_of]

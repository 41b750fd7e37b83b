"""Invitations over HTTP: routes."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from application.admin.inviting import Invite, WithdrawInvitation
from application.admin.ports import AdminReader, InvitationFilter
from domain.auth.invitations import InvitationNotFound, InvitationState
from domain.auth.people import Actor, EmailTaken, Role
from entrypoints.http.admin_bodies import InvitationBody, InvitationPage, InviteRequest, invitation_body
from entrypoints.http.admin_people import ADMINS, ReasonParameter
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest


@get("/admin/invitations", summary="List invitations", operation_id="listInvitations", opt=ADMINS)
async def list_invitations(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    admin_reader: Injected[AdminReader],
    became: Annotated[
        InvitationState | None, QueryParameter(name="state", description="Only these; unless told all")
    ] = None,
    role: Annotated[Role | None, QueryParameter(description="Only invitations to become this")] = None,
    email: Annotated[str | None, QueryParameter(max_length=320, description="Only to this address")] = None,
) -> Response[InvitationPage]:
    """Invitations, the newest first."""
    (after,) = paging.after(str) or (None,)
    chosen = InvitationFilter(state=became, role=role, email=None if email is None else email.strip())
    found = await admin_reader.invitations(chosen, after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=invitation_body, body=InvitationPage)


@post(
    "/admin/invitations",
    summary="Invite somebody",
    operation_id="invite",
    opt={**ADMINS, "refusals": (EmailTaken,)},
)
async def send(
    request: ApiRequest, actor: NamedDependency[Actor], data: JSONBody[InviteRequest], invite: Injected[Invite]
) -> Response[InvitationBody]:
    """Invite somebody to register as instructor or admin. They are mailed a link that is good once, for seven days.

    An earlier invitation to the same address that is still open is replaced, and its link is good for nothing.
    """
    role = Role(data.role)
    return await once(request, actor, lambda: invite(actor, data.email, role, data.reason), invitation_body)


@delete(
    "/admin/invitations/{invitation_id:str}",
    summary="Take an invitation back",
    operation_id="withdrawInvitation",
    response_description="The invitation and its link are good for nothing",
    opt={**ADMINS, "refusals": (InvitationNotFound,)},
)
async def withdraw(
    invitation_id: FromPath[str],
    actor: NamedDependency[Actor],
    withdraw_invitation: Injected[WithdrawInvitation],
    reason: ReasonParameter = None,
) -> None:
    """Take back an invitation that is still open. It stays in the list as revoked."""
    await withdraw_invitation(actor, invitation_id, reason)


invitations = [list_invitations, send, withdraw]

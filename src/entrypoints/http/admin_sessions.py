"""Sessions over HTTP, as administrators see and end them: routes."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from application.admin.sessions import EndEverySession, EndSessionOf, EndSessionsOf, ListSessionsOf
from domain.auth.people import Actor, UserNotFound
from domain.auth.sessions import SessionNotFound
from entrypoints.http.admin_bodies import (
    AuthSessionBody,
    AuthSessionPage,
    EndedEverywhereBody,
    EndedSessionsBody,
    EveryoneRequest,
    ReasonRequest,
    session_body,
)
from entrypoints.http.admin_people import ADMINS
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.requests import ApiRequest


@get(
    "/admin/users/{user_id:str}/auth-sessions",
    summary="List a person's sessions",
    operation_id="listUserSessions",
    opt={**ADMINS, "refusals": (UserNotFound,)},
)
async def list_sessions(
    request: ApiRequest,
    user_id: FromPath[str],
    paging: NamedDependency[Paging],
    list_sessions_of: Injected[ListSessionsOf],
    which: Annotated[
        Literal["live", "all"],
        QueryParameter(name="state", description="Whether only live sessions, or those that ended too"),
    ] = "live",
) -> Response[AuthSessionPage]:
    """The sessions of a person under every door, the newest first. Ended ones are kept for a month."""
    (after,) = paging.after(str) or (None,)
    found = await list_sessions_of(user_id, ended_too=which == "all", after=after, limit=paging.limit + 1)
    return page(request, paging, found, key=lambda view: (view.id,), item=session_body, body=AuthSessionPage)


@post(
    "/admin/users/{user_id:str}/auth-sessions/revoke-all",
    summary="End a person's sessions",
    operation_id="revokeUserSessions",
    status_code=200,
    opt={**ADMINS, "refusals": (UserNotFound,)},
)
async def end_all(
    user_id: FromPath[str],
    actor: NamedDependency[Actor],
    end_sessions_of: Injected[EndSessionsOf],
    data: JSONBody[ReasonRequest | None] = None,
) -> EndedSessionsBody:
    """End every session of a person on every device, at once. If none lives nothing happens."""
    return EndedSessionsBody(revoked=await end_sessions_of(actor, user_id, data.reason if data else None))


@post(
    "/admin/users/{user_id:str}/auth-sessions/{session_id:str}/revoke",
    summary="End one session",
    operation_id="revokeUserSession",
    status_code=200,
    opt={**ADMINS, "refusals": (SessionNotFound,)},
)
async def end_one(
    user_id: FromPath[str],
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    end_session_of: Injected[EndSessionOf],
    data: JSONBody[ReasonRequest | None] = None,
) -> AuthSessionBody:
    """End one session of a person, at once. One that has ended already is answered as it is."""
    return session_body(await end_session_of(actor, user_id, session_id, data.reason if data else None))


@post(
    "/admin/auth-sessions/revoke-all",
    summary="Sign everybody out",
    operation_id="revokeEverySession",
    status_code=200,
    opt=ADMINS,
)
async def end_every(
    actor: NamedDependency[Actor], data: JSONBody[EveryoneRequest], end_every_session: Injected[EndEverySession]
) -> EndedEverywhereBody:
    """End every session of everybody that was opened until now, except the one through which this is asked.

    Of very many the first end at once, the rest, where `complete` is false, within minutes.
    """
    ended = await end_every_session(actor, data.reason)
    return EndedEverywhereBody(revoked=ended.revoked, complete=ended.complete)


sessions = [list_sessions, end_all, end_one, end_every]

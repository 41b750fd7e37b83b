"""One's sessions: reading the one that asks, seeing all of them, ending them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from application.auth.cookie_sessions import Reading
from application.auth.views import LiveSession
from domain.auth.sessions import SessionNotFound
from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Guard, Reply
from entrypoints.http.better_auth.errors import refused
from entrypoints.http.better_auth.records import time_text
from entrypoints.http.better_auth.schemas import Shape, flag, shape, shown
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools
from entrypoints.http.json_text import storable

_READING: Final = Shape((flag("disableCookieCache"), flag("disableRefresh")), optional=True)
_DONE: Final = Reply(body={"status": True})


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """The session that asks, and all of its person's."""
    own = _OwnSessions(tools, Sessions(tools))
    return (
        Endpoint(path="/get-session", run=own.get, methods=("GET", "POST"), query=_READING),
        Endpoint(path="/list-sessions", run=own.list, methods=("GET",), guard=Guard.FRESH_SESSION),
        Endpoint(path="/revoke-session", run=own.revoke, body=shape(shown("token")), guard=Guard.STORED_SESSION),
        Endpoint(path="/revoke-sessions", run=own.revoke_all, guard=Guard.STORED_SESSION),
        Endpoint(path="/revoke-other-sessions", run=own.revoke_others, guard=Guard.STORED_SESSION),
    )


@dataclass(frozen=True, slots=True)
class _OwnSessions:
    tools: Tools
    sessions: Sessions

    async def get(self, ask: Ask) -> Reply:
        """Null where there is none: that is an answer like any other."""
        ask.add_header("cache-control", "no-store")
        ask.add_header("pragma", "no-cache")
        if ask.method == "POST":
            raise refused(405, "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED")
        found = await self.sessions.find(ask)
        if found is None:
            return Reply(body=None)
        return Reply(body={"session": found.session_body, "user": found.user_body})

    async def list(self, ask: Ask) -> Reply:
        """Under every door, the oldest first. Of other sessions the id stands for the token, which nobody knows.

        A session that is over and only its copy tells of is not among them, and sees none.
        """
        found = await self.tools.use("list_own_sessions")(ask.session.actor())
        if not any(each.current for each in found):
            self.sessions.forget(ask)
            raise refused(401, "UNAUTHORIZED")
        oldest_first = sorted(found, key=lambda each: (each.created_at, each.id))
        return Reply(body=[_listed(each, ask.session) for each in oldest_first])

    async def revoke(self, ask: Ask) -> Reply:
        """By token or by what a list tells in its place. What is nobody's, or somebody else's, stays as it is."""
        token: str = ask.body["token"]
        with suppress(SessionNotFound):
            if storable(token):
                await self.tools.use("end_session_by_token")(ask.session.actor(), token)
        return _DONE

    async def revoke_all(self, ask: Ask) -> Reply:
        await self.tools.use("sign_out_everywhere")(ask.session.actor())
        return _DONE

    async def revoke_others(self, ask: Ask) -> Reply:
        await self.tools.use("end_other_sessions")(ask.session.actor())
        return _DONE


def _listed(each: LiveSession, asking: Reading) -> dict[str, Any]:
    return {
        "expiresAt": time_text(each.expires_at),
        "token": asking.secret if each.current else each.id,
        "createdAt": time_text(each.created_at),
        "updatedAt": time_text(each.updated_at),
        "ipAddress": each.ip,
        "userAgent": each.user_agent,
        "userId": asking.person.id,
        "id": each.id,
    }

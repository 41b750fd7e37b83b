"""Passwords at the better-auth door: changing the one that is known, and setting one with a mailed link."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from application.auth.passwords import PasswordChange
from domain.auth.links import LinkInvalid
from domain.errors import InvalidInput
from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Guard, Reply
from entrypoints.http.better_auth.errors import refused
from entrypoints.http.better_auth.password_proofs import check_length
from entrypoints.http.better_auth.quotas import take
from entrypoints.http.better_auth.records import user_body
from entrypoints.http.better_auth.redirects import with_parameter
from entrypoints.http.better_auth.schemas import Shape, email, optional, shape, shown, switch, text
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools

_ASKED: Final = {
    "status": True,
    "message": "If this email exists in our system, check your email for the reset link",
}


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """What is done about passwords."""
    passwords = Passwords(tools=tools, sessions=Sessions(tools))
    return (
        Endpoint(
            path="/change-password",
            run=passwords.change,
            body=shape(shown("newPassword"), shown("currentPassword"), optional(switch("revokeOtherSessions"))),
            guard=Guard.STORED_SESSION,
        ),
        Endpoint(
            path="/verify-password",
            run=passwords.verify,
            body=shape(shown("password")),
            guard=Guard.STORED_SESSION,
        ),
        Endpoint(
            path="/request-password-reset",
            run=passwords.request_reset,
            body=shape(email("email"), optional(text("redirectTo"))),
        ),
        Endpoint(
            path="/reset-password/:token",
            run=passwords.follow_link,
            methods=("GET",),
            query=shape(text("callbackURL")),
            guard=Guard.CALLBACK,
        ),
        Endpoint(
            path="/reset-password",
            run=passwords.reset,
            body=shape(shown("newPassword"), optional(shown("token"))),
            query=Shape((optional(shown("token")),), optional=True),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """The endpoints of this module."""

    tools: Tools
    sessions: Sessions

    async def change(self, ask: Ask) -> Reply:
        """Changes the password. The other sessions stay, or all end and a new one is handed out."""
        reading, body = ask.session, ask.body
        check_length(body["newPassword"], self.tools.settings.better_auth.min_password_length)
        change = PasswordChange(current=body["currentPassword"], new=body["newPassword"])
        token = await (self._change_anew if body.get("revokeOtherSessions") else self._change)(ask, change)
        return Reply(body={"token": token, "user": user_body(reading.person)})

    async def _change(self, ask: Ask, change: PasswordChange) -> None:
        await self.tools.use("change_password_keeping")(ask.session.actor(), change, ask.visit())

    async def _change_anew(self, ask: Ask, change: PasswordChange) -> str:
        """The new session lasts as long as any; its cookie is to be remembered if the one that came was."""
        visit = ask.visit(remember=True)
        grant = await self.tools.use("change_password_anew")(ask.session.actor(), change, visit)
        self.sessions.grant(ask, grant.session, grant.person, grant.secret)
        token: str = grant.secret
        return token

    async def verify(self, ask: Ask) -> Reply:
        """Tells whether this is the caller's password; guesses count as those of a sign-in do."""
        await self.tools.use("verify_own_password")(ask.session.actor(), ask.body["password"], ask.visit())
        return Reply(body={"status": True})

    async def request_reset(self, ask: Ask) -> Reply:
        """Mails a link, if somebody has the address. The answer is one and the same, also to an address that nobody can
        have here.
        """
        await take(self.tools, ask, "mail-request")
        visit = ask.visit(callback=ask.body.get("redirectTo") or None)
        with suppress(InvalidInput):
            await self.tools.use("request_password_reset")(ask.body["email"], visit)
        return Reply(body=_ASKED)

    async def follow_link(self, ask: Ask) -> Reply:
        """Where the mailed link leads: on to the application's page, with the token if it is good. Uses nothing up."""
        callback, token = ask.query["callbackURL"], ask.params["token"]
        if not callback:
            return Reply.redirect(with_parameter(f"{ask.base_url}/error", ask.base_url, "error", "INVALID_TOKEN"))
        try:
            await self.tools.use("check_reset_link")(token, ask.visit())
        except LinkInvalid:
            return Reply.redirect(with_parameter(callback, ask.base_url, "error", "INVALID_TOKEN"))
        return Reply.redirect(with_parameter(callback, ask.base_url, "token", token))

    async def reset(self, ask: Ask) -> Reply:
        """Sets a password with the token of a link, once. A password that is refused leaves the link good."""
        token = ask.body.get("token") or ask.query.get("token")
        if not token:
            raise refused(400, "INVALID_TOKEN")
        check_length(ask.body["newPassword"], self.tools.settings.better_auth.min_password_length)
        await self.tools.use("reset_password_at_door")(token, ask.body["newPassword"], ask.visit())
        return Reply(body={"status": True})

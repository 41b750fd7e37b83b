"""One's own account at the better-auth door: name and picture, another address, and leaving for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.auth.own_account import PersonChange
from domain.auth.sessions import SessionNotFresh
from domain.errors import InvalidInput
from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Guard, Reply
from entrypoints.http.better_auth.errors import Refused, refused
from entrypoints.http.better_auth.quotas import take
from entrypoints.http.better_auth.schemas import anything, email, optional, record, shape, shown, text
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools

_TEXTS: Final = shape(optional(text("name")), optional(text("image")))
_DELETED: Final = {"success": True, "message": "User deleted"}


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """What somebody who is signed in does about the own account."""
    account = Account(tools=tools, sessions=Sessions(tools))
    return (
        Endpoint(
            path="/update-user",
            run=account.update,
            body=record(optional(anything("email")), optional(anything("name")), optional(anything("image"))),
            guard=Guard.SESSION,
        ),
        Endpoint(
            path="/change-email",
            run=account.change_email,
            body=shape(email("newEmail"), optional(text("callbackURL"))),
            guard=Guard.STORED_SESSION,
        ),
        Endpoint(
            path="/delete-user",
            run=account.delete,
            body=shape(optional(text("callbackURL")), optional(shown("password")), optional(shown("token"))),
            guard=Guard.STORED_SESSION,
        ),
        Endpoint(
            path="/delete-user/callback",
            run=account.delete_by_link,
            methods=("GET",),
            query=shape(shown("token"), optional(text("callbackURL"))),
            guard=Guard.CALLBACK,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The endpoints of this module."""

    tools: Tools
    sessions: Sessions

    async def update(self, ask: Ask) -> Reply:
        """Changes name and picture, no more. The cookie is sent again, so that a copy in it tells the change."""
        reading = ask.session
        if _is_something(ask.body.get("email")):
            raise refused(400, "EMAIL_CAN_NOT_BE_UPDATED")
        change = _change_of(ask.body)
        if change == PersonChange():
            raise Refused(400, "No fields to update")
        person = await self.tools.use("change_own_person")(reading.actor(), change)
        self.sessions.grant(ask, reading.session, person, reading.secret)
        return Reply(body={"status": True})

    async def change_email(self, ask: Ask) -> Reply:
        """Mails a link to the new address, which completes it. Whether that belongs to somebody is not told."""
        await take(self.tools, ask, "mail-request")
        visit = ask.visit(callback=ask.body.get("callbackURL") or None)
        try:
            await self.tools.use("change_email_while_fresh")(ask.session.actor(), ask.body["newEmail"], visit)
        except InvalidInput as refusal:
            if any(problem.code == "unchanged" for problem in refusal.problems):
                raise Refused(400, "Email is the same") from None
            raise
        return Reply(body={"status": True})

    async def delete(self, ask: Ask) -> Reply:
        """Deletes the account of whoever knows its password, or signed in lately."""
        if not self.tools.settings.better_auth.delete_user:
            return Reply(body=b"", status=404)
        password, actor = ask.body.get("password") or None, ask.session.actor()
        if ask.body.get("token"):
            await self._refuse_token(ask, password)
        try:
            await self.tools.use("delete_own_account")(actor, ask.visit(), password)
        except SessionNotFresh:
            raise refused(400, "SESSION_EXPIRED") from None
        self.sessions.forget(ask)
        return Reply(body=_DELETED)

    async def _refuse_token(self, ask: Ask, password: str | None) -> None:
        """No link that deletes an account is ever mailed; a wrong password is told first all the same."""
        if password is not None:
            await self.tools.use("verify_own_password")(ask.session.actor(), password, ask.visit())
        raise refused(404, "INVALID_TOKEN")

    async def delete_by_link(self, ask: Ask) -> Reply:
        """No such link is ever mailed, so none is good."""
        if not self.tools.settings.better_auth.delete_user:
            raise refused(404, "NOT_FOUND")
        if await self.sessions.read(ask, stored=True) is None:
            raise refused(404, "FAILED_TO_GET_USER_INFO")
        raise refused(404, "INVALID_TOKEN")


def _change_of(body: Mapping[str, Any]) -> PersonChange:
    """What is to change: a picture that is null is taken away, a name that is null is none."""
    given = {name: body[name] for name in ("name", "image") if name in body}
    if "image" in given and given["image"] is None:
        given["image"] = ""
    return PersonChange(**_TEXTS.read("body", given))


def _is_something(value: object) -> bool:
    """Whether a value of JSON counts as true where this protocol comes from: empty lists and objects do."""
    return value not in (None, False, 0, "")

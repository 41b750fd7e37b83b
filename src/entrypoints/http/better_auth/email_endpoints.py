"""Verification of addresses at the better-auth door: asking for the mail, and the link that it brings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from application.auth.door_addresses import Confirmed
from application.auth.opening import HeldTokens
from domain.auth.links import LinkExpired, LinkInvalid, LinkOfAnother
from domain.auth.people import EmailTaken, UserNotFound
from domain.errors import DomainError, InvalidInput
from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Guard, Reply
from entrypoints.http.better_auth.errors import refused
from entrypoints.http.better_auth.quotas import take
from entrypoints.http.better_auth.records import user_body
from entrypoints.http.better_auth.redirects import as_location, with_error
from entrypoints.http.better_auth.schemas import email, optional, shape, shown, text
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools

# Who is not signed in waits for so long at least, whatever is found out about the address meanwhile.
FLOOR_SECONDS: Final = 0.5
# What is wrong with a link, and the code that tells it.
_FAULTS: Final[tuple[tuple[type[DomainError], str], ...]] = (
    (LinkInvalid, "INVALID_TOKEN"),
    (LinkExpired, "TOKEN_EXPIRED"),
    (UserNotFound, "USER_NOT_FOUND"),
    (LinkOfAnother, "INVALID_USER"),
    (EmailTaken, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
)


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """What is done about addresses that are to be verified."""
    addresses = Addresses(tools=tools, sessions=Sessions(tools))
    return (
        Endpoint(
            path="/send-verification-email",
            run=addresses.send_link,
            body=shape(email("email"), optional(text("callbackURL"))),
        ),
        Endpoint(
            path="/verify-email",
            run=addresses.follow_link,
            methods=("GET",),
            query=shape(shown("token"), optional(text("callbackURL"))),
            guard=Guard.CALLBACK,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The endpoints of this module."""

    tools: Tools
    sessions: Sessions

    async def send_link(self, ask: Ask) -> Reply:
        """Mails a link. Who is signed in is told what is wrong with the address; anybody else learns nothing."""
        await take(self.tools, ask, "mail-request")
        reading = await self.sessions.read(ask, stored=False)
        if reading is None:
            await self._send_slowly(ask)
        elif reading.person.email != ask.body["email"].lower():
            raise refused(400, "EMAIL_MISMATCH")
        elif reading.person.email_verified:
            raise refused(400, "EMAIL_ALREADY_VERIFIED")
        else:
            await self._send(ask)
        return Reply(body={"status": True})

    async def _send_slowly(self, ask: Ask) -> None:
        until = time.monotonic() + FLOOR_SECONDS
        try:
            await self._send(ask)
        finally:
            await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def _send(self, ask: Ask) -> None:
        """An address that nobody can have here is taken like any other."""
        visit = ask.visit(callback=ask.body.get("callbackURL") or None)
        with suppress(InvalidInput):
            await self.tools.use("resend_verification")(ask.body["email"], visit)

    async def follow_link(self, ask: Ask) -> Reply:
        """Where the mailed link leads: verifies its address, or makes it the account's, and goes on to the
        application's page if there is one.
        """
        callback = ask.query.get("callbackURL") or ""
        try:
            confirmed = await self._confirm(ask)
        except tuple(fault for fault, _ in _FAULTS) as refusal:
            code = next(code for fault, code in _FAULTS if isinstance(refusal, fault))
            if callback:
                return Reply.redirect(as_location(with_error(callback, code)))
            raise refused(422 if isinstance(refusal, EmailTaken) else 401, code) from None
        if callback:
            return Reply.redirect(as_location(callback))
        return Reply(body={"status": True, "user": user_body(confirmed.person) if confirmed.moved else None})

    async def _confirm(self, ask: Ask) -> Confirmed:
        token = ask.query["token"]
        reading = await self.sessions.read_live(ask) if self._concerns_a_session(token) else None
        held = HeldTokens(secret=self.sessions.received(ask).secret)
        confirmed: Confirmed = await self.tools.use("confirm_address")(
            token, ask.visit(remember=True, held=held), None if reading is None else reading.actor()
        )
        if confirmed.grant is not None:
            self.sessions.grant(ask, confirmed.grant.session, confirmed.person, confirmed.grant.secret)
        elif reading is not None and reading.person.id == confirmed.person.id and confirmed.verified:
            self.sessions.grant(ask, reading.session, confirmed.person, reading.secret)
        return confirmed

    def _concerns_a_session(self, token: str) -> bool:
        """Whether it makes a difference who is signed in: where a verification signs in, and where the address is to
        change.
        """
        if self.tools.settings.better_auth.auto_sign_in_after_verification:
            return True
        try:
            return self.tools.use("verification_tokens").read(token).update_to is not None
        except (LinkInvalid, LinkExpired):
            return False

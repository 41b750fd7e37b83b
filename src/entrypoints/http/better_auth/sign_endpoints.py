"""Coming and going: sign-up, sign-in and sign-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from application.auth.opening import CookieGrant, HeldTokens, Visit
from application.auth.registering import Registration
from application.auth.signing_in import Credentials
from application.auth.views import PersonView
from domain.auth.passwords import PasswordRefused
from domain.auth.people import EmailTaken, Role, normalise_email, normalise_image, normalise_name
from domain.auth.sessions import EmailNotVerified, InvalidCredentials
from domain.errors import InvalidInput
from entrypoints.http.better_auth.endpoint import Ask, Endpoint, Guard, Reply
from entrypoints.http.better_auth.errors import Refused, refused
from entrypoints.http.better_auth.password_proofs import check_length
from entrypoints.http.better_auth.quotas import take
from entrypoints.http.better_auth.records import user_body
from entrypoints.http.better_auth.schemas import Shape, email, filled, is_email, optional, shape, shown, switch, text
from entrypoints.http.better_auth.sessions import Sessions
from entrypoints.http.better_auth.tools import Tools

_SIGN_UP: Final = Shape(
    (
        text("name"),
        email("email"),
        filled("password"),
        optional(text("image")),
        optional(text("callbackURL")),
        optional(switch("rememberMe")),
    ),
    kinds=("object", "record"),
)
_SIGN_IN: Final = shape(
    shown("email"), shown("password"), optional(text("callbackURL")), optional(switch("rememberMe"))
)
_SIGN_OUT: Final = Shape(
    (optional(text("callbackURL")), optional(switch("disableRedirect")), optional(shown("state"))), optional=True
)
# Every character that may stand in an address as it is.
_ADDRESS: Final = "!#$%&'()*+,/:;=?@[]-._~"


def endpoints(tools: Tools) -> Sequence[Endpoint]:
    """The three ways in and out."""
    signing = _Signing(tools, Sessions(tools))
    return (
        Endpoint(path="/sign-up/email", run=signing.up, body=_SIGN_UP, guard=Guard.FORM, takes_forms=True),
        Endpoint(path="/sign-in/email", run=signing.into, body=_SIGN_IN, guard=Guard.FORM, takes_forms=True),
        Endpoint(path="/sign-out", run=signing.out, body=_SIGN_OUT),
    )


@dataclass(frozen=True, slots=True)
class _Signing:
    tools: Tools
    sessions: Sessions

    async def up(self, ask: Ask) -> Reply:
        body, door = ask.body, self.tools.settings.better_auth
        check_length(body["password"], door.min_password_length)
        await take(self.tools, ask, "registration")
        registration = Registration(
            email=_address(body["email"]), password=body["password"], name=body["name"], image=body.get("image")
        )
        if door.require_email_verification:
            return await self._up_unverified(registration, self._visit(ask))
        try:
            grant: CookieGrant = await self.tools.use("register_by_cookie")(registration, self._visit(ask))
        except EmailTaken:
            raise refused(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL") from None
        self._hand_out(ask, grant)
        return Reply(body={"token": grant.secret, "user": user_body(grant.person)})

    async def _up_unverified(self, registration: Registration, visit: Visit) -> Reply:
        """One answer for a new address and for one that has an account already."""
        try:
            person = (await self.tools.use("register_unverified")(registration, visit)).person
        except EmailTaken:
            person = _as_if_new(registration, self.tools.use("ids").new("usr"))
        return Reply(body={"token": None, "user": user_body(person)})

    async def into(self, ask: Ask) -> Reply:
        if not is_email(ask.body["email"]):
            raise refused(400, "INVALID_EMAIL")
        visit = self._visit(ask)
        grant = await self._sign_in(Credentials(email=ask.body["email"], password=ask.body["password"]), visit)
        self._hand_out(ask, grant)
        return Reply(body=_signed_in(grant, ask.body), headers=_location(visit.callback))

    async def _sign_in(self, credentials: Credentials, visit: Visit) -> CookieGrant:
        try:
            grant: CookieGrant = await self.tools.use("sign_in_by_cookie")(credentials, visit)
        except (InvalidCredentials, InvalidInput, PasswordRefused):
            raise refused(401, "INVALID_EMAIL_OR_PASSWORD") from None
        except EmailNotVerified:
            if self.tools.settings.better_auth.send_on_sign_in:
                await self.tools.use("resend_verification")(credentials.email, visit)
            raise refused(403, "EMAIL_NOT_VERIFIED") from None
        return grant

    async def out(self, ask: Ask) -> Reply:
        await self.tools.use("sign_out")(HeldTokens(secret=self.sessions.received(ask).secret))
        self.sessions.forget(ask)
        return Reply(body={"success": True})

    def _visit(self, ask: Ask) -> Visit:
        return ask.visit(
            remember=ask.body.get("rememberMe") is not False,
            callback=ask.body.get("callbackURL") or None,
            held=HeldTokens(secret=self.sessions.received(ask).secret),
        )

    def _hand_out(self, ask: Ask, grant: CookieGrant) -> None:
        self.sessions.grant(ask, grant.session, grant.person, grant.secret, remember=grant.session.remember)


def _signed_in(grant: CookieGrant, asked: Mapping[str, Any]) -> dict[str, Any]:
    callback = {"url": asked["callbackURL"]} if "callbackURL" in asked else {}
    return {
        "redirect": bool(asked.get("callbackURL")),
        "token": grant.secret,
        **callback,
        "user": user_body(grant.person),
    }


def _location(callback: str | None) -> tuple[tuple[str, str], ...]:
    return () if callback is None else (("location", quote(callback, safe=_ADDRESS)),)


def _address(text: str) -> str:
    """An address that can receive mail; the shape of the body lets a few others pass."""
    try:
        return normalise_email(text)
    except InvalidInput:
        raise Refused(400, "[body.email] Invalid email address", "VALIDATION_ERROR") from None


def _as_if_new(registration: Registration, user_id: str) -> PersonView:
    """What somebody would be told whose address had no account."""
    now = datetime.now(UTC)
    return PersonView(
        id=user_id,
        email=registration.email,
        username=None,
        name=normalise_name(registration.name),
        image=normalise_image(registration.image),
        role=Role.STUDENT,
        email_verified=False,
        must_change_password=False,
        created_at=now,
        updated_at=now,
    )

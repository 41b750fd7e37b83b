"""The door in the OpenAPI document: its operations from the table of endpoints, with what the table does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from entrypoints.http.better_auth import document_bodies as bodies
from entrypoints.http.better_auth.endpoint import Endpoint, Guard
from entrypoints.http.better_auth.errors import MESSAGES
from entrypoints.http.better_auth.registry import Container, endpoints_of
from entrypoints.http.openapi_headers import carried

TAG: Final = "better-auth"
TAG_TEXT: Final = (
    "Students of applications with the better-auth client: its protocol on the same accounts and sessions. Errors are"
    " flat, and whatever is no GET and brings a cookie needs an `Origin` that is trusted."
)
_BY_COOKIE: Final = {
    "betterAuthCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "better-auth.session_token",
        "description": "Signed by the server. Unsafe methods also need a trusted `Origin`, and no X-CSRF-Token."
        " Under https the name is __Secure-better-auth.session_token.",
    }
}
_BY_BEARER: Final = {
    "betterAuthBearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of that cookie, with its signature or without; where the server takes bearers.",
    }
}
_ERROR: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/BetterAuthError"}}}
_SENTENCES: Final = {
    **MESSAGES,
    "BAD_REQUEST": "The body is no JSON",
    "VALIDATION_ERROR": "A field is missing or has another shape",
    "": "Nothing to do; told without a code",
}
_QUERY: Final = {
    "callbackURL": "The page to lead back to: a path of ours, or an address of a trusted origin",
    "token": "The token of the link",
    "disableCookieCache": "`true`: past the copy of the session in a cookie",
    "disableRefresh": "`true`: without prolonging the session",
}
_LOCATION: Final = {"description": "The page to go on with", "schema": {"type": "string"}}
_NEW_PASSWORD: Final = ("PASSWORD_TOO_SHORT", "PASSWORD_TOO_LONG", "PASSWORD_COMPROMISED")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is told of an endpoint: `refusals` are the codes that its shape and guard do not bring along, by status;
    `optional` lets a session be there or not; `leads_on` may answer with another page.
    """

    summary: str
    text: str
    answer: Any = None
    request: Any = None
    refusals: Mapping[int, tuple[str, ...]] | None = None
    optional: bool = False
    leads_on: bool = False


_TOLD: Final[Mapping[str, _Told]] = {
    "/ok": _Told(summary="Whether the door is open", text="Answers while the server runs.", answer=bodies.BetterAuthOk),
    "/error": _Told(summary="Show an error", text="The page that tells a person what went wrong with a link."),
    "/sign-up/email": _Told(
        summary="Sign up",
        text="Become a student, and be signed in at once unless addresses have to be verified first.",
        request=bodies.BetterAuthSignUpRequest,
        answer=bodies.BetterAuthSignedUp,
        refusals={
            400: _NEW_PASSWORD,
            403: ("CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",),
            422: ("USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",),
        },
    ),
    "/sign-in/email": _Told(
        summary="Sign in",
        text="Sign in with address and password. A session that the same browser held at this door ends.",
        request=bodies.BetterAuthSignInRequest,
        answer=bodies.BetterAuthSignedIn,
        refusals={
            400: ("INVALID_EMAIL",),
            401: ("INVALID_EMAIL_OR_PASSWORD",),
            403: (
                "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
                "EMAIL_NOT_VERIFIED",
                "SESSION_LIMIT_REACHED",
                "WRONG_PORTAL",
            ),
        },
    ),
    "/sign-out": _Told(
        summary="Sign out",
        text="End the session and clear its cookies. Without a session the cookies are cleared.",
        answer=bodies.BetterAuthSignedOut,
        optional=True,
    ),
    "/get-session": _Told(
        summary="Who is signed in",
        text="The session and its student, or null. Once a day this prolongs the session.",
        answer=bodies.BetterAuthReading | None,
        optional=True,
    ),
    "/list-sessions": _Told(
        summary="List own sessions",
        text="Everywhere one is signed in, under every door. Needs a sign-in not long ago.",
        answer=list[bodies.BetterAuthSession],
        refusals={403: ("SESSION_NOT_FRESH",)},
    ),
    "/revoke-session": _Told(
        summary="End one of the own sessions",
        text="By its token or its handle. What is neither has no effect.",
        request=bodies.BetterAuthSessionRequest,
        answer=bodies.BetterAuthStatus,
    ),
    "/revoke-sessions": _Told(
        summary="End every own session", text="Under every door, this one included.", answer=bodies.BetterAuthStatus
    ),
    "/revoke-other-sessions": _Told(
        summary="End the other own sessions", text="Under every door, but this one.", answer=bodies.BetterAuthStatus
    ),
    "/update-user": _Told(
        summary="Change name or picture",
        text="The address is not changed here.",
        request=bodies.BetterAuthUpdateRequest,
        answer=bodies.BetterAuthStatus,
        refusals={400: ("EMAIL_CAN_NOT_BE_UPDATED", "")},
    ),
    "/change-password": _Told(
        summary="Change the password",
        text="With `revokeOtherSessions` every session ends and a new one begins; else all stay.",
        request=bodies.BetterAuthPasswordChangeRequest,
        answer=bodies.BetterAuthSignedUp,
        refusals={400: ("INVALID_PASSWORD", *_NEW_PASSWORD, "PASSWORD_UNCHANGED")},
    ),
    "/verify-password": _Told(
        summary="Confirm the password",
        text="Whether it is the password of whoever asks. Wrong ones count as failed sign-ins.",
        request=bodies.BetterAuthPasswordRequest,
        answer=bodies.BetterAuthStatus,
        refusals={400: ("INVALID_PASSWORD",)},
    ),
    "/request-password-reset": _Told(
        summary="Ask for a password reset",
        text="A link that sets a new password, by mail. The answer does not tell whether there is such an account.",
        request=bodies.BetterAuthResetMailRequest,
        answer=bodies.BetterAuthMailAsked,
        refusals={403: ("INVALID_REDIRECT_URL",)},
    ),
    "/reset-password/:token": _Told(
        summary="Follow the link of a reset mail",
        text="Leads on to the page that asks for the next password, with `token` or `error` in its query.",
        leads_on=True,
    ),
    "/reset-password": _Told(
        summary="Set a password by a link",
        text="Once. Sessions end unless the server is set otherwise, and nobody is signed in.",
        request=bodies.BetterAuthResetRequest,
        answer=bodies.BetterAuthStatus,
        refusals={400: ("INVALID_TOKEN", *_NEW_PASSWORD)},
    ),
    "/send-verification-email": _Told(
        summary="Ask for a verification mail",
        text="A link that verifies the address. Only whoever is signed in is told when there is nothing to verify.",
        request=bodies.BetterAuthLinkRequest,
        answer=bodies.BetterAuthStatus,
        refusals={400: ("EMAIL_MISMATCH", "EMAIL_ALREADY_VERIFIED")},
        optional=True,
    ),
    "/verify-email": _Told(
        summary="Verify an address by its link",
        text="Verifies the address, or moves the account to it; again and again with the same answer.",
        answer=bodies.BetterAuthVerified,
        refusals={401: ("INVALID_TOKEN", "TOKEN_EXPIRED", "USER_NOT_FOUND", "INVALID_USER")},
        optional=True,
        leads_on=True,
    ),
    "/change-email": _Told(
        summary="Move to another address",
        text="Mails a link to the new address, which completes it. Needs a sign-in not long ago.",
        request=bodies.BetterAuthAddressRequest,
        answer=bodies.BetterAuthStatus,
        refusals={400: ("",), 403: ("SESSION_NOT_FRESH",)},
    ),
    "/delete-user": _Told(
        summary="Delete the own account",
        text="Every session ends. Without the password it needs a sign-in not long ago.",
        request=bodies.BetterAuthDeletionRequest,
        answer=bodies.BetterAuthDeleted,
        refusals={400: ("INVALID_PASSWORD", "SESSION_EXPIRED")},
    ),
}


@dataclass(frozen=True, slots=True)
class DoorDocument:
    """What the door adds to the document. `schemes` are what shows its session, here and to operations of students."""

    endpoints: tuple[Endpoint, ...]
    schemes: Mapping[str, Any]

    @property
    def types(self) -> list[Any]:
        """The bodies; those inside of others come along."""
        told = [_TOLD[each.path] for each in self.endpoints]
        found = [body for each in told for body in (each.request, each.answer) if body is not None]
        return [*dict.fromkeys(found), bodies.BetterAuthError]

    def paths(self, schemas: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
        """The operations, with the schemas of the types."""
        return {
            each.template: {each.methods[0].lower(): _operation(each, _TOLD[each.path], schemas, self._signed_in)}
            for each in self.endpoints
        }

    @property
    def _signed_in(self) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.schemes]


def door_document(container: Container) -> DoorDocument | None:
    """What is told of the door where it is open. What only ever refuses is not told."""
    settings = container.providers["settings"]()
    door = getattr(settings, "better_auth", None)
    if door is None or not door.served:
        return None
    schemes = _BY_COOKIE | _BY_BEARER if settings.takes_door_bearer else _BY_COOKIE
    return DoorDocument(tuple(each for each in endpoints_of(container) if each.path in _TOLD), schemes)


def _operation(
    endpoint: Endpoint, told: _Told, schemas: Mapping[Any, Any], signed_in: list[dict[str, list[str]]]
) -> dict[str, Any]:
    words = re.findall(r"[a-z]+", endpoint.path)
    found: dict[str, Any] = {
        "summary": told.summary,
        "operationId": "betterAuth" + "".join(word.title() for word in words),
        "description": told.text,
        "tags": [TAG],
        "security": signed_in if endpoint.guard.needs_session else [{}, *signed_in] if told.optional else [{}],
    }
    if parameters := [*_in_path(endpoint), *_in_query(endpoint)]:
        found["parameters"] = parameters
    if told.request is not None:
        media_types = ["application/json", *(["application/x-www-form-urlencoded"] if endpoint.takes_forms else [])]
        content = {each: {"schema": schemas[told.request]} for each in media_types}
        found["requestBody"] = {"required": True, "content": content}
    found["responses"] = {**_answers(told, schemas), **_refusals(endpoint, told)}
    return found


def _in_path(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in re.findall(r":(\w+)", endpoint.path):
        schema = {"type": "string", "maxLength": 200}
        yield {"name": name, "in": "path", "required": True, "description": _QUERY[name], "schema": schema}


def _in_query(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for each in endpoint.query.fields if endpoint.query else ():
        schema = {"type": "string", "maxLength": 4_000}
        told = _QUERY[each.name]
        yield {"name": each.name, "in": "query", "required": not each.optional, "description": told, "schema": schema}


def _answers(told: _Told, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if told.answer is not None:
        content = {"application/json": {"schema": schemas[told.answer]}}
        found["200"] = {"description": told.summary, "headers": carried(), "content": content}
    elif not told.leads_on:
        found["200"] = {"description": "A page", "headers": carried(), "content": {"text/html": {}}}
    if told.leads_on:
        found["302"] = {"description": "Go on", "headers": {"Location": _LOCATION, **carried()}}
    return found


def _refusals(endpoint: Endpoint, told: _Told) -> dict[str, Any]:
    codes: dict[int, list[str]] = {status: [*found] for status, found in (told.refusals or {}).items()}
    if endpoint.body is not None or endpoint.query is not None:
        codes.setdefault(400, []).append("VALIDATION_ERROR")
    if endpoint.body is not None:
        codes[400].append("BAD_REQUEST")
    if endpoint.guard.needs_session:
        codes.setdefault(401, []).append("UNAUTHORIZED")
    if "POST" in endpoint.methods:
        codes.setdefault(403, []).extend(("INVALID_ORIGIN", "MISSING_OR_NULL_ORIGIN"))
    if endpoint.guard is Guard.CALLBACK or _names_page(endpoint):
        codes.setdefault(403, []).append("INVALID_CALLBACK_URL")
    described = {
        str(status): {"description": _listed(found), "headers": carried(), "content": _ERROR}
        for status, found in sorted(codes.items())
    }
    return {**described, "default": {"$ref": "#/components/responses/BetterAuthError"}}


def _names_page(endpoint: Endpoint) -> bool:
    return endpoint.body is not None and any(each.name == "callbackURL" for each in endpoint.body.fields)


def _listed(codes: Iterable[str]) -> str:
    return "\n".join(f"- `{code}`: {_SENTENCES[code]}" if code else f"- {_SENTENCES['']}" for code in sorted(codes))


OTHER_ERRORS: Final = {
    "description": "Any other refusal; 429 and 503 tell when to try again",
    "headers": carried("Retry-After"),
    "content": {**_ERROR, "text/plain": {"schema": {"type": "string"}}},
}

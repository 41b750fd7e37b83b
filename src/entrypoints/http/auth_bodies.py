"""What is sent to the auth routes and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from application.auth.views import OwnSession, PersonView
from domain.auth.people import Role
from entrypoints.http.fields import RequestBody, ResponseBody, When

# Wider than the rules, so that it is the rules that say what is wrong.
Email = Annotated[str, Meta(max_length=320, description="Kept in lower case")]
Password = Annotated[
    str, Meta(max_length=1024, description="8 characters at least, staff 15, unless the server is set otherwise")
]
Name = Annotated[str, Meta(max_length=400)]
Username = Annotated[str, Meta(max_length=100)]
Secret = Annotated[str, Meta(max_length=200)]

_SECRET_EXAMPLE = "Zb0mS8VqT1c2pQ6yLr4uXw"  # noqa: S105 - of nobody


class Delivery(StrEnum):
    """How the refresh token travels: as a cookie, or in the bodies and then no cookie is set at all."""

    COOKIE = "cookie"
    BODY = "body"


class RegisterRequest(RequestBody):
    """Who registers as a student, and with which password from now on."""

    email: Email
    password: Password
    name: Annotated[Name | None, Meta(description="To be shown; absent: nothing is shown")] = None
    username: Annotated[Username | None, Meta(description="Unique without regard to case")] = None
    delivery: Delivery = Delivery.COOKIE

    example: ClassVar[Mapping[str, Any]] = {
        "email": "ada@example.org",
        "password": "a long sentence is easy to keep",
        "name": "Ada Lovelace",
        "delivery": "body",
    }


class RegisterStaffRequest(RegisterRequest, kw_only=True):
    """Who registers as an instructor or administrator, with the invitation that was mailed to this address."""

    invitation: Annotated[Secret | None, Meta(description="The token of the link in the mail")] = None

    example: ClassVar[Mapping[str, Any]] = {
        "email": "grace@example.org",
        "password": "the longer the sentence the better",
        "name": "Grace Hopper",
        "invitation": _SECRET_EXAMPLE,
        "delivery": "body",
    }


class LoginRequest(RequestBody):
    """Who signs in."""

    email: Email
    password: Annotated[str, Meta(max_length=1024)]
    remember_me: Annotated[bool, Meta(description="Whether the cookies outlast the browser's window")] = False
    delivery: Delivery = Delivery.COOKIE

    example: ClassVar[Mapping[str, Any]] = {
        "email": "ada@example.org",
        "password": "a long sentence is easy to keep",
        "rememberMe": False,
        "delivery": "body",
    }


class RefreshRequest(RequestBody):
    """The refresh token, where it does not travel in its cookie."""

    refresh_token: Annotated[Secret | None, Meta(description="Absent or null: the cookie has it")] = None

    example: ClassVar[Mapping[str, Any]] = {"refreshToken": _SECRET_EXAMPLE}


class UserBody(ResponseBody):
    """A person with an account."""

    id: str
    email: str
    username: Annotated[str | None, Meta(description="Null where none was chosen")]
    name: str
    role: Role
    email_verified: bool
    must_change_password: Annotated[
        bool, Meta(description="Whether nothing else is open until the password, which somebody else chose, is changed")
    ]
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": "usr_01m7y0w5089re0wwbvvzgw20sf",
        "email": "ada@example.org",
        "username": None,
        "name": "Ada Lovelace",
        "role": "student",
        "emailVerified": False,
        "mustChangePassword": False,
        "createdAt": "2026-03-02T08:15:00Z",
        "updatedAt": "2026-03-02T08:15:00Z",
    }


class AccessBody(ResponseBody):
    """The next pair of tokens. `refreshToken` is there for clients that asked for it with `"delivery": "body"`."""

    access_token: Annotated[str, Meta(description="To be sent as `Authorization: Bearer …`")]
    token_type: str
    expires_in: Annotated[int, Meta(description="For how many seconds the access token is good")]
    csrf_token: Annotated[str, Meta(description="To be sent as `X-CSRF-Token` with changes under cookies")]
    refresh_token: Annotated[str | UnsetType, Meta(description="Good once, for the next pair of tokens")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {
        "accessToken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2lnbmVk",
        "tokenType": "Bearer",
        "expiresIn": 900,
        "csrfToken": "1wq0Jm3nB5xK.fV7sR2dC9hTz",
        "refreshToken": _SECRET_EXAMPLE,
    }


class SignedInBody(AccessBody, kw_only=True):
    """Signed in: the tokens of the new session, and whose it is."""

    user: UserBody
    evicted_sessions: Annotated[int, Meta(description="How many of the oldest sessions ended to make room for this")]

    example: ClassVar[Mapping[str, Any]] = {**AccessBody.example, "user": UserBody.example, "evictedSessions": 0}


class OwnSessionBody(ResponseBody):
    """The session through which the request came."""

    id: str
    created_at: When
    expires_at: Annotated[When, Meta(description="When it ends if it is not used until then")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "ses_01m7y0w5089re0wwbvvzgw20sg",
        "createdAt": "2026-03-02T08:15:00Z",
        "expiresAt": "2026-03-09T08:15:00Z",
    }


class ProfileBody(ResponseBody):
    """Who is signed in, and through which session."""

    user: UserBody
    session: OwnSessionBody

    example: ClassVar[Mapping[str, Any]] = {"user": UserBody.example, "session": OwnSessionBody.example}


class RevokedBody(ResponseBody):
    """How many sessions have ended."""

    revoked: Annotated[int, Meta(description="Live ones only")]

    example: ClassVar[Mapping[str, Any]] = {"revoked": 2}


def user_body(person: PersonView) -> UserBody:
    return UserBody(
        id=person.id,
        email=person.email,
        username=person.username,
        name=person.name,
        role=person.role,
        email_verified=person.email_verified,
        must_change_password=person.must_change_password,
        created_at=person.created_at,
        updated_at=person.updated_at,
    )


def own_session_body(session: OwnSession) -> OwnSessionBody:
    return OwnSessionBody(id=session.id, created_at=session.created_at, expires_at=session.expires_at)

"""What is sent to the auth routes and what they answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from application.auth.views import OwnSession, PersonView
from domain.auth.people import Role
from entrypoints.http.fields import RequestBody, ResponseBody

# Wider than the rules, so that it is the rules that say what is wrong.
Email = Annotated[str, Meta(max_length=320, description="Kept in lower case", examples=["ada@example.org"])]
Password = Annotated[str, Meta(max_length=1024, examples=["a long sentence is easy to keep"])]
Name = Annotated[str, Meta(max_length=400)]
Username = Annotated[str, Meta(max_length=100)]
Secret = Annotated[str, Meta(max_length=200)]


class Delivery(StrEnum):
    """How the refresh token travels: as a cookie, or in the bodies and then no cookie is set at all."""

    COOKIE = "cookie"
    BODY = "body"


class RegisterRequest(RequestBody):
    email: Email
    password: Password
    name: Name | None = None
    username: Username | None = None
    invitation: Secret | None = None
    delivery: Delivery = Delivery.COOKIE


class LoginRequest(RequestBody):
    email: Email
    password: Password
    remember_me: bool = False
    delivery: Delivery = Delivery.COOKIE


class RefreshRequest(RequestBody):
    refresh_token: Secret | None = None


class UserBody(ResponseBody):
    id: str
    email: str
    username: str | None
    name: str
    role: Role
    email_verified: bool
    created_at: datetime
    updated_at: datetime


class AccessBody(ResponseBody):
    """`refreshToken` is there for clients that asked for it with `"delivery": "body"`."""

    access_token: str
    token_type: str
    expires_in: int
    csrf_token: str
    refresh_token: str | UnsetType = UNSET


class SignedInBody(AccessBody, kw_only=True):
    user: UserBody
    evicted_sessions: int


class OwnSessionBody(ResponseBody):
    id: str
    created_at: datetime
    expires_at: datetime


class ProfileBody(ResponseBody):
    user: UserBody
    session: OwnSessionBody


class RevokedBody(ResponseBody):
    revoked: int


def user_body(person: PersonView) -> UserBody:
    return UserBody(
        id=person.id,
        email=person.email,
        username=person.username,
        name=person.name,
        role=person.role,
        email_verified=person.email_verified,
        created_at=person.created_at,
        updated_at=person.updated_at,
    )


def own_session_body(session: OwnSession) -> OwnSessionBody:
    return OwnSessionBody(id=session.id, created_at=session.created_at, expires_at=session.expires_at)

"""What is sent to the routes of one's own account and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from domain.auth.people import Role
from domain.auth.sessions import Door
from entrypoints.http.auth_bodies import Email, Password, Secret
from entrypoints.http.fields import RequestBody, ResponseBody, When

_CurrentPassword = Annotated[str, Meta(max_length=1024)]
_LinkToken = Annotated[Secret, Meta(description="What stands behind `#token=` in the link that was mailed")]
_TOKEN_EXAMPLE = "o2mZ6qX1vB8sT4nL0yR7dK3wF9hJ5cGp-UaEiMxQbSk"  # noqa: S105 - of nobody


class VerifyEmailRequest(RequestBody):
    """The proof of receiving mail at an address."""

    token: _LinkToken

    example: ClassVar[Mapping[str, Any]] = {"token": _TOKEN_EXAMPLE}


class MailRequest(RequestBody):
    """The address of the account that a mail is asked for."""

    email: Email

    example: ClassVar[Mapping[str, Any]] = {"email": "ada@example.org"}


class ResetPasswordRequest(RequestBody):
    """The proof of receiving mail at the account's address, and the password from now on."""

    token: _LinkToken
    password: Password

    example: ClassVar[Mapping[str, Any]] = {"token": _TOKEN_EXAMPLE, "password": "a long sentence is easy to keep"}


class ChangePasswordRequest(RequestBody):
    """The present password and the next one."""

    current_password: _CurrentPassword
    new_password: Password

    example: ClassVar[Mapping[str, Any]] = {
        "currentPassword": "a long sentence is easy to keep",
        "newPassword": "and another one is easy as well",
    }


class ChangeEmailRequest(RequestBody):
    """Where one wants to be reached from now on, and the proof of who asks."""

    new_email: Email
    current_password: _CurrentPassword

    example: ClassVar[Mapping[str, Any]] = {
        "newEmail": "ada@lovelace.example",
        "currentPassword": "a long sentence is easy to keep",
    }


class LiveSessionBody(ResponseBody):
    """A place where one is signed in."""

    id: str
    current: Annotated[bool, Meta(description="Whether this request came through it")]
    door: Annotated[Door, Meta(description="A portal with tokens, or the cookie door of other clients")]
    audience: Annotated[Role, Meta(description="The portal that it is good for")]
    ip: Annotated[str, Meta(description="Where it was opened from; empty if that is not known")]
    user_agent: Annotated[str, Meta(description="What the browser said of itself when it was opened")]
    created_at: When
    last_seen_at: When
    expires_at: Annotated[When, Meta(description="When it ends if it is not used until then")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "ses_01m7y0w5089re0wwbvvzgw20sg",
        "current": True,
        "door": "portal",
        "audience": "student",
        "ip": "192.0.2.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "createdAt": "2026-03-02T08:15:00Z",
        "lastSeenAt": "2026-03-02T09:45:00Z",
        "expiresAt": "2026-03-09T09:45:00Z",
    }


class LiveSessionsBody(ResponseBody):
    """Everywhere one is signed in, the newest first."""

    items: list[LiveSessionBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [LiveSessionBody.example]}

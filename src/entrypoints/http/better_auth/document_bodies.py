"""What the better-auth door takes and answers, as the OpenAPI document tells it. The door itself reads by shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import UNSET, Meta, UnsetType, field

from domain.auth.passwords import MAX_PASSWORD_LENGTH
from domain.auth.people import MAX_EMAIL_LENGTH, MAX_IMAGE_LENGTH, MAX_NAME_LENGTH
from entrypoints.http.fields import RequestBody, ResponseBody

_LONGEST: Final = 4_000
_USER_ID, _SESSION_ID = "usr_01m7y0w5089re0wwbvvzgw20sf", "ses_01m7y0w5089re0wwbvvzgw20sg"
_TOKEN: Final = "Zb0mS8VqT1c2pQ6yLr4uXwKd9HtNfJe3"  # noqa: S105 - of nobody
_ADDRESS, _SENTENCE, _OTHER = "ada@example.org", "a long sentence is easy to keep", "another long sentence"

_Email = Annotated[str, Meta(max_length=MAX_EMAIL_LENGTH)]
_Name = Annotated[str, Meta(max_length=MAX_NAME_LENGTH)]
_Password = Annotated[str, Meta(max_length=MAX_PASSWORD_LENGTH)]
_Image = Annotated[str, Meta(max_length=MAX_IMAGE_LENGTH, description="The address of a picture")]
_Token = Annotated[str, Meta(max_length=_LONGEST)]
_Page = Annotated[
    str,
    Meta(max_length=_LONGEST, description="A page to lead back to: a path of ours, or an address of a trusted origin"),
]
_When = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class _Taken(RequestBody, forbid_unknown_fields=False, kw_only=True):
    """Fields that are not told are passed over."""


class BetterAuthSignUpRequest(_Taken, kw_only=True):
    """Somebody who becomes a student."""

    name: _Name
    email: _Email
    password: _Password
    image: _Image | UnsetType = UNSET
    callback_url: _Page | UnsetType = field(name="callbackURL", default=UNSET)
    remember_me: bool | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"name": "Ada Lovelace", "email": _ADDRESS, "password": _SENTENCE}


class BetterAuthSignInRequest(_Taken, kw_only=True):
    """A student with the password."""

    email: _Email
    password: _Password
    callback_url: _Page | UnsetType = field(name="callbackURL", default=UNSET)
    remember_me: Annotated[bool | UnsetType, Meta(description="False: until the browser is closed")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"email": _ADDRESS, "password": _SENTENCE, "rememberMe": True}


class BetterAuthSessionRequest(_Taken, kw_only=True):
    """Which session is to end."""

    token: Annotated[_Token, Meta(description="The token of the own session, or the handle that the list tells")]

    example: ClassVar[Mapping[str, Any]] = {"token": _SESSION_ID}


class BetterAuthUpdateRequest(_Taken, kw_only=True):
    """What is to be told of oneself from now on."""

    name: _Name | UnsetType = UNSET
    image: Annotated[_Image | UnsetType | None, Meta(description="Null takes the picture away")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"name": "Ada King", "image": None}


class BetterAuthPasswordChangeRequest(_Taken, kw_only=True):
    """The password in use and the next one."""

    new_password: _Password
    current_password: _Password
    revoke_other_sessions: Annotated[bool | UnsetType, Meta(description="Whether every other session ends")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"newPassword": _OTHER, "currentPassword": _SENTENCE}


class BetterAuthPasswordRequest(_Taken, kw_only=True):
    """The password in use."""

    password: _Password

    example: ClassVar[Mapping[str, Any]] = {"password": _SENTENCE}


class BetterAuthResetMailRequest(_Taken, kw_only=True):
    """Whose password was forgotten, and the page that asks for the next one."""

    email: _Email
    redirect_to: _Page | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"email": _ADDRESS, "redirectTo": "/new-password"}


class BetterAuthResetRequest(_Taken, kw_only=True):
    """The next password, with the token of the link."""

    new_password: _Password
    token: Annotated[_Token | UnsetType, Meta(description="It may stand in the query instead")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"newPassword": _OTHER, "token": _TOKEN[:24]}


class BetterAuthLinkRequest(_Taken, kw_only=True):
    """Which address is to be verified."""

    email: _Email
    callback_url: _Page | UnsetType = field(name="callbackURL", default=UNSET)

    example: ClassVar[Mapping[str, Any]] = {"email": _ADDRESS, "callbackURL": "/welcome"}


class BetterAuthAddressRequest(_Taken, kw_only=True):
    """The address to move to."""

    new_email: _Email
    callback_url: _Page | UnsetType = field(name="callbackURL", default=UNSET)

    example: ClassVar[Mapping[str, Any]] = {"newEmail": "ada@elsewhere.example", "callbackURL": "/account"}


class BetterAuthDeletionRequest(_Taken, kw_only=True):
    """The password, or nothing soon after a sign-in."""

    callback_url: _Page | UnsetType = field(name="callbackURL", default=UNSET)
    password: _Password | UnsetType = UNSET
    token: Annotated[_Token | UnsetType, Meta(description="No such token is ever mailed")] = UNSET

    example: ClassVar[Mapping[str, Any]] = {"password": _SENTENCE}


class BetterAuthUser(ResponseBody, kw_only=True):
    """A student as this door tells of one."""

    name: str
    email: str
    email_verified: bool
    image: Annotated[str | None, Meta(description="The address of a picture; null where there is none")]
    created_at: _When
    updated_at: _When
    id: str

    example: ClassVar[Mapping[str, Any]] = {
        "name": "Ada Lovelace",
        "email": _ADDRESS,
        "emailVerified": False,
        "image": None,
        "createdAt": "2026-03-02T08:15:00.000Z",
        "updatedAt": "2026-03-02T08:15:00.000Z",
        "id": _USER_ID,
    }


class BetterAuthSession(ResponseBody, kw_only=True):
    """A session. `token` of another session than the own is a handle: it ends the session and opens nothing."""

    expires_at: _When
    token: str
    created_at: _When
    updated_at: _When
    ip_address: str
    user_agent: str
    user_id: str
    id: str

    example: ClassVar[Mapping[str, Any]] = {
        "expiresAt": "2026-03-09T08:15:00.000Z",
        "token": _TOKEN,
        "createdAt": "2026-03-02T08:15:00.000Z",
        "updatedAt": "2026-03-02T08:15:00.000Z",
        "ipAddress": "192.0.2.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "userId": _USER_ID,
        "id": _SESSION_ID,
    }


class BetterAuthSignedUp(ResponseBody, kw_only=True):
    """The student. `token` is null where the address has to be verified first, or nothing was opened."""

    token: Annotated[str | None, Meta(description="Of the new session; null where none was opened")]
    user: BetterAuthUser

    example: ClassVar[Mapping[str, Any]] = {"token": _TOKEN, "user": BetterAuthUser.example}


class BetterAuthSignedIn(ResponseBody, kw_only=True):
    """The new session's token and its student."""

    redirect: Annotated[bool, Meta(description="Whether the client goes on to `url`")]
    token: str
    url: str | UnsetType = UNSET
    user: BetterAuthUser

    example: ClassVar[Mapping[str, Any]] = {
        "redirect": True,
        "token": _TOKEN,
        "url": "/home",
        "user": BetterAuthUser.example,
    }


class BetterAuthReading(ResponseBody, kw_only=True):
    """The session that asks, and whose it is."""

    session: BetterAuthSession
    user: BetterAuthUser

    example: ClassVar[Mapping[str, Any]] = {"session": BetterAuthSession.example, "user": BetterAuthUser.example}


class BetterAuthVerified(ResponseBody, kw_only=True):
    """The address is verified."""

    status: bool
    user: Annotated[BetterAuthUser | None, Meta(description="The student after a move to this address, else null")]

    example: ClassVar[Mapping[str, Any]] = {"status": True, "user": None}


class BetterAuthStatus(ResponseBody, kw_only=True):
    """Done, or as good as done: the answer does not tell whether there was anything to do."""

    status: bool

    example: ClassVar[Mapping[str, Any]] = {"status": True}


class BetterAuthMailAsked(ResponseBody, kw_only=True):
    """A mail goes out if there is an account for it."""

    status: bool
    message: str

    example: ClassVar[Mapping[str, Any]] = {
        "status": True,
        "message": "If this email exists in our system, check your email for the reset link",
    }


class BetterAuthSignedOut(ResponseBody, kw_only=True):
    """Nobody is signed in with this browser any more."""

    success: bool

    example: ClassVar[Mapping[str, Any]] = {"success": True}


class BetterAuthDeleted(ResponseBody, kw_only=True):
    """The account is gone."""

    success: bool
    message: str

    example: ClassVar[Mapping[str, Any]] = {"success": True, "message": "User deleted"}


class BetterAuthOk(ResponseBody, kw_only=True):
    """The door is open."""

    ok: bool

    example: ClassVar[Mapping[str, Any]] = {"ok": True}


class BetterAuthError(ResponseBody, kw_only=True):
    """What was refused. Few refusals have no code."""

    message: str
    code: str | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {
        "message": "Invalid email or password",
        "code": "INVALID_EMAIL_OR_PASSWORD",
    }

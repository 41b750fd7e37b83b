"""What is sent to the administration of people and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType, convert

from application.admin.people import Newcomer
from application.admin.views import AuditView, InvitationView, SessionState, SessionView, UserView
from domain.admin import MAX_REASON_LENGTH, UserChange
from domain.auth.invitations import InvitationState
from domain.auth.people import Role, UserStatus
from domain.auth.sessions import Door
from entrypoints.http.auth_bodies import Email, Name, UserBody, Username
from entrypoints.http.fields import PageBody, RequestBody, ResponseBody, When

T = TypeVar("T")

_ReasonText = Annotated[str, Meta(max_length=MAX_REASON_LENGTH)]
Reason = Annotated[_ReasonText | None, Meta(description="Why, for those who read the audit log later")]
_Moment = Annotated[When | None, Meta(description="Null where it has not happened")]

_ADMIN_ID = "usr_01m7y0w5089re0wwbvvzgw20sf"
_USER_ID = "usr_01m7y0w5089re0wwbvvzgw20sg"
_REASON = "Asked for by telephone"


class ReasonRequest(RequestBody):
    """Why something is done."""

    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"reason": _REASON}


class EveryoneRequest(RequestBody):
    """Why everybody is to be signed out."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_REASON_LENGTH, description="There is always one")]

    example: ClassVar[Mapping[str, Any]] = {"reason": "A backup with keys was lost"}


class AddUserRequest(RequestBody):
    """For whom an account is to be made. Nobody chooses a password for somebody else: the person is mailed a link."""

    email: Email
    role: Role
    name: Annotated[Name | None, Meta(description="To be shown; absent: nothing is shown")] = None
    username: Annotated[Username | None, Meta(description="Unique without regard to case")] = None
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {
        "email": "grace@example.org",
        "role": "instructor",
        "name": "Grace Hopper",
        "reason": _REASON,
    }

    def newcomer(self) -> Newcomer:
        return Newcomer(email=self.email, role=self.role, name=self.name, username=self.username)


class ChangeUserRequest(RequestBody):
    """What is to be changed; what is absent stays as it is."""

    email: Annotated[Email | UnsetType, Meta(description="Is not verified until its owner has done so")] = UNSET
    username: Annotated[Username | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    name: Annotated[Name | UnsetType | None, Meta(description="Null takes it away")] = UNSET
    role: Annotated[Role | UnsetType, Meta(description="Another one ends every session of the person")] = UNSET
    status: Annotated[UserStatus | UnsetType, Meta(description="Disabling ends every session of the person")] = UNSET
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"role": "instructor", "reason": _REASON}

    def change(self) -> UserChange:
        """Null is the empty text there, so that None can mean absent."""
        return UserChange(
            email=_sent(self.email),
            username=None if self.username is UNSET else _sent(self.username) or "",
            name=None if self.name is UNSET else _sent(self.name) or "",
            role=_sent(self.role),
            status=_sent(self.status),
        )


def _sent(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value


class AdminUserBody(UserBody, kw_only=True):
    """A person as administrators see them."""

    status: UserStatus
    email_verified_at: _Moment
    deleted_at: _Moment
    last_seen_at: Annotated[When | None, Meta(description="When a session was last seen; null: no session is kept")]

    example: ClassVar[Mapping[str, Any]] = {
        **UserBody.example,
        "status": "active",
        "emailVerifiedAt": None,
        "deletedAt": None,
        "lastSeenAt": "2026-03-02T08:15:00Z",
    }


class AdminUserPage(PageBody):
    """A page of people."""

    items: list[AdminUserBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [AdminUserBody.example], "nextCursor": None}


class AuthSessionBody(ResponseBody):
    """A session as administrators see it."""

    id: str
    user_id: str
    state: SessionState
    door: Door
    audience: Annotated[Role, Meta(description="The portal that it is good for")]
    ip: str
    user_agent: str
    created_at: When
    last_seen_at: When
    expires_at: Annotated[When, Meta(description="When it ends, or has ended, if it is not renewed or revoked before")]
    revoked_at: _Moment
    revoke_reason: Annotated[str | None, Meta(description="What ended it; null while it was not revoked")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "ses_01m7y0w5089re0wwbvvzgw20sh",
        "userId": _USER_ID,
        "state": "revoked",
        "door": "portal",
        "audience": "student",
        "ip": "192.0.2.7",
        "userAgent": "Mozilla/5.0",
        "createdAt": "2026-03-02T08:15:00Z",
        "lastSeenAt": "2026-03-02T09:30:00Z",
        "expiresAt": "2026-03-09T09:30:00Z",
        "revokedAt": "2026-03-02T10:00:00Z",
        "revokeReason": "admin_revoked",
    }


class AuthSessionPage(PageBody):
    """A page of sessions."""

    items: list[AuthSessionBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [AuthSessionBody.example], "nextCursor": None}


class EndedSessionsBody(ResponseBody):
    """How many sessions have ended."""

    revoked: Annotated[int, Meta(description="How many sessions have ended by this")]

    example: ClassVar[Mapping[str, Any]] = {"revoked": 2}


class EndedEverywhereBody(ResponseBody):
    """How many sessions have ended so far."""

    revoked: Annotated[int, Meta(description="How many sessions have ended by this")]
    complete: Annotated[bool, Meta(description="Whether these were all; the rest end within minutes")]

    example: ClassVar[Mapping[str, Any]] = {"revoked": 412, "complete": True}


class InviteRequest(RequestBody):
    """Who is invited to register, and as what."""

    email: Email
    role: Annotated[Literal["instructor", "admin"], Meta(description="Students need no invitation")]
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"email": "grace@example.org", "role": "instructor"}


class InvitationBody(ResponseBody):
    """An invitation to register as staff."""

    id: str
    email: str
    role: Role
    state: InvitationState
    invited_by: Annotated[str | None, Meta(description="The id of an admin; null: the operator of the server")]
    created_at: When
    expires_at: When
    accepted_at: _Moment
    accepted_by: Annotated[str | None, Meta(description="The id of who registered with it")]
    revoked_at: Annotated[When | None, Meta(description="When it was taken back or replaced by a newer one")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "inv_01m7y0w5089re0wwbvvzgw20sj",
        "email": "grace@example.org",
        "role": "instructor",
        "state": "open",
        "invitedBy": _ADMIN_ID,
        "createdAt": "2026-03-02T08:15:00Z",
        "expiresAt": "2026-03-09T08:15:00Z",
        "acceptedAt": None,
        "acceptedBy": None,
        "revokedAt": None,
    }


class InvitationPage(PageBody):
    """A page of invitations."""

    items: list[InvitationBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [InvitationBody.example], "nextCursor": None}


class AuditEntryBody(ResponseBody):
    """One privileged act. `before` and `after` have only what it changed."""

    id: str
    at: When
    actor_id: Annotated[str | None, Meta(description="Null: the operator of the server, or the server itself")]
    action: Annotated[str, Meta(description="As `user.changed`")]
    subject: Annotated[str, Meta(description="The id of what it was done to")]
    before: Annotated[dict[str, Any] | None, Meta(description="Null where there was nothing before")]
    after: Annotated[dict[str, Any] | None, Meta(description="Null where nothing is told of it")]
    reason: Annotated[str | None, Meta(description="Null where none was given")]
    request_id: Annotated[str | None, Meta(description="`X-Request-Id` of the request; null where it was none")]
    ip: Annotated[str | None, Meta(description="The address that it came from; null where it came from none")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "aud_01m7y0w5089re0wwbvvzgw20sk",
        "at": "2026-03-02T08:15:00Z",
        "actorId": _ADMIN_ID,
        "action": "user.changed",
        "subject": _USER_ID,
        "before": {"role": "student"},
        "after": {"role": "instructor"},
        "reason": _REASON,
        "requestId": "5f0c1d2a9be34e6c8f7a60b1d4c2e913",
        "ip": "192.0.2.7",
    }


class AuditPage(PageBody):
    """A page of the audit log."""

    items: list[AuditEntryBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [AuditEntryBody.example], "nextCursor": None}


def user_body(view: UserView) -> AdminUserBody:
    return convert(view, AdminUserBody, from_attributes=True)


def session_body(view: SessionView) -> AuthSessionBody:
    return convert(view, AuthSessionBody, from_attributes=True)


def invitation_body(view: InvitationView) -> InvitationBody:
    return convert(view, InvitationBody, from_attributes=True)


def audit_body(view: AuditView) -> AuditEntryBody:
    return convert(view, AuditEntryBody, from_attributes=True)

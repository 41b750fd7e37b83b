"""Session limits and groups over HTTP: what is sent and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType, convert

from application.admin.groups import GroupChange, LimitChange, NewGroup
from application.admin.limit_views import GroupView, MemberView, UserLimits
from application.admin.limits import Enforced, LimitOrder
from domain.auth.limits import DEFAULT_LIMIT, MAX_LIMIT, Limit, LimitSource, WhenFull
from domain.auth.people import Role, UserStatus
from entrypoints.http.admin_bodies import Reason
from entrypoints.http.fields import Id, PageBody, RequestBody, ResponseBody, ShortText, When

_Bounded = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
_WantedLimit = Annotated[
    _Bounded | None, Meta(description=f"How many live sessions, 1 to {MAX_LIMIT}; null: none is defined here")
]
_WantedWhenFull = Annotated[
    WhenFull | None,
    Meta(description="What happens to a sign-in that would be one too many; `evict_oldest` unless told"),
]
_EnforceNow = Annotated[bool, Meta(description="Whether sessions that are too many end at once")]
_Limit = Annotated[int | None, Meta(description="How many live sessions; null: none is defined here")]
_WhenFull = Annotated[WhenFull | None, Meta(description="Null where no limit is defined")]
_Revoked = Annotated[int, Meta(description="How many sessions were ended by this")]
_Complete = Annotated[bool, Meta(description="Whether these were all; the rest end within minutes")]

_GROUP_ID = "sgr_01m7y0w5089re0wwbvvzgw20sq"
_USER_ID = "usr_01m7y0w5089re0wwbvvzgw20sa"


class SetLimitRequest(RequestBody):
    """A session limit, or that none is defined here."""

    limit: _WantedLimit
    when_full: _WantedWhenFull = None
    enforce_now: _EnforceNow = False
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {
        "limit": 2,
        "whenFull": "evict_oldest",
        "enforceNow": True,
        "reason": "Shared accounts",
    }

    def order(self) -> LimitOrder:
        return LimitOrder(limit=_limit_of(self.limit, self.when_full), enforce_now=self.enforce_now, reason=self.reason)


class CreateGroupRequest(RequestBody):
    """A group under a name that no other has, in whatever case."""

    name: ShortText
    limit: _WantedLimit = None
    when_full: _WantedWhenFull = None
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"name": "Class of 2026", "limit": 2, "whenFull": "deny"}

    def new(self) -> NewGroup:
        return NewGroup(name=self.name, limit=_limit_of(self.limit, self.when_full), reason=self.reason)


class ChangeGroupRequest(RequestBody):
    """What is to change about a group; what is absent stays as it is."""

    name: ShortText | UnsetType = UNSET
    limit: _WantedLimit | UnsetType = UNSET
    when_full: _WantedWhenFull | UnsetType = UNSET
    enforce_now: _EnforceNow = False
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"limit": 1, "enforceNow": True, "reason": "Final week"}

    def change(self) -> GroupChange:
        return GroupChange(
            name=None if self.name is UNSET else self.name,
            limit=LimitChange(
                max_sessions=None if self.limit is UNSET else self.limit,
                undefine=self.limit is None,
                when_full=self._when_full(),
            ),
            enforce_now=self.enforce_now,
            reason=self.reason,
        )

    def _when_full(self) -> WhenFull | None:
        if self.when_full is UNSET or self.limit is None:
            return None
        return self.when_full or WhenFull.EVICT_OLDEST


class AddMemberRequest(RequestBody):
    """Who is to be in the group."""

    user_id: Id
    reason: Reason = None

    example: ClassVar[Mapping[str, Any]] = {"userId": _USER_ID}


class LimitBody(ResponseBody):
    """A session limit."""

    limit: Annotated[int, Meta(description="How many live sessions a person may have")]
    when_full: WhenFull


class GroupLimitBody(ResponseBody):
    """The session limit of one of a person's groups."""

    group_id: str
    name: str
    limit: Annotated[int, Meta(description="How many live sessions a member may have")]
    when_full: WhenFull


class LimitCandidatesBody(ResponseBody):
    """Every limit that is defined for a person. The first of user, groups (the lowest), role and default counts."""

    user: Annotated[LimitBody | None, Meta(description="The person's own; null: none is defined")]
    groups: Annotated[list[GroupLimitBody], Meta(description="Those of the person's groups, the strictest first")]
    role: Annotated[LimitBody | None, Meta(description="That of the person's role; null: none is defined")]
    default: LimitBody


_CANDIDATES: Mapping[str, Any] = {
    "user": None,
    "groups": [{"groupId": _GROUP_ID, "name": "Class of 2026", "limit": 2, "whenFull": "deny"}],
    "role": {"limit": 4, "whenFull": "evict_oldest"},
    "default": {"limit": DEFAULT_LIMIT, "whenFull": "evict_oldest"},
}


class UserLimitBody(ResponseBody):
    """The session limit that counts for a person, where it comes from, and what else is defined."""

    effective: Annotated[int, Meta(description="How many live sessions the person may have")]
    when_full: WhenFull
    source: LimitSource
    candidates: LimitCandidatesBody

    example: ClassVar[Mapping[str, Any]] = {
        "effective": 2,
        "whenFull": "deny",
        "source": "group",
        "candidates": _CANDIDATES,
    }


class ChangedUserLimitBody(UserLimitBody):
    """The session limit that counts for a person from now on, and what its enforcement ended."""

    revoked: _Revoked

    example: ClassVar[Mapping[str, Any]] = {**UserLimitBody.example, "revoked": 0}


class RoleLimitBody(ResponseBody):
    """The session limit of a role."""

    role: Role
    limit: _Limit
    when_full: _WhenFull

    example: ClassVar[Mapping[str, Any]] = {"role": "student", "limit": 4, "whenFull": "evict_oldest"}


class ChangedRoleLimitBody(RoleLimitBody):
    """The session limit of a role from now on, and what its enforcement ended so far."""

    revoked: _Revoked
    complete: _Complete

    example: ClassVar[Mapping[str, Any]] = {**RoleLimitBody.example, "revoked": 12, "complete": True}


class SessionGroupBody(ResponseBody):
    """A session group and the limit that it defines, if it does."""

    id: str
    name: str
    limit: _Limit
    when_full: _WhenFull
    member_count: Annotated[int, Meta(description="How many people are in it, deleted ones included")]
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": _GROUP_ID,
        "name": "Class of 2026",
        "limit": 2,
        "whenFull": "deny",
        "memberCount": 28,
        "createdAt": "2026-03-02T08:20:00Z",
        "updatedAt": "2026-03-02T08:20:00Z",
    }


class ChangedSessionGroupBody(SessionGroupBody):
    """A session group as it is from now on, and what the enforcement of its limit ended so far."""

    revoked: _Revoked
    complete: _Complete

    example: ClassVar[Mapping[str, Any]] = {**SessionGroupBody.example, "revoked": 3, "complete": True}


class SessionGroupPage(PageBody):
    """A page of session groups."""

    items: list[SessionGroupBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [SessionGroupBody.example], "nextCursor": None}


class GroupMemberBody(ResponseBody):
    """Somebody in a session group."""

    user_id: str
    email: str
    name: str
    role: Role
    status: UserStatus
    added_at: When
    deleted_at: Annotated[When | None, Meta(description="Null unless the person was deleted")]

    example: ClassVar[Mapping[str, Any]] = {
        "userId": _USER_ID,
        "email": "ada@example.org",
        "name": "Ada",
        "role": "student",
        "status": "active",
        "addedAt": "2026-03-02T08:20:00Z",
        "deletedAt": None,
    }


class GroupMemberPage(PageBody):
    """A page of the members of a session group."""

    items: list[GroupMemberBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [GroupMemberBody.example], "nextCursor": None}


def user_limit_body(limits: UserLimits) -> UserLimitBody:
    return UserLimitBody(**_user_limit(limits))


def changed_user_limit_body(limits: UserLimits, enforced: Enforced) -> ChangedUserLimitBody:
    return ChangedUserLimitBody(**_user_limit(limits), revoked=enforced.revoked)


def role_limit_body(role: Role, limit: Limit | None) -> RoleLimitBody:
    return RoleLimitBody(role=role, **_optional(limit))


def changed_role_limit_body(role: Role, limit: Limit | None, enforced: Enforced) -> ChangedRoleLimitBody:
    return ChangedRoleLimitBody(role=role, **_optional(limit), revoked=enforced.revoked, complete=enforced.complete)


def group_body(view: GroupView) -> SessionGroupBody:
    return SessionGroupBody(**_group(view))


def changed_group_body(view: GroupView, enforced: Enforced) -> ChangedSessionGroupBody:
    return ChangedSessionGroupBody(**_group(view), revoked=enforced.revoked, complete=enforced.complete)


def member_body(view: MemberView) -> GroupMemberBody:
    return convert(view, GroupMemberBody, from_attributes=True)


def _limit_of(limit: int | None, when_full: WhenFull | None) -> Limit | None:
    return None if limit is None else Limit(max_sessions=limit, when_full=when_full or WhenFull.EVICT_OLDEST)


def _user_limit(limits: UserLimits) -> dict[str, Any]:
    counts = limits.effective
    return {
        "effective": counts.limit.max_sessions,
        "when_full": counts.limit.when_full,
        "source": counts.source,
        "candidates": LimitCandidatesBody(
            user=_candidate(limits.own),
            groups=[
                GroupLimitBody(
                    group_id=group.group_id,
                    name=group.name,
                    limit=group.limit.max_sessions,
                    when_full=group.limit.when_full,
                )
                for group in limits.groups
            ],
            role=_candidate(limits.role),
            default=LimitBody(limit=DEFAULT_LIMIT, when_full=WhenFull.EVICT_OLDEST),
        ),
    }


def _candidate(limit: Limit | None) -> LimitBody | None:
    return None if limit is None else LimitBody(limit=limit.max_sessions, when_full=limit.when_full)


def _optional(limit: Limit | None) -> dict[str, Any]:
    return {"limit": limit and limit.max_sessions, "when_full": limit and limit.when_full}


def _group(view: GroupView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        **_optional(view.limit),
        "member_count": view.member_count,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }

"""What administrators see of session limits and of the groups that define them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.auth.limits import Limit, LimitCandidate, LimitSource, SessionGroup, effective_limit
from domain.auth.people import Role, UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimit:
    """The limit that one of a person's groups defines."""

    group_id: str
    name: str
    limit: Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLimits:
    """Every limit that is defined for a person; None where there is none, the strictest group first."""

    user_id: str
    own: Limit | None = None
    groups: tuple[GroupLimit, ...] = ()
    role: Limit | None = None

    @property
    def effective(self) -> LimitCandidate:
        """The one that counts."""
        return effective_limit(self._candidates())

    def _candidates(self) -> list[LimitCandidate]:
        found = [
            LimitCandidate(source=LimitSource.GROUP, subject_id=group.group_id, limit=group.limit)
            for group in self.groups
        ]
        for source, limit in ((LimitSource.USER, self.own), (LimitSource.ROLE, self.role)):
            if limit is not None:
                found.append(LimitCandidate(source=source, limit=limit))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group, the limit that it defines if it does, and how many people are in it."""

    id: str
    name: str
    limit: Limit | None
    member_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, group: SessionGroup, limit: Limit | None, member_count: int) -> GroupView:
        return cls(
            id=group.id,
            name=group.name,
            limit=limit,
            member_count=member_count,
            created_at=group.created_at,
            updated_at=group.updated_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """Somebody in a group; who was deleted stays in it and is in it again when restored."""

    user_id: str
    email: str
    name: str
    role: Role
    status: UserStatus
    added_at: datetime
    deleted_at: datetime | None

"""What the administration of session limits needs from outside: its units of work, its reader, and a barrier."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.admin.limit_views import GroupView, MemberView, UserLimits
from application.auth.ports import AuthWork
from domain.auth.limits import Limit, LimitSource, SessionGroup
from domain.auth.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSubject:
    """Whose limit: a user's, a group's or a role's."""

    source: LimitSource
    id: str

    @classmethod
    def user(cls, user_id: str) -> LimitSubject:
        return cls(source=LimitSource.USER, id=user_id)

    @classmethod
    def group(cls, group_id: str) -> LimitSubject:
        return cls(source=LimitSource.GROUP, id=group_id)

    @classmethod
    def role(cls, role: Role) -> LimitSubject:
        return cls(source=LimitSource.ROLE, id=role.value)

    @property
    def audited_as(self) -> str:
        """The subject of its audit rows; a role has no id of its own."""
        return f"role:{self.id}" if self.source is LimitSource.ROLE else self.id


class LimitWork(AuthWork, Protocol):
    """One change to a session limit, or the enforcement of one."""

    @abstractmethod
    async def add_limit(self, subject: LimitSubject, limit: Limit) -> bool:
        """Defines it where none is defined; False, and nothing happens, where one is."""

    @abstractmethod
    async def hold_limit(self, subject: LimitSubject) -> Limit | None:
        """The limit as it is now, kept from others until the end; None where none is defined."""

    @abstractmethod
    async def save_limit(self, subject: LimitSubject, limit: Limit) -> None:
        """Writes a limit, held or new."""

    @abstractmethod
    async def drop_limit(self, subject: LimitSubject) -> None:
        """None is defined from now on."""

    @abstractmethod
    async def user_limits(self, user_id: str) -> UserLimits | None:
        """Every limit that is defined for a person; None where nobody has this id."""

    @abstractmethod
    async def crowded(self, subject: LimitSubject, after: str | None, limit: int) -> Sequence[str]:
        """At most `limit` ids of the group's or role's people who have more live sessions than the limit that counts
        for them, in their order, those after `after`.
        """


class GroupWork(LimitWork, Protocol):
    """One change to a session group."""

    @abstractmethod
    async def add_group(self, group: SessionGroup) -> None:
        """Refuses `SessionGroupNameTaken`, whoever came first."""

    @abstractmethod
    async def hold_group(self, group_id: str) -> SessionGroup | None:
        """The group, kept from others that change it until the end."""

    @abstractmethod
    async def find_group(self, group_id: str) -> SessionGroup | None:
        """The group, which is not deleted before the end."""

    @abstractmethod
    async def save_group(self, group: SessionGroup) -> None:
        """Writes a group that is held; refuses `SessionGroupNameTaken`."""

    @abstractmethod
    async def drop_group(self, group_id: str) -> None:
        """Deletes the group with its memberships."""

    @abstractmethod
    async def count_members(self, group_id: str) -> int: ...

    @abstractmethod
    async def find_member(self, group_id: str, user_id: str) -> MemberView | None: ...

    @abstractmethod
    async def add_member(self, group_id: str, user_id: str, added_at: datetime) -> None:
        """Adds somebody who is held and not in the group."""

    @abstractmethod
    async def remove_member(self, group_id: str, user_id: str) -> bool:
        """False when the person is not in the group."""


class LimitReader(Protocol):
    """Limits and groups, one round trip each."""

    @abstractmethod
    async def user_limits(self, user_id: str) -> UserLimits | None:
        """Every limit that is defined for a person; None where nobody has this id."""

    @abstractmethod
    async def role_limit(self, role: Role) -> Limit | None: ...

    @abstractmethod
    async def groups(self, *, after: str | None, limit: int) -> tuple[GroupView, ...]:
        """At most `limit` groups by id, those after `after`."""

    @abstractmethod
    async def members(self, group_id: str, *, after: str | None, limit: int) -> tuple[MemberView, ...] | None:
        """At most `limit` members by their ids, those after `after`; None where there is no such group."""

    @abstractmethod
    async def groups_of(self, user_id: str, *, after: str | None, limit: int) -> tuple[GroupView, ...] | None:
        """At most `limit` of a person's groups by id, those after `after`; None where nobody has this id."""


class Turnover(Protocol):
    """Waits for those who may still go by what was true a moment ago."""

    @abstractmethod
    async def __call__(self) -> None:
        """Returns when every unit of work that was under way has ended, or after about a second."""

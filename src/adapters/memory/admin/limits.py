"""Session limits and groups in one process, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.memory.auth import MemoryAuthWork
from adapters.memory.store import MemoryStore
from application.admin.limit_ports import GroupWork, LimitSubject, LimitWork, Turnover
from application.admin.limit_views import GroupLimit, MemberView, UserLimits
from domain.auth.limits import Limit, LimitSource, SessionGroup, SessionGroupNameTaken, WhenFull, effective_limit
from domain.auth.people import User


class MemoryLimitWork(MemoryAuthWork, LimitWork):
    """Limits by whose they are. Units of work take turns, so a limit is always held."""

    async def add_limit(self, subject: LimitSubject, limit: Limit) -> bool:
        if _key(subject) in self._limits:
            return False
        self._limits[_key(subject)] = limit
        return True

    async def hold_limit(self, subject: LimitSubject) -> Limit | None:
        return self._limits.get(_key(subject))

    async def save_limit(self, subject: LimitSubject, limit: Limit) -> None:
        self._limits[_key(subject)] = limit

    async def drop_limit(self, subject: LimitSubject) -> None:
        self._limits.pop(_key(subject), None)

    async def user_limits(self, user_id: str) -> UserLimits | None:
        user = self._users.get(user_id)
        if user is None:
            return None
        groups = [
            GroupLimit(group_id=group.id, name=group.name, limit=self._limits[LimitSource.GROUP, group.id])
            for group in self._groups.values()
            if (user_id, group.id) in self._members and (LimitSource.GROUP, group.id) in self._limits
        ]
        return UserLimits(
            user_id=user_id,
            own=self._limits.get((LimitSource.USER, user_id)),
            groups=tuple(sorted(groups, key=_strictest_first)),
            role=self._limits.get((LimitSource.ROLE, user.role.value)),
        )

    async def crowded(self, subject: LimitSubject, after: str | None, limit: int) -> Sequence[str]:
        people = sorted(user.id for user in self._users.values() if self._concerns(subject, user))
        crowded = [user_id for user_id in people if user_id > (after or "") and await self._is_crowded(user_id)]
        return crowded[:limit]

    def _concerns(self, subject: LimitSubject, user: User) -> bool:
        if subject.source is LimitSource.GROUP:
            return (user.id, subject.id) in self._members
        return user.role.value == subject.id

    async def _is_crowded(self, user_id: str) -> bool:
        limits = await self.limits_of(user_id, self._users[user_id].role)
        return len(await self.live_sessions(user_id)) > effective_limit(limits).limit.max_sessions

    @property
    def _limits(self) -> dict[tuple[LimitSource, str], Limit]:
        return self._tables["session_limits"]

    @property
    def _groups(self) -> dict[str, SessionGroup]:
        return self._tables["session_groups"]

    @property
    def _members(self) -> dict[tuple[str, str], datetime]:
        return self._tables["session_group_members"]


class MemoryGroupWork(MemoryLimitWork, GroupWork):
    """Groups by id, and memberships by person and group."""

    async def add_group(self, group: SessionGroup) -> None:
        self._refuse_taken_name(group)
        self._groups[group.id] = group

    async def hold_group(self, group_id: str) -> SessionGroup | None:
        return self._groups.get(group_id)

    async def find_group(self, group_id: str) -> SessionGroup | None:
        return self._groups.get(group_id)

    async def save_group(self, group: SessionGroup) -> None:
        self._refuse_taken_name(group)
        self._groups[group.id] = replace(self._groups[group.id], name=group.name, updated_at=group.updated_at)

    async def drop_group(self, group_id: str) -> None:
        del self._groups[group_id]
        for key in [key for key in self._members if key[1] == group_id]:
            del self._members[key]

    async def count_members(self, group_id: str) -> int:
        return sum(group == group_id for _, group in self._members)

    async def find_member(self, group_id: str, user_id: str) -> MemberView | None:
        added_at = self._members.get((user_id, group_id))
        if added_at is None:
            return None
        user = self._users[user_id]
        return MemberView(
            user_id=user.id,
            email=user.email,
            name=user.name,
            role=user.role,
            status=user.status,
            added_at=added_at,
            deleted_at=user.deleted_at,
        )

    async def add_member(self, group_id: str, user_id: str, added_at: datetime) -> None:
        self._members[user_id, group_id] = added_at

    async def remove_member(self, group_id: str, user_id: str) -> bool:
        return self._members.pop((user_id, group_id), None) is not None

    def _refuse_taken_name(self, group: SessionGroup) -> None:
        names = {other.name.lower() for other in self._groups.values() if other.id != group.id}
        if group.name.lower() in names:
            raise SessionGroupNameTaken


class MemoryTurnover(Turnover):
    """Units of work take turns: after the one that runs, none is under way."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def __call__(self) -> None:
        async with self._store.turn:
            pass


def _key(subject: LimitSubject) -> tuple[LimitSource, str]:
    return subject.source, subject.id


def _strictest_first(group: GroupLimit) -> tuple[Any, ...]:
    return group.limit.max_sessions, group.limit.when_full is not WhenFull.DENY, group.group_id

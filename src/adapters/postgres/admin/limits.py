"""Session limits and groups on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from adapters.postgres.auth import PostgresAuthWork
from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.admin.limit_ports import GroupWork, LimitReader, LimitSubject, LimitWork, Turnover
from application.admin.limit_views import GroupView, MemberView, UserLimits
from domain.auth.limits import DEFAULT_LIMIT, Limit, SessionGroup, SessionGroupNameTaken
from domain.auth.people import Role
from domain.errors import DomainError

SQL = load("limits")
_LOOKS = 40
_PAUSE_SECONDS = 0.025


class PostgresLimitWork(PostgresAuthWork, LimitWork):
    """A limit is held by its row; of several that define it first, the primary key lets one."""

    async def add_limit(self, subject: LimitSubject, limit: Limit) -> bool:
        return await self._run(SQL["add_limit"], self._row(subject, limit)) == 1

    async def hold_limit(self, subject: LimitSubject) -> Limit | None:
        return _limit(await self._one(SQL["hold_limit"], _key(subject)))

    async def save_limit(self, subject: LimitSubject, limit: Limit) -> None:
        await self._run(SQL["save_limit"], self._row(subject, limit))

    async def drop_limit(self, subject: LimitSubject) -> None:
        await self._run(SQL["drop_limit"], _key(subject))

    async def user_limits(self, user_id: str) -> UserLimits | None:
        row = await self._one(SQL["user_limits"], {"user_id": user_id})
        return None if row is None else entity(row, UserLimits)

    async def crowded(self, subject: LimitSubject, after: str | None, limit: int) -> Sequence[str]:
        wanted = {**_key(subject), "after": after, "limit": limit, "now": self.now, "otherwise": DEFAULT_LIMIT}
        rows = await self._all(SQL["crowded"], wanted)
        return [row["user_id"] for row in rows]

    def _row(self, subject: LimitSubject, limit: Limit) -> Mapping[str, Any]:
        return {**_key(subject), **record(limit), "now": self.now}


class PostgresGroupWork(PostgresLimitWork, GroupWork):
    """Groups are held by their rows, and their names are kept apart by a unique index."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        **PostgresAuthWork.refusals,
        "session_groups_name_unique": SessionGroupNameTaken,
    }

    async def add_group(self, group: SessionGroup) -> None:
        await self._run(SQL["add_group"], record(group))

    async def hold_group(self, group_id: str) -> SessionGroup | None:
        row = await self._one(SQL["hold_group"], {"group_id": group_id})
        return None if row is None else entity(row, SessionGroup)

    async def find_group(self, group_id: str) -> SessionGroup | None:
        row = await self._one(SQL["find_group"], {"group_id": group_id})
        return None if row is None else entity(row, SessionGroup)

    async def save_group(self, group: SessionGroup) -> None:
        await self._run(SQL["save_group"], record(group))

    async def drop_group(self, group_id: str) -> None:
        await self._run(SQL["drop_group"], {"group_id": group_id})

    async def count_members(self, group_id: str) -> int:
        row = await self._one(SQL["count_members"], {"group_id": group_id})
        return 0 if row is None else int(row["members"])

    async def find_member(self, group_id: str, user_id: str) -> MemberView | None:
        row = await self._one(SQL["find_member"], {"group_id": group_id, "user_id": user_id})
        return None if row is None else entity(row, MemberView)

    async def add_member(self, group_id: str, user_id: str, added_at: datetime) -> None:
        await self._run(SQL["add_member"], {"group_id": group_id, "user_id": user_id, "added_at": added_at})

    async def remove_member(self, group_id: str, user_id: str) -> bool:
        return await self._run(SQL["remove_member"], {"group_id": group_id, "user_id": user_id}) == 1


class PostgresLimitReader(LimitReader):
    """Each of its answers is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def user_limits(self, user_id: str) -> UserLimits | None:
        row = await self._database.fetch_one(SQL["user_limits"], {"user_id": user_id})
        return None if row is None else entity(row, UserLimits)

    async def role_limit(self, role: Role) -> Limit | None:
        return _limit(await self._database.fetch_one(SQL["role_limit"], {"role": role.value}))

    async def groups(self, *, after: str | None, limit: int) -> tuple[GroupView, ...]:
        rows = await self._database.fetch_all(SQL["list_groups"], {"after": after, "limit": limit})
        return tuple(_group(row) for row in rows)

    async def members(self, group_id: str, *, after: str | None, limit: int) -> tuple[MemberView, ...] | None:
        wanted = {"group_id": group_id, "after": after, "limit": limit}
        rows = await self._database.fetch_all(SQL["list_members"], wanted)
        return entities((row for row in rows if row["user_id"] is not None), MemberView) if rows else None

    async def groups_of(self, user_id: str, *, after: str | None, limit: int) -> tuple[GroupView, ...] | None:
        wanted = {"user_id": user_id, "after": after, "limit": limit}
        rows = await self._database.fetch_all(SQL["list_groups_of_user"], wanted)
        return tuple(_group(row) for row in rows if row["id"] is not None) if rows else None


class PostgresTurnover(Turnover):
    """Transactions are numbered when they first lock or write: it takes a number and waits for all that are lower.

    Units of work last milliseconds. One that takes longer, as an import may, is not waited for to its end.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> None:
        own = await self._database.fetch_one(SQL["take_number"])
        for _ in range(_LOOKS):
            found = await self._database.fetch_one(SQL["has_turned_over"], own)
            if found is None or found["over"]:
                return
            await asyncio.sleep(_PAUSE_SECONDS)


def _key(subject: LimitSubject) -> dict[str, str]:
    return {"scope": subject.source.value, "subject_id": subject.id}


def _limit(row: Mapping[str, Any] | None) -> Limit | None:
    return None if row is None or row["max_sessions"] is None else entity(row, Limit)


def _group(row: Mapping[str, Any]) -> GroupView:
    return entity({**row, "limit": _limit(row)}, GroupView)

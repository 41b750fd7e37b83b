"""Packages on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.enrollment.ports.packages import PackageReader, PackageWork
from application.enrollment.views import PackageTopicView, PackageView, StaffPackageView
from domain.enrollment.package_refusals import PackageInUse, PackageSlugTaken, TierInUse, TierNameTaken
from domain.enrollment.packages import ExamPackage, Tier, Visibility
from domain.enrollment.refusals import BankUnknown, PackageNotFound
from domain.errors import DomainError

SQL = load("enrollment/packages")


class PostgresPackageWork(PostgresWork, PackageWork):
    """Two that define the same package meet at the unique index of its slug: the later one waits and finds it."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "exam_packages_slug_unique": PackageSlugTaken,
        "exam_package_tiers_name_unique": TierNameTaken,
        # A bank that was deleted between the look and the link.
        "exam_package_banks_question_bank_id_fkey": BankUnknown,
    }

    async def add_package(self, package: ExamPackage) -> bool:
        return await self._one(SQL["add_package"], record(package) | {"now": self.now}) is not None

    async def hold_package(self, name: str) -> ExamPackage | None:
        return await self._read(await self._one(SQL["hold_package"], {"name": name}))

    async def hold_package_alone(self, name: str) -> ExamPackage | None:
        return await self._read(await self._one(SQL["hold_package_alone"], {"name": name}))

    async def _read(self, held: Mapping[str, Any] | None) -> ExamPackage | None:
        row = None if held is None else await self._one(SQL["read_package"], {"id": held["id"]})
        return None if row is None else entity(row, ExamPackage)

    async def view_package(self, package_id: str) -> StaffPackageView:
        row = await self._one(SQL["find_package_of_staff"], {"name": package_id})
        if row is None:
            raise PackageNotFound
        return _of_staff(row)

    async def save_package(self, package: ExamPackage) -> None:
        await self._run(SQL["save_package"], record(package) | {"now": self.now})

    async def drop_package(self, package_id: str) -> None:
        row = await self._one(SQL["is_package_used"], {"package_id": package_id})
        if row is None or row["used"]:
            raise PackageInUse
        for statement in (SQL["drop_banks_of"], SQL["drop_tiers_of"], SQL["drop_package"]):
            await self._run(statement, {"package_id": package_id})

    async def save_tier(self, package_id: str, tier: Tier) -> None:
        params = record(tier) | {"exam_package_id": package_id}
        if tier.is_default:
            await self._run(SQL["clear_default_tier"], params)
        await self._run(SQL["save_tier"], params)

    async def drop_tier(self, package_id: str, tier_id: str) -> None:
        await self._run(SQL["hold_tier_alone"], {"tier_id": tier_id})
        row = await self._one(SQL["is_tier_used"], {"tier_id": tier_id})
        if row is None or row["used"]:
            raise TierInUse
        await self._run(SQL["drop_tier"], {"tier_id": tier_id})

    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        rows = await self._all(SQL["find_banks"], {"names": list(names)})
        return {row[column]: row["id"] for row in rows for column in ("id", "slug") if row[column] in names}

    async def banks_of(self, package_id: str) -> tuple[str, ...]:
        return tuple(row["id"] for row in await self._all(SQL["banks_of"], {"package_id": package_id}))

    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        if not bank_ids:
            return ()
        rows = await self._all(SQL["link_banks"], {"package_id": package_id, "bank_ids": list(bank_ids)})
        return tuple(sorted(row["question_bank_id"] for row in rows))

    async def unlink_banks(self, package_id: str, bank_ids: Sequence[str]) -> None:
        if bank_ids:
            await self._run(SQL["unlink_banks"], {"package_id": package_id, "bank_ids": list(bank_ids)})

    async def topics_among(self, topic_ids: Sequence[str], bank_ids: Sequence[str]) -> frozenset[str]:
        params = {"topic_ids": list(topic_ids), "bank_ids": list(bank_ids)}
        return frozenset(row["id"] for row in await self._all(SQL["topics_among"], params))

    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        rows = await self._all(SQL["difficulties_among"], {"difficulty_ids": list(difficulty_ids)})
        return frozenset(row["id"] for row in rows)


class PostgresPackageReader(PackageReader):
    """Each list, and each package, is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_packages(self, *, text: str | None, after: str | None, limit: int) -> tuple[PackageView, ...]:
        wanted = {"text": text or None, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_packages"], wanted), PackageView)

    async def visible_package(self, name: str) -> PackageView | None:
        row = await self._database.fetch_one(SQL["find_visible_package"], {"name": name})
        return None if row is None else entity(row, PackageView)

    async def topics_of(self, package_id: str) -> tuple[PackageTopicView, ...]:
        rows = await self._database.fetch_all(SQL["list_topics"], {"package_id": package_id})
        return entities(rows, PackageTopicView)

    async def packages(
        self, *, visibility: Visibility | None, text: str | None, after: str | None, limit: int
    ) -> tuple[StaffPackageView, ...]:
        shown = None if visibility is None else visibility.value
        wanted = {"visibility": shown, "text": text or None, "after": after, "limit": limit}
        rows = await self._database.fetch_all(SQL["list_packages_of_staff"], wanted)
        return tuple(_of_staff(row) for row in rows)

    async def package(self, name: str) -> StaffPackageView | None:
        row = await self._database.fetch_one(SQL["find_package_of_staff"], {"name": name})
        return None if row is None else _of_staff(row)


def _of_staff(row: Mapping[str, Any]) -> StaffPackageView:
    return entity({**row, "package": row}, StaffPackageView)

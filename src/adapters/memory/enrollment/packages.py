"""Packages in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.memory.store import MemoryWork
from application.enrollment.ports.packages import PackageWork
from application.enrollment.views import StaffPackageView
from domain.enrollment.package_refusals import PackageInUse, PackageSlugTaken, TierInUse, TierNameTaken
from domain.enrollment.packages import ExamPackage, Tier


class MemoryPackageWork(MemoryWork, PackageWork):
    """Packages by id, and the pairs of package and bank; banks and topics are those of the question bank."""

    async def add_package(self, package: ExamPackage) -> bool:
        if await self.hold_package(package.slug) is not None:
            return False
        self._packages[package.id,] = package
        self._tables["exam_package_times"][package.id,] = (self.now, self.now)
        return True

    async def hold_package(self, name: str) -> ExamPackage | None:
        return next((package for package in self._packages.values() if name in (package.id, package.slug)), None)

    async def hold_package_alone(self, name: str) -> ExamPackage | None:
        return await self.hold_package(name)

    async def view_package(self, package_id: str) -> StaffPackageView:
        created_at, updated_at = self._tables["exam_package_times"][package_id,]
        bank_ids = await self.banks_of(package_id)
        banks = [bank for bank in self._tables["question_banks"].values() if bank.id in bank_ids and bank.visible]
        return StaffPackageView(
            package=self._packages[package_id,],
            question_bank_ids=bank_ids,
            question_count=sum(bank.published_count for bank in banks),
            created_at=created_at,
            updated_at=updated_at,
        )

    async def save_package(self, package: ExamPackage) -> None:
        if any(other.slug == package.slug and other.id != package.id for other in self._packages.values()):
            raise PackageSlugTaken
        self._packages[package.id,] = replace(package, tiers=self._packages[package.id,].tiers)
        times = self._tables["exam_package_times"]
        created_at, updated_at = times.get((package.id,), (self.now, self.now))
        times[package.id,] = (created_at, max(updated_at, self.now))

    async def drop_package(self, package_id: str) -> None:
        if any(row.exam_package_id == package_id for row in self._users()):
            raise PackageInUse
        await self.unlink_banks(package_id, await self.banks_of(package_id))
        del self._packages[package_id,]

    async def save_tier(self, package_id: str, tier: Tier) -> None:
        package = self._packages[package_id,]
        others = [other for other in package.tiers if other.id != tier.id]
        if any(other.name.lower() == tier.name.lower() for other in others):
            raise TierNameTaken
        if tier.is_default:
            others = [replace(other, is_default=False) for other in others]
        tiers = sorted((*others, tier), key=lambda each: (not each.is_default, each.id))
        self._packages[package_id,] = replace(package, tiers=tuple(tiers))

    async def drop_tier(self, package_id: str, tier_id: str) -> None:
        if any(row.tier_id == tier_id for row in self._tables["enrollments"].values()):
            raise TierInUse
        package = self._packages[package_id,]
        tiers = tuple(tier for tier in package.tiers if tier.id != tier_id)
        self._packages[package_id,] = replace(package, tiers=tiers)

    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        banks = [(bank.id, bank.slug) for bank in self._tables["question_banks"].values()]
        by_name = {name: bank_id for bank_id, slug in banks for name in (bank_id, slug)}
        return {name: by_name[name] for name in names if name in by_name}

    async def banks_of(self, package_id: str) -> tuple[str, ...]:
        pairs = self._tables["exam_package_banks"]
        return tuple(sorted(bank_id for linked_id, bank_id in pairs if linked_id == package_id))

    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        links = self._tables["exam_package_banks"]
        new = tuple(sorted(bank_id for bank_id in set(bank_ids) if (package_id, bank_id) not in links))
        links.update({(package_id, bank_id): None for bank_id in new})
        return new

    async def unlink_banks(self, package_id: str, bank_ids: Sequence[str]) -> None:
        for bank_id in bank_ids:
            self._tables["exam_package_banks"].pop((package_id, bank_id), None)

    async def topics_among(self, topic_ids: Sequence[str], bank_ids: Sequence[str]) -> frozenset[str]:
        topics = self._tables["topics"].values()
        return frozenset(topic.id for topic in topics if topic.id in topic_ids and topic.question_bank_id in bank_ids)

    async def difficulties_among(self, difficulty_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(difficulty_ids) & self._tables["difficulties"].keys()

    @property
    def _packages(self) -> dict[tuple[str], ExamPackage]:
        packages: dict[tuple[str], ExamPackage] = self._tables["exam_packages"]
        return packages

    def _users(self) -> list[Any]:
        """Whatever refers to a package."""
        return [*self._tables["enrollments"].values(), *self._tables["practice_templates"].values()]

"""Packages and enrolments in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.memory.store import MemoryWork
from application.enrollment.ports import EnrollmentWork, PackageWork
from domain.enrollment import Enrollment, EnrollmentExists, ExamPackage


class MemoryEnrollmentWork(MemoryWork, EnrollmentWork):
    """Enrolments by student and id. Units of work take turns, so a student is always held."""

    async def hold_student(self, user_id: str) -> None:
        pass

    async def find_package(self, package_id: str) -> ExamPackage | None:
        found: ExamPackage | None = self._tables["exam_packages"].get((package_id,))
        return found

    async def find_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        rows = self._rows(user_id, package_id)
        active = next((row for row in rows if row.ended_at is None), None)
        return active or max(rows, key=lambda row: (row.ended_at, row.id), default=None)

    async def add_enrollment(self, enrollment: Enrollment) -> None:
        rows = self._rows(enrollment.user_id, enrollment.exam_package_id)
        if any(row.ended_at is None for row in rows):
            raise EnrollmentExists
        self._tables["enrollments"][enrollment.user_id, enrollment.id] = enrollment

    async def end_enrollment(self, enrollment: Enrollment) -> None:
        key = enrollment.user_id, enrollment.id
        if self._tables["enrollments"][key].ended_at is None:
            self._tables["enrollments"][key] = enrollment

    def _rows(self, user_id: str, package_id: str) -> list[Enrollment]:
        rows: list[Enrollment] = list(self._tables["enrollments"].values())
        return [row for row in rows if row.user_id == user_id and row.exam_package_id == package_id]


class MemoryPackageWork(MemoryWork, PackageWork):
    """Packages by id, and the pairs of package and bank; the banks are those of the question bank."""

    async def add_package(self, package: ExamPackage) -> bool:
        if await self.hold_package(package.slug) is not None:
            return False
        self._tables["exam_packages"][package.id,] = package
        return True

    async def hold_package(self, slug: str) -> ExamPackage | None:
        packages: list[ExamPackage] = list(self._tables["exam_packages"].values())
        return next((package for package in packages if package.slug == slug), None)

    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        banks = [(bank.id, bank.slug) for bank in self._tables["question_banks"].values()]
        by_name = {name: bank_id for bank_id, slug in banks for name in (bank_id, slug)}
        return {name: by_name[name] for name in names if name in by_name}

    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        links = self._tables["exam_package_banks"]
        new = tuple(sorted(bank_id for bank_id in set(bank_ids) if (package_id, bank_id) not in links))
        links.update({(package_id, bank_id): None for bank_id in new})
        return new

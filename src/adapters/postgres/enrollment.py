"""Packages and enrolments on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.enrollment.ports import EnrollmentReader, EnrollmentWork, PackageReader, PackageWork
from application.enrollment.views import EnrollmentView, PackageView
from domain.enrollment import Enrollment, EnrollmentExists, ExamPackage
from domain.errors import DomainError

SQL = load("enrollment")


class PostgresEnrollmentWork(PostgresWork, EnrollmentWork):
    """The row of the student is what changes to enrolments take turns at; a unique index stands behind it."""

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {"enrollments_one_active": EnrollmentExists}

    async def hold_student(self, user_id: str) -> None:
        await self._one(SQL["hold_student"], {"user_id": user_id})

    async def find_package(self, package_id: str) -> ExamPackage | None:
        row = await self._one(SQL["find_package"], {"package_id": package_id})
        return None if row is None else entity(row, ExamPackage)

    async def find_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        row = await self._one(SQL["find_last_enrollment"], {"user_id": user_id, "package_id": package_id})
        return None if row is None else entity(row, Enrollment)

    async def add_enrollment(self, enrollment: Enrollment) -> None:
        await self._run(SQL["add_enrollment"], record(enrollment))

    async def end_enrollment(self, enrollment: Enrollment) -> None:
        await self._run(SQL["end_enrollment"], record(enrollment))


class PostgresPackageWork(PostgresWork, PackageWork):
    """Two that define the same package meet at the unique index of its slug: the later one waits and finds it."""

    async def add_package(self, package: ExamPackage) -> bool:
        return await self._one(SQL["add_package"], record(package) | {"now": self.now}) is not None

    async def hold_package(self, slug: str) -> ExamPackage | None:
        row = await self._one(SQL["hold_package"], {"slug": slug})
        return None if row is None else entity(row, ExamPackage)

    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        rows = await self._all(SQL["find_banks"], {"names": list(names)})
        return {row[column]: row["id"] for row in rows for column in ("id", "slug") if row[column] in names}

    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        rows = await self._all(SQL["link_banks"], {"package_id": package_id, "bank_ids": list(bank_ids)})
        return tuple(sorted(row["question_bank_id"] for row in rows))


class PostgresPackageReader(PackageReader):
    """The list of packages in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_packages(self, *, text: str | None, after: str | None, limit: int) -> tuple[PackageView, ...]:
        wanted = {"text": text or None, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_packages"], wanted), PackageView)


class PostgresEnrollmentReader(EnrollmentReader):
    """The list of a student's enrolments in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enrollments(self, user_id: str, *, after: str | None, limit: int) -> tuple[EnrollmentView, ...]:
        wanted = {"user_id": user_id, "after": after, "limit": limit}
        return entities(await self._database.fetch_all(SQL["list_enrollments"], wanted), EnrollmentView)

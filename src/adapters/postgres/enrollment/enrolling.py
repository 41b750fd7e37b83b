"""Enrolments on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.enrollment.ports.enrolling import EnrollmentReader, EnrollmentWork, ExpiringWork, WantedEnrollments
from application.enrollment.views import EnrolledView, EnrollmentView, Standing
from application.ports import Clock
from domain.auth.people import Role
from domain.enrollment.enrolling import Begun, Enrollment, EnrollmentStatus, Offer, Spell
from domain.enrollment.refusals import EnrollmentExists, PackageNotFound, TierUnknown
from domain.errors import DomainError

SQL = load("enrollment/enrolling")


class PostgresEnrollmentWork(PostgresWork, EnrollmentWork):
    """The row of the student is what changes to enrolments take turns at; a unique index stands behind it.

    A package or tier that is deleted meanwhile makes its foreign key refuse what is written.
    """

    refusals: ClassVar[Mapping[str, type[DomainError]]] = {
        "enrollments_one_active": EnrollmentExists,
        "enrollments_exam_package_id_fkey": PackageNotFound,
        "enrollments_tier_id_fkey": TierUnknown,
    }

    async def hold_person(self, user_id: str) -> Role | None:
        row = await self._one(SQL["hold_person"], {"user_id": user_id})
        return None if row is None else Role(row["role"])

    async def find_offer(self, package_id: str) -> Offer | None:
        return await self._offer(package_id)

    async def find_offer_named(self, name: str) -> Offer | None:
        return await self._offer(name, name)

    async def hold_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        row = await self._one(SQL["hold_last_enrollment"], {"user_id": user_id, "package_id": package_id})
        return None if row is None else entity(row, Enrollment)

    async def has_live_exam(self, user_id: str, package_id: str) -> bool:
        row = await self._one(SQL["has_live_exam"], {"user_id": user_id, "package_id": package_id, "now": self.now})
        return row is not None and row["live"] is True

    async def begun(self, user_id: str, package_id: str) -> Begun:
        rows = await self._all(SQL["begun"], {"user_id": user_id, "package_id": package_id})
        return {row["tier_id"]: entity(row, Spell) for row in rows}

    async def add_enrollment(self, enrollment: Enrollment) -> None:
        await self._run(SQL["add_enrollment"], record(enrollment))

    async def end_enrollment(self, enrollment: Enrollment) -> None:
        await self._run(SQL["end_enrollment"], record(enrollment))

    async def _offer(self, package_id: str, slug: str | None = None) -> Offer | None:
        row = await self._one(SQL["find_offer"], {"id": package_id, "slug": slug})
        return None if row is None else entity(row, Offer)


class PostgresExpiringWork(PostgresWork, ExpiringWork):
    """Takes no turns: it never waits for anybody's row."""

    async def end_expired(self, limit: int) -> int:
        return await self._run(SQL["end_expired"], {"now": self.now, "limit": limit})


class PostgresEnrollmentReader(EnrollmentReader):
    """Each list in one statement. `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def enrollments(
        self, user_id: str, wanted: WantedEnrollments, *, after: str | None, limit: int
    ) -> tuple[EnrollmentView, ...]:
        asked = {"user_id": user_id, "after": after, "limit": limit, **record(wanted), **self._time}
        return entities(await self._database.fetch_all(SQL["list_enrollments"], asked), EnrollmentView)

    async def standing(self, user_id: str, package_id: str) -> Standing | None:
        asked = {"user_id": user_id, "package_id": package_id, **self._time}
        row = await self._database.fetch_one(SQL["find_standing"], asked)
        return None if row is None else entity({**row, "package": row}, Standing)

    async def enrolled(
        self, package_id: str, *, status: EnrollmentStatus | None, after: str | None, limit: int
    ) -> tuple[EnrolledView, ...]:
        chosen = {"package_id": package_id, "status": status and status.value}
        wanted = {**chosen, "after": after, "limit": limit, **self._time}
        return entities(await self._database.fetch_all(SQL["list_enrolled"], wanted), EnrolledView)

    async def has_person(self, user_id: str) -> bool:
        row = await self._database.fetch_one(SQL["has_person"], {"user_id": user_id})
        return row is not None and bool(row["found"])

    async def has_package(self, package_id: str) -> bool:
        row = await self._database.fetch_one(SQL["has_package"], {"package_id": package_id})
        return row is not None and bool(row["found"])

    @property
    def _time(self) -> Mapping[str, object]:
        return {"now": None if self._clock is None else self._clock.now()}

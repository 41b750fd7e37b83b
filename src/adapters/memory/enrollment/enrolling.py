"""Enrolments in memory."""

from __future__ import annotations

from adapters.memory.store import MemoryWork
from application.enrollment.ports.enrolling import EnrollmentWork, ExpiringWork
from domain.auth.people import Role, User
from domain.enrollment.enrolling import Begun, Enrollment, Offer, Spell
from domain.enrollment.packages import ExamPackage
from domain.enrollment.refusals import EnrollmentExists
from domain.exam.moves import expire
from domain.exam.sessions import ExamSession


class MemoryEnrollmentWork(MemoryWork, EnrollmentWork):
    """Enrolments by student and id. Units of work take turns, so a student is always held."""

    async def hold_person(self, user_id: str) -> Role | None:
        person: User | None = self._tables["users"].get(user_id)
        return None if person is None or person.deleted_at is not None else person.role

    async def find_offer(self, package_id: str) -> Offer | None:
        found: ExamPackage | None = self._tables["exam_packages"].get((package_id,))
        return None if found is None else Offer.of(found)

    async def find_offer_named(self, name: str) -> Offer | None:
        packages: list[ExamPackage] = list(self._tables["exam_packages"].values())
        return next((Offer.of(package) for package in packages if name in (package.id, package.slug)), None)

    async def hold_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        rows = self._rows(user_id, package_id)
        active = next((row for row in rows if row.ended_at is None), None)
        return active or max(rows, key=lambda row: (row.ended_at, row.id), default=None)

    async def has_live_exam(self, user_id: str, package_id: str) -> bool:
        exams: list[ExamSession] = list(self._tables["exam_sessions"].values())
        return any(
            expire(exam, self.now).is_live
            for exam in exams
            if (exam.user_id, exam.exam_package_id) == (user_id, package_id)
        )

    async def begun(self, user_id: str, package_id: str) -> Begun:
        begun: dict[str, Spell] = {}
        for row in sorted(self._rows(user_id, package_id), key=lambda row: (row.started_at, row.id)):
            first = begun.get(row.tier_id, Spell(since=row.started_at))
            begun[row.tier_id] = Spell(since=first.since, until=row.expires_at)
        return begun

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


class MemoryExpiringWork(MemoryWork, ExpiringWork):
    """The same rows, whoever they belong to."""

    async def end_expired(self, limit: int) -> int:
        rows: dict[tuple[str, str], Enrollment] = self._tables["enrollments"]
        lapsed = {key: row.as_of(self.now) for key, row in rows.items() if row.ended_at is None}
        ended = {key: row for key, row in lapsed.items() if row.ended_at is not None}
        some = dict(sorted(ended.items(), key=lambda item: item[1].ended_at or self.now)[:limit])
        rows.update(some)
        return len(some)

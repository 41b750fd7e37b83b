"""What administrators do about who is enrolled, and what they see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.enrollment.enrolling import Enrolled
from application.enrollment.ports.enrolling import EnrollmentReader, EnrollmentWork, WantedEnrollments
from application.enrollment.steps import carry_out, hold_last, require_student
from application.enrollment.views import EnrolledView, EnrollmentView
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.people import Actor, UserNotFound
from domain.enrollment.enrolling import (
    Enrollment,
    EnrollmentEnd,
    EnrollmentStatus,
    Until,
    Wish,
    admit,
    cancel,
    change,
)
from domain.enrollment.refusals import PackageNotFound
from domain.errors import InvalidInput
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How somebody is to be enrolled, by an administrator; what is not named follows from the tier or stays."""

    tier_id: str | None = None
    until: Until | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollStudent:
    """An admin enrols a student in any tier of any package, hidden ones too, until the tier's end or a named one.

    Only students are enrolled. Who is enrolled on these terms already stays as they are.
    """

    transact: Transaction[EnrollmentWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, package_id: str, terms: Terms, reason: str | None = None
    ) -> Enrolled:
        require_admin(actor)

        async def enroll_student(work: EnrollmentWork) -> Enrolled:
            require_student(await work.hold_person(user_id))
            last = await hold_last(work, user_id, package_id)
            wish = Wish(id=self.ids.new("enr"), user_id=user_id, tier_id=terms.tier_id, at=work.now, until=terms.until)
            enrollment = admit(await work.find_offer(package_id), wish, last)
            created = enrollment != last
            if created:
                await work.add_enrollment(enrollment)
                await work.audit(_act(actor, "enrollment.created", user_id, reason, after=enrollment))
            return Enrolled(enrollment=enrollment, created=created)

        return await self.transact(enroll_student)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnrollment:
    """An admin changes a student to another tier, up or down, or names another end, also none.

    The enrolment so far ends and stays in the history; the new one begins in the same instant. What is so already stays
    unchanged.
    """

    transact: Transaction[EnrollmentWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, package_id: str, terms: Terms, reason: str | None = None
    ) -> Enrollment:
        require_admin(actor)
        if terms == Terms():
            raise InvalidInput("Nothing is to be changed: name one of tierId and expiresAt")

        async def change_enrollment(work: EnrollmentWork) -> Enrollment:
            require_student(await work.hold_person(user_id))
            last = await hold_last(work, user_id, package_id)
            wish = Wish(id=self.ids.new("enr"), user_id=user_id, tier_id=terms.tier_id, at=work.now, until=terms.until)
            changed = change(await work.find_offer(package_id), wish, last)
            if changed.ended is not None:
                before, after = changed.ended, changed.active
                await work.audit(_act(actor, "enrollment.changed", user_id, reason, before=before, after=after))
            return await carry_out(work, changed)

        return await self.transact(change_enrollment)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEnrollment:
    """An admin ends somebody's enrolment. It stays in the history, and so do all results."""

    transact: Transaction[EnrollmentWork]

    async def __call__(self, actor: Actor, user_id: str, package_id: str, reason: str | None = None) -> None:
        require_admin(actor)

        async def end_enrollment(work: EnrollmentWork) -> None:
            if await work.hold_person(user_id) is None:
                raise UserNotFound
            ended = cancel(await hold_last(work, user_id, package_id), work.now, EnrollmentEnd.ADMIN)
            await work.end_enrollment(ended)
            await work.audit(_act(actor, "enrollment.ended", user_id, reason, before=ended))

        await self.transact(end_enrollment)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEnrollmentsOf:
    """An admin sees the enrolments of anybody, deleted people too, the newest first."""

    reader: EnrollmentReader

    async def __call__(
        self, user_id: str, wanted: WantedEnrollments, *, after: str | None, limit: int
    ) -> tuple[EnrollmentView, ...]:
        found = await self.reader.enrollments(user_id, wanted, after=after, limit=limit)
        if not found and not await self.reader.has_person(user_id):
            raise UserNotFound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEnrolled:
    """An admin sees who is or was enrolled in a package, the newest first."""

    reader: EnrollmentReader

    async def __call__(
        self, package_id: str, *, status: EnrollmentStatus | None, after: str | None, limit: int
    ) -> tuple[EnrolledView, ...]:
        found = await self.reader.enrolled(package_id, status=status, after=after, limit=limit)
        if not found and not await self.reader.has_package(package_id):
            raise PackageNotFound
        return found


def _act(actor: Actor, action: str, user_id: str, reason: str | None, **rows: Enrollment) -> AuditEntry:
    """The entry of one act, filed under the student; `before` and `after` are the rows that it is about."""
    told = {name: _facts(row) for name, row in rows.items()}
    return AuditEntry(
        actor_id=actor.user_id,
        action=action,
        subject=user_id,
        before=told.get("before"),
        after=told.get("after"),
        reason=(reason or "").strip() or None,
    )


def _facts(row: Enrollment) -> Mapping[str, object]:
    return {
        "enrollment_id": row.id,
        "exam_package_id": row.exam_package_id,
        "tier_id": row.tier_id,
        "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
    }

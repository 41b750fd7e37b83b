"""Being enrolled: a student enters an exam package and leaves it."""

from __future__ import annotations

from dataclasses import dataclass

from application.enrollment.ports import EnrollmentWork
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment import Enrollment, PackageNotFound, Wish, cancel, enroll
from domain.identifiers import could_be_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The active enrolment; `created` tells a new one from the one that was there."""

    enrollment: Enrollment
    created: bool


@dataclass(frozen=True, slots=True)
class Enroll:
    """A student enrols in a package that can be found, in its default tier or in one that is open to all.

    Asking again has no second effect: however many ask at once, there is one active enrolment.
    """

    transact: Transaction[EnrollmentWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, package_id: str, tier_id: str | None = None) -> Enrolled:
        if not could_be_id(package_id):
            raise PackageNotFound
        new_id = self.ids.new("enr")

        async def enroll_student(work: EnrollmentWork) -> Enrolled:
            await work.hold_student(actor.user_id)
            last = await work.find_last_enrollment(actor.user_id, package_id)
            wish = Wish(id=new_id, user_id=actor.user_id, tier_id=tier_id, at=work.now)
            enrollment = enroll(await work.find_package(package_id), wish, last)
            created = enrollment != last
            if created:
                await work.add_enrollment(enrollment)
            return Enrolled(enrollment=enrollment, created=created)

        return await self.transact(enroll_student)


@dataclass(frozen=True, slots=True)
class CancelEnrollment:
    """A student leaves a package. The enrolment stays in the history, and so do all results."""

    transact: Transaction[EnrollmentWork]

    async def __call__(self, actor: Actor, package_id: str) -> Enrollment:
        async def cancel_enrollment(work: EnrollmentWork) -> Enrollment:
            await work.hold_student(actor.user_id)
            ended = cancel(await work.find_last_enrollment(actor.user_id, package_id), work.now)
            await work.end_enrollment(ended)
            return ended

        return await self.transact(cancel_enrollment)

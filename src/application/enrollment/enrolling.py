"""Being enrolled: a student enters an exam package, changes to a better tier, and leaves it."""

from __future__ import annotations

from dataclasses import dataclass

from application.enrollment.ports.enrolling import EnrollmentWork
from application.enrollment.steps import begun_before, carry_out, hold_last, require_student
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment.enrolling import Enrollment, Wish, cancel, enroll, upgrade
from domain.enrollment.refusals import LiveExam, PackageNotFound
from domain.identifiers import could_be_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The active enrolment; `created` tells a new one from the one that was there."""

    enrollment: Enrollment
    created: bool


@dataclass(frozen=True, slots=True)
class Enroll:
    """A student enrols in a package that can be found, in its default tier or in one that is open to all.

    Asking again has no second effect: however many ask at once, there is one active enrolment. Leaving a tier and
    coming back neither renews its days of access nor puts off an end that somebody named.
    """

    transact: Transaction[EnrollmentWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, package_id: str, tier_id: str | None = None) -> Enrolled:
        if not could_be_id(package_id):
            raise PackageNotFound

        async def enroll_student(work: EnrollmentWork) -> Enrolled:
            require_student(await work.hold_person(actor.user_id))
            last = await hold_last(work, actor.user_id, package_id)
            wish = Wish(id=self.ids.new("enr"), user_id=actor.user_id, tier_id=tier_id, at=work.now)
            begun = await begun_before(work, last)
            enrollment = enroll(await work.find_offer(package_id), wish, last, begun)
            created = enrollment != last
            if created:
                await work.add_enrollment(enrollment)
            return Enrolled(enrollment=enrollment, created=created)

        return await self.transact(enroll_student)


@dataclass(frozen=True, slots=True)
class UpgradeEnrollment:
    """A student changes unasked to a tier of a higher rank that is open to all, and to no other.

    The enrolment so far ends and stays in the history; the new one begins in the same instant. Asking again changes
    nothing.
    """

    transact: Transaction[EnrollmentWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, package_id: str, tier_id: str) -> Enrollment:

        async def upgrade_enrollment(work: EnrollmentWork) -> Enrollment:
            require_student(await work.hold_person(actor.user_id))
            last = await hold_last(work, actor.user_id, package_id)
            wish = Wish(id=self.ids.new("enr"), user_id=actor.user_id, tier_id=tier_id, at=work.now)
            begun = await begun_before(work, last)
            return await carry_out(work, upgrade(await work.find_offer(package_id), wish, last, begun))

        return await self.transact(upgrade_enrollment)


@dataclass(frozen=True, slots=True)
class CancelEnrollment:
    """A student leaves a package, but not while sitting an exam of it.

    The enrolment stays in the history, and so do all results.
    """

    transact: Transaction[EnrollmentWork]

    async def __call__(self, actor: Actor, package_id: str) -> Enrollment:
        async def cancel_enrollment(work: EnrollmentWork) -> Enrollment:
            await work.hold_person(actor.user_id)
            last = await hold_last(work, actor.user_id, package_id)
            if await work.has_live_exam(actor.user_id, package_id):
                raise LiveExam
            ended = cancel(last, work.now)
            await work.end_enrollment(ended)
            return ended

        return await self.transact(cancel_enrollment)

"""What every change to somebody's enrolments begins and ends with."""

from __future__ import annotations

from application.enrollment.ports.enrolling import EnrollmentWork
from domain.auth.people import Role, UserNotFound
from domain.enrollment.enrolling import Begun, Change, Enrollment
from domain.enrollment.refusals import StudentsOnly


def require_student(role: Role | None) -> None:
    """Only students are enrolled, and nobody who was deleted."""
    if role is None:
        raise UserNotFound
    if role is not Role.STUDENT:
        raise StudentsOnly


async def hold_last(work: EnrollmentWork, user_id: str, package_id: str) -> Enrollment | None:
    """The latest row as it stands now, held. Whoever finds that its time is over writes its end down."""
    last = await work.hold_last_enrollment(user_id, package_id)
    if last is None:
        return None
    settled = last.as_of(work.now)
    if settled != last:
        await work.end_enrollment(settled)
    return settled


async def begun_before(work: EnrollmentWork, last: Enrollment | None) -> Begun:
    """What the student had of each tier; nothing is asked about whoever was never enrolled."""
    return {} if last is None else await work.begun(last.user_id, last.exam_package_id)


async def carry_out(work: EnrollmentWork, changed: Change) -> Enrollment:
    """One row gives way to another in one unit of work, or nothing happens; the one that is active now."""
    if changed.ended is not None:
        await work.end_enrollment(changed.ended)
        await work.add_enrollment(changed.active)
    return changed.active

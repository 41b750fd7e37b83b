"""What a student reads about their own enrolment in one package."""

from __future__ import annotations

from dataclasses import dataclass

from application.enrollment.ports.enrolling import EnrollmentReader
from application.enrollment.views import CurrentEnrollment, Standing
from domain.auth.people import Actor
from domain.enrollment.enrolling import Offer, upgrades
from domain.enrollment.practice_week import PracticeWeek, practice_week
from domain.enrollment.refusals import EnrollmentNotFound
from domain.identifiers import could_be_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCurrentEnrollment:
    """A student sees the active enrolment in a package, or the latest one when none is active.

    With it comes what the package says, hidden or not, which better tiers they may change to, and what is left of this
    week's practice. Of one that has ended there is nothing to change and nothing left.
    """

    reader: EnrollmentReader

    async def __call__(self, actor: Actor, package_id: str) -> CurrentEnrollment:
        found = await self.reader.standing(actor.user_id, package_id) if could_be_id(package_id) else None
        if found is None:
            raise EnrollmentNotFound("There never was an enrolment in this exam package")
        return _current(found)


def _current(found: Standing) -> CurrentEnrollment:
    enrollment = found.enrollment.as_of(found.at)
    offer = Offer(id=found.package.id, visibility=found.visibility, tiers=found.all_tiers)
    active = enrollment.ended_at is None
    return CurrentEnrollment(
        enrollment=enrollment,
        tier=next(tier for tier in found.all_tiers if tier.id == enrollment.tier_id),
        package=found.package,
        upgrades=upgrades(offer, enrollment, found.begun, found.at) if active else (),
        practice=_week(found) if active else None,
    )


def _week(found: Standing) -> PracticeWeek:
    return practice_week(found.weekly_limit, found.sessions_in_week, found.earliest_counted, found.at)

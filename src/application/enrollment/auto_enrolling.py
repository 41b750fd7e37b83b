"""New students begin in the packages that the operator has named."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from application.auth.ports import Welcome
from application.enrollment.ports.enrolling import EnrollmentWork
from application.ports import IdGenerator
from domain.auth.people import User
from domain.enrollment.enrolling import Wish, enroll
from domain.errors import DomainError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoEnroll(Welcome[EnrollmentWork]):
    """Whoever registers as a student is enrolled in the named packages, as if they had asked for each.

    That is meant well and never in the way: a package that does not exist, is hidden or has no tier for everybody is
    left out and logged, and so is one that the store refuses. The account is made all the same.
    """

    ids: IdGenerator
    packages: tuple[str, ...]

    async def __call__(self, work: EnrollmentWork, user: User, /) -> None:
        for name in self.packages:
            await self._try(work, user, name)

    async def _try(self, work: EnrollmentWork, user: User, name: str) -> None:
        try:
            async with work.savepoint():
                wish = Wish(id=self.ids.new("enr"), user_id=user.id, tier_id=None, at=work.now)
                await work.add_enrollment(enroll(await work.find_offer_named(name), wish, None, {}))
        except Exception as error:
            # Only what kind of error: the message of a database may quote what it was given.
            cause = error.code if isinstance(error, DomainError) else type(error).__name__
            _log.warning("a new student was not enrolled in the package %s: %s", name, cause)

"""What enrolments need from outside."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from application.enrollment.views import EnrolledView, EnrollmentView, Standing
from application.ports import Work
from domain.auth.people import Role
from domain.enrollment.enrolling import Begun, Enrollment, EnrollmentStatus, Offer


class EnrollmentWork(Work, Protocol):
    """One change to the enrolments of one student."""

    @abstractmethod
    async def hold_person(self, user_id: str) -> Role | None:
        """Changes to the enrolments of one student take turns; this waits for ours. The role of somebody who was not
        deleted, which does not change meanwhile.
        """

    @abstractmethod
    async def find_offer(self, package_id: str) -> Offer | None:
        """The package, hidden or not, with all its tiers, the default first."""

    @abstractmethod
    async def find_offer_named(self, name: str) -> Offer | None:
        """As `find_offer`, by id or slug."""

    @abstractmethod
    async def hold_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        """The active row, or the one that ended last when none is active; nobody ends it meanwhile."""

    @abstractmethod
    async def has_live_exam(self, user_id: str, package_id: str) -> bool:
        """Whether the student sits an exam of the package; asked after the last enrolment is held, none begins
        meanwhile.
        """

    @abstractmethod
    async def begun(self, user_id: str, package_id: str) -> Begun:
        """What the student had of each tier of the package before, whoever enrolled them."""

    @abstractmethod
    async def add_enrollment(self, enrollment: Enrollment) -> None:
        """Adds an active row; refuses with `EnrollmentExists` where there is one already."""

    @abstractmethod
    async def end_enrollment(self, enrollment: Enrollment) -> None:
        """Writes the end of a row that was active; one that has ended is never written again."""


class ExpiringWork(Work, Protocol):
    """What time has ended."""

    @abstractmethod
    async def end_expired(self, limit: int) -> int:
        """Writes down the end of at most `limit` rows whose time is over, and how many that were. Those that somebody
        is busy with are left alone.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEnrollments:
    """Which enrolments of a student are asked for; what is not named does not matter."""

    status: EnrollmentStatus | None = None
    exam_package_id: str | None = None


class EnrollmentReader(Protocol):
    """What is seen of enrolments. One whose time is over is shown as ended, whether or not that was written down."""

    @abstractmethod
    async def enrollments(
        self, user_id: str, wanted: WantedEnrollments, *, after: str | None, limit: int
    ) -> tuple[EnrollmentView, ...]:
        """At most `limit` enrolments of one student, the newest first; those older than `after`."""

    @abstractmethod
    async def standing(self, user_id: str, package_id: str) -> Standing | None:
        """The active enrolment of a student in a package, or the one that ended last; None: there never was one."""

    @abstractmethod
    async def enrolled(
        self, package_id: str, *, status: EnrollmentStatus | None, after: str | None, limit: int
    ) -> tuple[EnrolledView, ...]:
        """At most `limit` enrolments in one package, of this status if one is named, the newest first; those older than
        `after`.
        """

    @abstractmethod
    async def has_person(self, user_id: str) -> bool:
        """Whether there is or was such a person."""

    @abstractmethod
    async def has_package(self, package_id: str) -> bool:
        """Whether there is such a package, hidden or not."""

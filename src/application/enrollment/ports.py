"""What packages and enrolments need from outside: their units of work and their readers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from application.enrollment.views import EnrollmentView, PackageView
from application.ports import Work
from domain.enrollment import Enrollment, ExamPackage


class EnrollmentWork(Work, Protocol):
    """One change to the enrolments of one student."""

    @abstractmethod
    async def hold_student(self, user_id: str) -> None:
        """Changes to the enrolments of one student take turns; this waits for ours."""

    @abstractmethod
    async def find_package(self, package_id: str) -> ExamPackage | None:
        """The package, hidden or not, with all its tiers, the default first."""

    @abstractmethod
    async def find_last_enrollment(self, user_id: str, package_id: str) -> Enrollment | None:
        """The active row, or the one that ended last when none is active."""

    @abstractmethod
    async def add_enrollment(self, enrollment: Enrollment) -> None:
        """Adds an active row; refuses with `EnrollmentExists` where there is one already."""

    @abstractmethod
    async def end_enrollment(self, enrollment: Enrollment) -> None:
        """Writes the end of a row that was active; one that has ended is never written again."""


class PackageWork(Work, Protocol):
    """One change to the exam packages."""

    @abstractmethod
    async def add_package(self, package: ExamPackage) -> bool:
        """Adds the package with its tiers; False, and nothing is added, when the slug is in use."""

    @abstractmethod
    async def hold_package(self, slug: str) -> ExamPackage | None:
        """The package with its tiers, kept from others until the end."""

    @abstractmethod
    async def find_banks(self, names: Sequence[str]) -> Mapping[str, str]:
        """The id of every question bank that is named here by its id or slug; what does not exist is left out."""

    @abstractmethod
    async def link_banks(self, package_id: str, bank_ids: Sequence[str]) -> tuple[str, ...]:
        """Lets the package draw from the banks; answers those that it did not draw from before, sorted."""


class PackageReader(Protocol):
    """What a chooser sees of the packages."""

    @abstractmethod
    async def visible_packages(self, *, text: str | None, after: str | None, limit: int) -> tuple[PackageView, ...]:
        """At most `limit` visible packages by id, those after `after`; `text` occurs in title, slug or description."""


class EnrollmentReader(Protocol):
    """What students see of their enrolments."""

    @abstractmethod
    async def enrollments(self, user_id: str, *, after: str | None, limit: int) -> tuple[EnrollmentView, ...]:
        """At most `limit` enrolments of one student, active and ended, the newest first; those older than `after`."""

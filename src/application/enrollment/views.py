"""What lists of packages and enrolments show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.enrollment.enrolling import Begun, Enrollment, EnrollmentEnd, EnrollmentStatus
from domain.enrollment.packages import ExamPackage, Tier, Visibility, exam_question_count
from domain.enrollment.practice_week import PracticeWeek
from domain.enrollment.settings import PackageSettings
from domain.question_bank.blueprints import Blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """A tier that a student may take."""

    id: str
    name: str
    is_default: bool
    weekly_practice_sessions: int | None = None
    weekly_exam_sessions: int | None = None
    access_days: int | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageView:
    """A package as a chooser sees it: the published questions of visible banks are counted, the default tier leads."""

    id: str
    slug: str
    title: str
    description: str
    question_count: int
    duration_seconds: int | None
    pass_mark: Decimal
    version: int
    tiers: tuple[TierView, ...]
    settings: PackageSettings = field(default_factory=PackageSettings)
    blueprint: Blueprint | None = None

    @property
    def exam_question_count(self) -> int | None:
        return exam_question_count(self.settings, self.blueprint)

    @property
    def attempts_allowed(self) -> int | None:
        return self.settings.attempts_allowed

    @property
    def opens_at(self) -> datetime | None:
        return self.settings.opens_at

    @property
    def closes_at(self) -> datetime | None:
        return self.settings.closes_at


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTopicView:
    """A topic of a package's visible banks, and how many published questions it has."""

    id: str
    name: str
    question_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPackageView:
    """A package as staff see it: with everything it says, and how many published questions it can draw."""

    package: ExamPackage
    question_bank_ids: tuple[str, ...]
    question_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentView:
    """An enrolment with the names of its package and tier."""

    id: str
    exam_package_id: str
    package_slug: str
    package_title: str
    tier_id: str
    tier_name: str
    status: EnrollmentStatus
    started_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    end_reason: EnrollmentEnd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the store knows at one instant of a student's latest enrolment in a package: of the package, of all its
    tiers, of what the student had of each, and of practice as the cap of the tier counts it.
    """

    at: datetime
    enrollment: Enrollment
    package: PackageView
    visibility: Visibility
    all_tiers: tuple[Tier, ...]
    begun: Begun
    weekly_limit: int | None
    sessions_in_week: int
    earliest_counted: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentEnrollment:
    """An enrolment as its student sees it. There is no practice when it has ended, and nothing to change to."""

    enrollment: Enrollment
    tier: Tier
    package: PackageView
    upgrades: tuple[Tier, ...]
    practice: PracticeWeek | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledView:
    """An enrolment in a package, with its student."""

    id: str
    user_id: str
    email: str
    name: str
    tier_id: str
    tier_name: str
    status: EnrollmentStatus
    started_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    end_reason: EnrollmentEnd | None

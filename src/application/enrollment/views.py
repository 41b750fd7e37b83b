"""What lists of packages and enrolments show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.enrollment import EnrollmentEnd, EnrollmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """A tier that a student may take."""

    id: str
    name: str
    is_default: bool


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
    ended_at: datetime | None
    end_reason: EnrollmentEnd | None

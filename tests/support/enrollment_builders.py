"""Packages, tiers, enrolments and students for tests, each valid unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from application.ports import IdGenerator
from domain.auth.people import Actor, Role
from domain.enrollment import Enrollment, ExamPackage, Tier, Visibility, Wish

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STANDARD = Tier(id="tier_standard", name="Standard", is_default=True, self_service=True, active=True)
OPEN = Tier(id="tier_open", name="Open", is_default=False, self_service=True, active=True)
SPONSORED = Tier(id="tier_sponsored", name="Sponsored", is_default=False, self_service=False, active=True)
RETIRED = Tier(id="tier_retired", name="Retired", is_default=False, self_service=True, active=False)


@dataclass(slots=True)
class CountingIds(IdGenerator):
    """Readable identifiers that sort in the order in which they were made."""

    numbers: count[int] = field(default_factory=lambda: count(1))

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers):06}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBank:
    """What packages know of a question bank."""

    id: str
    slug: str


def a_package(
    package_id: str = "pkg_network",
    *,
    slug: str = "network",
    visibility: Visibility = Visibility.VISIBLE,
    tiers: tuple[Tier, ...] = (STANDARD, OPEN, RETIRED, SPONSORED),
) -> ExamPackage:
    return ExamPackage(
        id=package_id,
        slug=slug,
        title="Network fundamentals",
        description="Cables, addresses and routes.",
        visibility=visibility,
        pass_mark=Decimal("72.50"),
        duration_seconds=5400,
        version=1,
        tiers=tiers,
    )


def hidden(package: ExamPackage) -> ExamPackage:
    return replace(package, visibility=Visibility.HIDDEN)


def a_wish(*, new_id: str = "enr_1", tier_id: str | None = None, at: datetime = NOON) -> Wish:
    return Wish(id=new_id, user_id="usr_ada", tier_id=tier_id, at=at)


def an_enrollment(enrollment_id: str = "enr_1", *, tier: Tier = STANDARD, started_at: datetime = NOON) -> Enrollment:
    return Enrollment(
        id=enrollment_id,
        user_id="usr_ada",
        exam_package_id="pkg_network",
        tier_id=tier.id,
        started_at=started_at,
    )


def a_student(user_id: str = "usr_ada") -> Actor:
    return Actor(user_id=user_id, role=Role.STUDENT, session_id="ses_1")

"""Packages, tiers, enrolments and students for tests, each valid unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from application.ports import IdGenerator
from domain.auth.people import Actor, Role
from domain.enrollment.enrolling import Enrollment, Offer, Until, Wish
from domain.enrollment.packages import ExamPackage, Tier, Visibility

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STANDARD = Tier(id="tier_standard", name="Standard", is_default=True, self_service=True, active=True)
OPEN = Tier(id="tier_open", name="Open", is_default=False, self_service=True, active=True)
SPONSORED = Tier(id="tier_sponsored", name="Sponsored", is_default=False, self_service=False, active=True)
# Better than those open to all, for a month; better still, for good; and the best there is, which is not to be chosen.
MONTHLY = Tier(
    id="tier_monthly", name="Monthly", is_default=False, self_service=True, active=True, access_days=30, rank=1
)
GOLD = Tier(id="tier_gold", name="Gold", is_default=False, self_service=True, active=True, rank=2)
CORPORATE = Tier(
    id="tier_corporate", name="Corporate", is_default=False, self_service=False, active=True, access_days=90, rank=3
)
RETIRED = Tier(id="tier_retired", name="Retired", is_default=False, self_service=True, active=False)
# In the order in which a store tells them.
ALL_TIERS = (STANDARD, CORPORATE, GOLD, MONTHLY, OPEN, RETIRED, SPONSORED)


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
    visible: bool = True
    published_count: int = 0


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


def an_offer(*tiers: Tier, package_id: str = "pkg_network", visibility: Visibility = Visibility.VISIBLE) -> Offer:
    return Offer(id=package_id, visibility=visibility, tiers=tiers)


def hidden(package: ExamPackage) -> ExamPackage:
    return replace(package, visibility=Visibility.HIDDEN)


def a_wish(
    *, new_id: str = "enr_1", tier_id: str | None = None, at: datetime = NOON, until: Until | None = None
) -> Wish:
    return Wish(id=new_id, user_id="usr_ada", tier_id=tier_id, at=at, until=until)


def an_enrollment(
    enrollment_id: str = "enr_1",
    *,
    tier: Tier = STANDARD,
    started_at: datetime = NOON,
    expires_at: datetime | None = None,
) -> Enrollment:
    return Enrollment(
        id=enrollment_id,
        user_id="usr_ada",
        exam_package_id="pkg_network",
        tier_id=tier.id,
        started_at=started_at,
        expires_at=expires_at,
    )


def a_student(user_id: str = "usr_ada") -> Actor:
    return Actor(user_id=user_id, role=Role.STUDENT, session_id="ses_1")

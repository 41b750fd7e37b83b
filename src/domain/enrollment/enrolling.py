"""Who is enrolled in a package: a sequence of stretches of time, each with a single end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.enrollment.packages import ExamPackage, Tier, Visibility
from domain.enrollment.refusals import (
    AccessUsedUp,
    EnrollmentExists,
    EnrollmentNotFound,
    NotAnUpgrade,
    PackageNotFound,
    TierNotSelfService,
    TierUnknown,
)
from domain.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """What a student had of one tier before: since when at first, and until when at last (None: for good)."""

    since: datetime
    until: datetime | None = None


# By tier, as far as the student ever began in it.
Begun = Mapping[str, Spell]
_NOT_YET: Begun = {}


class EnrollmentStatus(StrEnum):
    """Where an enrolment stands."""

    ACTIVE = "active"
    ENDED = "ended"


class EnrollmentEnd(StrEnum):
    """Why an enrolment ended."""

    CANCELLED = "cancelled"
    TIER_CHANGE = "tier_change"
    EXPIRED = "expired"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """One stretch of time, from `started_at` until before `ended_at`. Its single end is the only change it sees.

    Past `expires_at` it has ended, whether or not anybody has written that down yet: see `as_of`.
    """

    id: str
    user_id: str
    exam_package_id: str
    tier_id: str
    started_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EnrollmentEnd | None = None

    @property
    def status(self) -> EnrollmentStatus:
        return EnrollmentStatus.ACTIVE if self.ended_at is None else EnrollmentStatus.ENDED

    def as_of(self, at: datetime) -> Enrollment:
        """The row as it is to be read at an instant; the end is always that of its time, whoever comes to look."""
        if self.ended_at is not None or self.expires_at is None or at < self.expires_at:
            return self
        return replace(self, ended_at=self.expires_at, end_reason=EnrollmentEnd.EXPIRED)

    def is_active(self, at: datetime) -> bool:
        return self.as_of(at).ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What decides of a package about who may be enrolled in it and how."""

    id: str
    visibility: Visibility
    tiers: tuple[Tier, ...]

    @classmethod
    def of(cls, package: ExamPackage) -> Offer:
        return cls(id=package.id, visibility=package.visibility, tiers=package.tiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """An end that somebody names in place of the tier's own; None is for good."""

    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a student is to be enrolled. Where no tier is named it is the default one or the one they have; only
    administrators name an end. `id` is for the row that may follow.
    """

    id: str
    user_id: str
    tier_id: str | None
    at: datetime
    until: Until | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is active now, and the row that gave way to it in the same instant; None: nothing had to change."""

    ended: Enrollment | None
    active: Enrollment


def enroll(offer: Offer | None, wish: Wish, last: Enrollment | None, begun: Begun) -> Enrollment:
    """The student's active row: the one there is when it has the wanted tier, otherwise a new one.

    `last` is the latest row of this student and package. Whoever is enrolled keeps what they have, so asking again is
    answered with the same row even after the package was hidden or the tier was withdrawn. Who comes back to a tier has
    what was left to them of it.
    """
    if offer is None:
        raise PackageNotFound
    tier = _tier(offer, wish.tier_id)
    active = _active(last, wish.at)
    if active is not None and tier is not None and active.tier_id == tier.id:
        return active
    if offer.visibility is Visibility.HIDDEN:
        raise PackageNotFound
    open_to_all = _open_to_all(tier, wish)
    if active is not None:
        raise EnrollmentExists
    return _begin(offer, wish, open_to_all, last, begun)


def admit(offer: Offer | None, wish: Wish, last: Enrollment | None) -> Enrollment:
    """As `enroll`, by an administrator: in any tier, also of a hidden package, and until whenever they say.

    The days of the tier begin anew.
    """
    if offer is None:
        raise PackageNotFound
    tier = _known(_tier(offer, wish.tier_id), wish)
    active = _active(last, wish.at)
    if active is None:
        return _begin(offer, wish, tier, last)
    if active.tier_id != tier.id or not (wish.until is None or wish.until.at == active.expires_at):
        raise EnrollmentExists
    return active


def upgrade(offer: Offer | None, wish: Wish, last: Enrollment | None, begun: Begun) -> Change:
    """What a student may change unasked: to a tier of a higher rank that is open to all.

    Hiding the package does not matter to those who are enrolled.
    """
    active, offer = _changeable(offer, wish, last)
    tier = _tier(offer, wish.tier_id)
    if tier is not None and tier.id == active.tier_id:
        return Change(ended=None, active=active)
    open_to_all = _open_to_all(tier, wish)
    if open_to_all.rank <= _known(_tier(offer, active.tier_id), wish).rank:
        raise NotAnUpgrade
    return _succeed(offer, wish, open_to_all, active, begun)


def upgrades(offer: Offer, active: Enrollment, begun: Begun, at: datetime) -> tuple[Tier, ...]:
    """The tiers that `upgrade` would change to now."""
    held = _tier(offer, active.tier_id)
    better = (tier for tier in offer.tiers if held is not None and tier.rank > held.rank)
    return tuple(tier for tier in better if tier.active and tier.self_service and not _is_used_up(tier, begun, at))


def change(offer: Offer | None, wish: Wish, last: Enrollment | None) -> Change:
    """What an administrator changes: to any tier, to another end, or both.

    A new tier brings its own end unless one is named.
    """
    active, offer = _changeable(offer, wish, last)
    tier = _known(_tier(offer, wish.tier_id or active.tier_id), wish)
    if tier.id != active.tier_id:
        return _succeed(offer, wish, tier, active)
    if wish.until is None or wish.until.at == active.expires_at:
        return Change(ended=None, active=active)
    return _succeed(offer, wish, tier, active)


def cancel(last: Enrollment | None, at: datetime, reason: EnrollmentEnd = EnrollmentEnd.CANCELLED) -> Enrollment:
    """The end of the active row by the student, or by whoever else has the right to it."""
    active = _active(last, at)
    if active is None:
        raise EnrollmentNotFound
    return end(active, reason, at)


def end(enrollment: Enrollment, reason: EnrollmentEnd, at: datetime) -> Enrollment:
    """The single end of an active row; a row that has ended stays as it is."""
    if enrollment.ended_at is not None:
        return enrollment
    return replace(enrollment, ended_at=_not_before(at, enrollment.started_at), end_reason=reason)


def _active(last: Enrollment | None, at: datetime) -> Enrollment | None:
    return last if last is not None and last.is_active(at) else None


def _changeable(offer: Offer | None, wish: Wish, last: Enrollment | None) -> tuple[Enrollment, Offer]:
    active = _active(last, wish.at)
    if active is None or offer is None:
        raise EnrollmentNotFound
    return active, offer


def _tier(offer: Offer, tier_id: str | None) -> Tier | None:
    if tier_id is None:
        return next((tier for tier in offer.tiers if tier.is_default), None)
    return next((tier for tier in offer.tiers if tier.id == tier_id), None)


def _known(tier: Tier | None, wish: Wish) -> Tier:
    if tier is None:
        raise _unknown(wish)
    return tier


def _unknown(wish: Wish) -> TierUnknown:
    if wish.tier_id is not None:
        return TierUnknown(problems=(FieldProblem("/tierId", "unknown", TierUnknown.title),))
    message = "The request names no tier, and the package has no default one"
    return TierUnknown(message, problems=(FieldProblem("/tierId", "required", message),))


def _open_to_all(tier: Tier | None, wish: Wish) -> Tier:
    if tier is None or not tier.active:
        raise _unknown(wish)
    if not tier.self_service:
        raise TierNotSelfService
    return tier


def _begin(offer: Offer, wish: Wish, tier: Tier, last: Enrollment | None, begun: Begun = _NOT_YET) -> Enrollment:
    before = None if last is None else last.as_of(wish.at).ended_at
    started_at = _not_before(wish.at, before)
    return Enrollment(
        id=wish.id,
        user_id=wish.user_id,
        exam_package_id=offer.id,
        tier_id=tier.id,
        started_at=started_at,
        expires_at=_expiry(wish, tier, started_at, begun),
    )


def _succeed(offer: Offer, wish: Wish, tier: Tier, active: Enrollment, begun: Begun = _NOT_YET) -> Change:
    reason = EnrollmentEnd.ADMIN if tier.id == active.tier_id else EnrollmentEnd.TIER_CHANGE
    ended = end(active, reason, wish.at)
    return Change(ended=ended, active=_begin(offer, wish, tier, ended, begun))


def _expiry(wish: Wish, tier: Tier, started_at: datetime, begun: Begun) -> datetime | None:
    if wish.until is None:
        if _is_used_up(tier, begun, started_at):
            raise AccessUsedUp
        return _own_end(tier, begun, started_at)
    if wish.until.at is not None and wish.until.at <= started_at:
        problem = FieldProblem("/expiresAt", "expiry.past", "a time that is still to come, or null")
        raise InvalidInput("An enrolment ends after it begins", problems=(problem,))
    return wish.until.at


def _own_end(tier: Tier, begun: Begun, at: datetime) -> datetime | None:
    """Whoever leaves before their end and comes back keeps it, whoever named it; else the days count from the first
    start.
    """
    before = begun.get(tier.id, Spell(since=at))
    if before.until is not None and before.until > at:
        return before.until
    return None if tier.access_days is None else before.since + timedelta(days=tier.access_days)


def _is_used_up(tier: Tier, begun: Begun, at: datetime) -> bool:
    over = _own_end(tier, begun, at)
    return over is not None and over <= at


def _not_before(at: datetime, earliest: datetime | None) -> datetime:
    """Units of work read their time before they take turns: one that waited may come with an instant that has passed.

    It then takes effect right after the one it waited for, so that no two stretches overlap and none ends too early.
    """
    return at if earliest is None else max(at, earliest)

"""The tiers of a package: one default at most, names that differ, and never none."""

from __future__ import annotations

from dataclasses import replace

from domain.enrollment.package_refusals import LastTier, TierNameTaken, TierNotFound
from domain.enrollment.packages import ExamPackage, Tier, check_tier
from domain.errors import FieldProblem, InvalidInput

MAX_TIERS = 50


def tier_of(package: ExamPackage, tier_id: str) -> Tier:
    """The tier of the package; refuses with `TierNotFound`."""
    found = next((tier for tier in package.tiers if tier.id == tier_id), None)
    if found is None:
        raise TierNotFound
    return found


def with_tier(package: ExamPackage, tier: Tier) -> ExamPackage:
    """The package with a tier added, or changed where it has one of this id; the very same one if nothing differs.

    A tier that becomes the default takes that from the one before. There need not be a default: whoever enrols then
    names a tier.
    """
    if tier in package.tiers:
        return package
    check_tier(tier, next((other for other in package.tiers if other.id == tier.id), None))
    others = [other for other in package.tiers if other.id != tier.id]
    if any(other.name.lower() == tier.name.lower() for other in others):
        raise TierNameTaken
    if len(others) >= MAX_TIERS:
        message = f"An exam package has at most {MAX_TIERS} tiers"
        raise InvalidInput(message, problems=(FieldProblem("", "too_many", message),))
    if tier.is_default:
        others = [replace(other, is_default=False) for other in others]
    return _next(package, (*others, tier))


def without_tier(package: ExamPackage, tier_id: str) -> ExamPackage:
    """The package without one of its tiers, which may have been the default; refuses to take the last one."""
    gone = tier_of(package, tier_id)
    if len(package.tiers) == 1:
        raise LastTier
    return _next(package, tuple(tier for tier in package.tiers if tier != gone))


def _next(package: ExamPackage, tiers: tuple[Tier, ...]) -> ExamPackage:
    """Tiers stand with the default first, the others as they were made."""
    ordered = tuple(sorted(tiers, key=lambda tier: (not tier.is_default, tier.id)))
    return replace(package, tiers=ordered, version=package.version + 1)

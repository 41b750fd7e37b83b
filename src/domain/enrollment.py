"""Exam packages with their tiers, and who is enrolled in them: entities, rules and refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

DEFAULT_TIER_NAME = "Standard"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SLUG_LENGTH = 100
_TITLE_LENGTH = 200
_DESCRIPTION_LENGTH = 10_000
_LONGEST_SECONDS = 7 * 24 * 3600


class PackageNotFound(DomainError):
    """There is no such package, or it is hidden from whoever is not enrolled in it."""

    code = "package.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such exam package"


class BankUnknown(DomainError):
    """A package can only draw its questions from banks that exist."""

    code = "package.bank_unknown"
    kind = Kind.INVALID
    title = "There is no such question bank"


class TierUnknown(DomainError):
    """The package has no such tier, or it is no longer offered."""

    code = "enrollment.tier_unknown"
    kind = Kind.INVALID
    title = "The exam package does not offer this tier"


class TierNotSelfService(DomainError):
    """The tier is given by an administrator; a student cannot take it."""

    code = "enrollment.tier_not_self_service"
    kind = Kind.FORBIDDEN
    title = "Only an administrator can enrol someone in this tier"


class EnrollmentExists(DomainError):
    """The student is enrolled in another tier of the package; tiers are changed, not enrolled in twice."""

    code = "enrollment.exists"
    kind = Kind.CONFLICT
    title = "There is an active enrolment in another tier of this exam package"


class EnrollmentNotFound(DomainError):
    """The student is not enrolled in the package now."""

    code = "enrollment.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no active enrolment in this exam package"


class Visibility(StrEnum):
    """Whether a package can be found and enrolled in. Hiding it takes nothing from those who are enrolled."""

    VISIBLE = "visible"
    HIDDEN = "hidden"


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
class Tier:
    """A way of being enrolled. `active`: offered to new students; `self_service`: a student may take it unasked."""

    id: str
    name: str
    is_default: bool
    self_service: bool
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPackage:
    """What a student enrols in. At most one tier is the default; `pass_mark` is a percentage."""

    id: str
    slug: str
    title: str
    description: str
    visibility: Visibility
    pass_mark: Decimal
    duration_seconds: int | None
    version: int
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """One stretch of time, from `started_at` until before `ended_at`. Its single end is the only change it sees."""

    id: str
    user_id: str
    exam_package_id: str
    tier_id: str
    started_at: datetime
    ended_at: datetime | None = None
    end_reason: EnrollmentEnd | None = None

    @property
    def status(self) -> EnrollmentStatus:
        return EnrollmentStatus.ACTIVE if self.ended_at is None else EnrollmentStatus.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A student wants to be enrolled, in the default tier unless one is named; `id` is for the row that may follow."""

    id: str
    user_id: str
    tier_id: str | None
    at: datetime


def enroll(package: ExamPackage | None, wish: Wish, last: Enrollment | None) -> Enrollment:
    """The student's active row: the one there is when it has the wanted tier, otherwise a new one.

    `last` is the latest row of this student and package. Whoever is enrolled keeps what they have, so asking again is
    answered with the same row even after the package was hidden or the tier was withdrawn.
    """
    if package is None:
        raise PackageNotFound
    tier = _wanted_tier(package, wish.tier_id)
    active = last if last is not None and last.ended_at is None else None
    if active is not None and tier is not None and active.tier_id == tier.id:
        return active
    offered = _offered(package, tier)
    if active is not None:
        raise EnrollmentExists
    return Enrollment(
        id=wish.id,
        user_id=wish.user_id,
        exam_package_id=package.id,
        tier_id=offered.id,
        started_at=_not_before(wish.at, last.ended_at if last is not None else None),
    )


def cancel(last: Enrollment | None, at: datetime) -> Enrollment:
    """The student's own end of the active row."""
    if last is None or last.ended_at is not None:
        raise EnrollmentNotFound
    return end(last, EnrollmentEnd.CANCELLED, at)


def end(enrollment: Enrollment, reason: EnrollmentEnd, at: datetime) -> Enrollment:
    """The single end of an active row; a row that has ended stays as it is."""
    if enrollment.ended_at is not None:
        return enrollment
    return replace(enrollment, ended_at=_not_before(at, enrollment.started_at), end_reason=reason)


def check_package(package: ExamPackage) -> ExamPackage:
    """The package as it is, or every rule that it breaks at once."""
    problems = tuple(_package_problems(package))
    if problems:
        raise InvalidInput("The exam package breaks a rule", problems=problems)
    return package


def _wanted_tier(package: ExamPackage, tier_id: str | None) -> Tier | None:
    if tier_id is None:
        return next((tier for tier in package.tiers if tier.is_default), None)
    return next((tier for tier in package.tiers if tier.id == tier_id), None)


def _offered(package: ExamPackage, tier: Tier | None) -> Tier:
    if package.visibility is Visibility.HIDDEN:
        raise PackageNotFound
    if tier is None or not tier.active:
        raise TierUnknown
    if not tier.self_service:
        raise TierNotSelfService
    return tier


def _not_before(at: datetime, earliest: datetime | None) -> datetime:
    """Units of work read their time before they take turns: one that waited may come with an instant that has passed.

    It then takes effect right after the one it waited for, so that no two stretches overlap and none ends too early.
    """
    return at if earliest is None else max(at, earliest)


def _package_problems(package: ExamPackage) -> Iterator[FieldProblem]:
    if len(package.slug) > _SLUG_LENGTH or not _SLUG.fullmatch(package.slug):
        message = f"lower-case letters and digits in groups joined by single hyphens, at most {_SLUG_LENGTH} characters"
        yield FieldProblem("/slug", "slug.invalid", message)
    if not package.title.strip() or len(package.title) > _TITLE_LENGTH or not _storable(package.title):
        yield FieldProblem("/title", "title.invalid", f"1 to {_TITLE_LENGTH} characters, not all blank")
    if len(package.description) > _DESCRIPTION_LENGTH or not _storable(package.description):
        yield FieldProblem("/description", "description.invalid", f"at most {_DESCRIPTION_LENGTH} characters")
    if not _is_pass_mark(package.pass_mark):
        yield FieldProblem("/passMark", "pass_mark.invalid", "a percentage from 0 to 100 with at most two decimals")
    if package.duration_seconds is not None and not 0 < package.duration_seconds <= _LONGEST_SECONDS:
        yield FieldProblem("/durationSeconds", "duration.invalid", f"1 to {_LONGEST_SECONDS} seconds")


def _is_pass_mark(percent: Decimal) -> bool:
    """Refuses more decimals than are kept: a pass mark is never rounded behind its author's back."""
    return percent.is_finite() and 0 <= percent <= 100 and percent == round(percent, 2)


def _storable(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)

"""Refusals of packages and enrolments."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class PackageNotFound(DomainError):
    """There is no such package, or it is hidden. Whoever was enrolled in a hidden one reads it with the enrolment."""

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


class AccessUsedUp(DomainError):
    """The days of access that a tier gives count once, from when the student first began in it. An administrator can
    give new ones.
    """

    code = "enrollment.access_used_up"
    kind = Kind.FORBIDDEN
    title = "The days of access to this tier are used up"


class EnrollmentExists(DomainError):
    """The student is enrolled in the package on other terms; an enrolment is changed, not made twice."""

    code = "enrollment.exists"
    kind = Kind.CONFLICT
    title = "There is an active enrolment in this exam package, in another tier or until another time"


class LiveExam(DomainError):
    """Whoever sits an exam of the package leaves it afterwards."""

    code = "enrollment.live_exam"
    kind = Kind.CONFLICT
    title = "An exam of this package is under way"


class EnrollmentNotFound(DomainError):
    """The student is not enrolled in the package now; where the latest enrolment would do, they never were."""

    code = "enrollment.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no active enrolment in this exam package"


class EnrollmentRequired(DomainError):
    """Only who is enrolled in a package now may practise with it; what was done before stays readable."""

    code = "enrollment.required"
    kind = Kind.FORBIDDEN
    title = "This needs an active enrolment in the exam package"


class NotAnUpgrade(DomainError):
    """A student changes unasked to a tier of a higher rank only."""

    code = "enrollment.not_an_upgrade"
    kind = Kind.FORBIDDEN
    title = "Only an administrator can change to a tier that is no upgrade"


class StudentsOnly(DomainError):
    """Staff see packages without being enrolled in them."""

    code = "enrollment.students_only"
    kind = Kind.CONFLICT
    title = "Only students can be enrolled"

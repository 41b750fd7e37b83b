"""Refusals of changes to packages and their tiers."""

from __future__ import annotations

from domain.errors import DomainError, Kind


class PackageSlugTaken(DomainError):
    """Addresses and commands name a package by its slug, so no two packages share one."""

    code = "package.slug_taken"
    kind = Kind.CONFLICT
    title = "Another exam package has this slug"


class PackageInUse(DomainError):
    """A package that anybody was ever enrolled in, or that a template belongs to, stays: hide it instead."""

    code = "package.in_use"
    kind = Kind.CONFLICT
    title = "The exam package has a history: it can be hidden, not deleted"


class PackageChanged(DomainError):
    """The change was made to another state than the current one, whose tag the ETag header of the answer tells."""

    code = "package.precondition_failed"
    kind = Kind.PRECONDITION_FAILED
    title = "The exam package is not as the change expects it"

    def __init__(self, current_version: int) -> None:
        self.current_version = current_version
        super().__init__()


class TierNotFound(DomainError):
    """The package has no such tier."""

    code = "tier.not_found"
    kind = Kind.NOT_FOUND
    title = "The exam package has no such tier"


class TierNameTaken(DomainError):
    """People tell the tiers of a package apart by their names, so no two share one, however it is capitalised."""

    code = "tier.name_taken"
    kind = Kind.CONFLICT
    title = "Another tier of this exam package has this name"


class TierInUse(DomainError):
    """A tier that anybody was ever enrolled in stays: take it from the offer instead."""

    code = "tier.in_use"
    kind = Kind.CONFLICT
    title = "The tier has a history: it can be deactivated, not deleted"


class LastTier(DomainError):
    """Nobody could be enrolled in a package without tiers, so it keeps the last one."""

    code = "tier.last"
    kind = Kind.CONFLICT
    title = "It is the only tier of this exam package"

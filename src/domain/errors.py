"""What a refusal is. Every rule of the core refuses with a subclass of `DomainError`, never with a status number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The family of a refusal; each entrypoint maps it to its own answer (HTTP status, exit code)."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong with one field; `pointer` is a JSON pointer into what was sent."""

    pointer: str
    code: str
    message: str


class DomainError(Exception):
    """A refusal. `code` is a promise to clients and never changes; `title` says the rule, `detail` this case.

    `facts` are what a client can go on with, by name: the current revision, when to come back.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        problems: tuple[FieldProblem, ...] = (),
        retry_after_seconds: int | None = None,
        facts: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.problems = problems
        self.retry_after_seconds = retry_after_seconds
        self.facts = dict(facts or {})


class InvalidInput(DomainError):
    """A value breaks a rule that can be told by looking at the request alone."""

    code = "request.invalid"
    kind = Kind.INVALID
    title = "The request breaks a rule"


class OutcomeUnknown(DomainError):
    """The store did not answer in time: the change may or may not have happened. Asking again is safe."""

    code = "service.outcome_unknown"
    kind = Kind.UNAVAILABLE
    title = "The outcome is unknown, try again"


class StoreUnavailable(DomainError):
    """The store cannot be reached or has no room; nothing was changed."""

    code = "service.unavailable"
    kind = Kind.UNAVAILABLE
    title = "The service is not available for a moment"


class StoreConflict(DomainError):
    """Two changes collided on a rule that only the store could see."""

    code = "request.conflict"
    kind = Kind.CONFLICT
    title = "The change collides with another one"


class StoreRejectedInput(DomainError):
    """The store cannot represent a value that passed every other check."""

    code = "request.malformed"
    kind = Kind.MALFORMED
    title = "The request cannot be read"


def refusals() -> list[type[DomainError]]:
    """Every refusal that is defined so far, by code."""

    def below(parent: type[DomainError]) -> list[type[DomainError]]:
        return [found for child in parent.__subclasses__() for found in (child, *below(child))]

    return sorted((found for found in set(below(DomainError)) if "code" in vars(found)), key=lambda found: found.code)

"""The refusals of the core as the door's clients know them. What has no code of the protocol keeps its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.auth.limits import SessionLimitReached
from domain.auth.links import LinkExpired, LinkInvalid, LinkOfAnother
from domain.auth.passwords import PasswordRefused
from domain.auth.people import EmailTaken
from domain.auth.sessions import (
    CurrentPasswordWrong,
    EmailNotVerified,
    InvalidCredentials,
    SessionEnded,
    SessionNotFresh,
    TokenInvalid,
    TokenMissing,
    WrongPortal,
)
from domain.errors import DomainError, FieldProblem, InvalidInput
from entrypoints.http.better_auth.errors import Refused, refused
from entrypoints.http.problems import headers_of, status_of

_KNOWN: Final[Mapping[type[DomainError], tuple[int, str]]] = {
    CurrentPasswordWrong: (400, "INVALID_PASSWORD"),
    EmailNotVerified: (403, "EMAIL_NOT_VERIFIED"),
    EmailTaken: (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
    InvalidCredentials: (401, "INVALID_EMAIL_OR_PASSWORD"),
    LinkExpired: (401, "TOKEN_EXPIRED"),
    LinkInvalid: (400, "INVALID_TOKEN"),
    LinkOfAnother: (401, "INVALID_USER"),
    SessionEnded: (401, "UNAUTHORIZED"),
    SessionLimitReached: (403, "SESSION_LIMIT_REACHED"),
    SessionNotFresh: (403, "SESSION_NOT_FRESH"),
    TokenInvalid: (401, "UNAUTHORIZED"),
    TokenMissing: (401, "UNAUTHORIZED"),
    WrongPortal: (403, "WRONG_PORTAL"),
}
_OF_PASSWORDS: Final[Mapping[str, str]] = {
    "too_short": "PASSWORD_TOO_SHORT",
    "too_long": "PASSWORD_TOO_LONG",
    "too_common": "PASSWORD_COMPROMISED",
    "too_personal": "PASSWORD_COMPROMISED",
    "unchanged": "PASSWORD_UNCHANGED",
}


def as_refused(error: DomainError) -> Refused:
    """A refusal of the core in the words of the door."""
    if isinstance(error, PasswordRefused | InvalidInput) and error.problems:
        return _of_fields(error.problems)
    for kind in type(error).__mro__:
        if kind in _KNOWN:
            return refused(*_KNOWN[kind])
    headers = {name: value for name, value in headers_of(error).items() if name in ("retry-after", "connection")}
    code = error.code.upper().replace(".", "_")
    return Refused(status_of(error), error.title, code, tuple(headers.items()))


def _of_fields(problems: tuple[FieldProblem, ...]) -> Refused:
    """What is wrong with a password has codes of its own, anything else is told by the field."""
    first = problems[0]
    if first.pointer == "/currentPassword":
        return refused(400, "INVALID_PASSWORD")
    if first.code in _OF_PASSWORDS and first.pointer.lower().endswith("password"):
        return refused(400, _OF_PASSWORDS[first.code])
    told = (f"[body.{problem.pointer.lstrip('/').replace('/', '.')}] {problem.message}" for problem in problems)
    return Refused(400, "; ".join(told), "VALIDATION_ERROR")

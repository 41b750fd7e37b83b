"""How this door tells its errors: `{"detail": …}`, a sentence or, where fields are wrong, a list of what and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from domain.auth.people import EmailTaken, UsernameTaken
from domain.auth.sessions import (
    CurrentPasswordWrong,
    InvalidCredentials,
    RefreshInvalid,
    RefreshReused,
    SessionEnded,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
)
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError, FieldProblem, Kind, StoreRejectedInput
from domain.practice.refusals import ExamUnderWay, NoQuestions
from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.practice_platform.fields import PlatformBody
from entrypoints.http.problems import headers_of, status_of
from entrypoints.http.refusals import HttpRefusal, InternalError, MethodNotAllowed, RouteNotFound
from entrypoints.http.replies import RenderedReply

CODE_HEADER: Final = "x-error-code"
_EXPIRED: Final = "Invalid or expired token"
_SPENT: Final = "Invalid or expired refresh token"
_STATUSES: Final[Mapping[type, int]] = {
    EmailTaken: 400,
    UsernameTaken: 400,
    CurrentPasswordWrong: 401,
    NoQuestions: 404,
    StoreRejectedInput: 422,
}
_SENTENCES: Final[Mapping[type[DomainError], str]] = {
    EmailTaken: "Email already registered.",
    UsernameTaken: "Username already taken.",
    InvalidCredentials: "Invalid credentials.",
    CurrentPasswordWrong: "Incorrect current password",
    TokenMissing: "Not authenticated",
    TokenInvalid: _EXPIRED,
    TokenExpired: _EXPIRED,
    SessionEnded: _EXPIRED,
    RefreshInvalid: _SPENT,
    RefreshReused: _SPENT,
    PackageNotFound: "There is no such exam type",
    ExamUnderWay: f"{ExamUnderWay.title}. It opens again when that exam is over.",
    RouteNotFound: "Not Found",
    MethodNotAllowed: "Method Not Allowed",
    InternalError: "Internal Server Error",
}
# What clients call a fault, and in which words, by what we call it; whatever is not here is told in our own words.
_FAULTS: Final[Mapping[str, tuple[str, str]]] = {"required": ("missing", "Field required")}
_TYPES: Final[Mapping[str, str]] = {
    "wrong_type": "type_error",
    "too_short": "string_too_short",
    "too_long": "string_too_long",
    "wrong_format": "string_pattern_mismatch",
    "not_one_of": "enum",
}
_LIST: Final = "Expected `array` of length "
# Fields that have another name here than where their rule stands.
_RENAMED: Final[Mapping[str, str]] = {"current_password": "old_password", "choice_ids": "user_answer"}
_HUMP: Final = re.compile(r"(?<!^)([A-Z])")


class TokenInAddress(HttpRefusal):
    """A token came in the query. Addresses are logged and shared, so it is not looked at: it belongs in a header."""

    code = "request.token_in_address"
    kind = Kind.MALFORMED
    title = "Tokens are not taken from the address"


class FieldDetail(PlatformBody):
    """What is wrong with one field."""

    loc: Annotated[list[str | int], Meta(description="Where: `body` or `query`, then the way to the field")]
    msg: str
    type: str


class ErrorDetail(PlatformBody):
    """An error at this door. Its stable code, as docs/errors.md lists them, is in the header `X-Error-Code`."""

    detail: Annotated[str | list[FieldDetail], Meta(description="A sentence; of a 422 every field that is wrong")]

    example: ClassVar[Mapping[str, Any]] = {
        "detail": [{"loc": ["body", "email"], "msg": "This is not an e-mail address", "type": "invalid_email"}]
    }


class DetailForm(ErrorForm):
    """Statuses and sentences as clients of the original know them; what it never said is said as everywhere else."""

    name = "ErrorDetail"
    media_type = "application/json"
    body = ErrorDetail
    headers = ("X-Error-Code",)

    def status_of(self, refusal: DomainError | type[DomainError]) -> int:
        kind = refusal if isinstance(refusal, type) else type(refusal)
        return next((_STATUSES[each] for each in kind.__mro__ if each in _STATUSES), status_of(refusal))

    def tell(self, refusal: DomainError, request_id: str) -> RenderedReply:
        status = self.status_of(refusal)
        headers = headers_of(refusal) | {CODE_HEADER: refusal.code}
        if status == 401:
            headers.setdefault("www-authenticate", "Bearer")
        body = msgspec.json.encode(ErrorDetail(detail=_faults(refusal) if status == 422 else _sentence(refusal)))
        return RenderedReply(status, headers, self.media_type, body)


DETAILS: Final = DetailForm()


def _sentence(refusal: DomainError) -> str:
    """What is told of the nearest kind of refusal: a locked account is told what a wrong password is told."""
    return next((_SENTENCES[kind] for kind in type(refusal).__mro__ if kind in _SENTENCES), refusal.detail)


def _faults(refusal: DomainError) -> list[FieldDetail]:
    if isinstance(refusal, StoreRejectedInput):
        return [FieldDetail(loc=["body"], msg=refusal.detail, type="json_invalid")]
    if not refusal.problems:
        return [FieldDetail(loc=["body"], msg=refusal.detail, type="value_error")]
    return [_fault(problem) for problem in refusal.problems]


def _fault(problem: FieldProblem) -> FieldDetail:
    # What is too short or too long is a list or a text; clients are told which.
    known = problem.code if problem.message.startswith(_LIST) else _TYPES.get(problem.code, problem.code)
    type_, message = _FAULTS.get(problem.code, (known, problem.message))
    return FieldDetail(loc=_place(problem.pointer), msg=message, type=type_)


def _place(pointer: str) -> list[str | int]:
    """`/answers/0/userAnswer` → body, answers, 0, user_answer; `?count` → query, count; a header by its name."""
    if pointer.startswith("?"):
        return ["query", *filter(None, [pointer[1:]])]
    if pointer and not pointer.startswith("/"):
        return ["header", pointer]
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return ["body", *(int(step) if step.isdecimal() else _snake(step) for step in steps)]


def _snake(name: str) -> str:
    spelt = _HUMP.sub(r"_\1", name).lower()
    return _RENAMED.get(spelt, spelt)

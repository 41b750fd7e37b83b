"""Every error as a problem document (RFC 9457): the one table from the kind of a refusal to a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import HTTPScope, Scope, Send

from domain.auth.throttling import TooManyAttempts
from domain.errors import DomainError, InvalidInput, Kind
from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.exchange import Exchange, Header, exchange_of
from entrypoints.http.field_problems import of_parameters
from entrypoints.http.rate_limits import rate_limit_headers
from entrypoints.http.refusals import (
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    PayloadTooLarge,
    RouteNotFound,
    UnsupportedMediaType,
    allow_with_head,
)
from entrypoints.http.replies import RenderedReply, send_bytes

MEDIA_TYPE: Final = "application/problem+json"
STATUS: Final[Mapping[Kind, int]] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION_FAILED: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.INVALID: 422,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
_BY_STATUS: Final[Mapping[int, type[DomainError]]] = {
    404: RouteNotFound,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
}
_RETRY_AFTER_SECONDS = 1
# What is left of such a request on the connection would be read as the next request, or for ever.
_CLOSING = frozenset({408, 413})
_log = logging.getLogger(__name__)


class FieldFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field. `pointer` is a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: Annotated[str, msgspec.Meta(description="As `/choiceIds/0`, or `?limit`")]
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error. `code` is stable and listed in docs/errors.md; `instance` is the request id.

    Some codes have members of their own, in which a client finds what it can go on with.
    """

    type: str
    title: Annotated[str, msgspec.Meta(description="The same for every problem with this code")]
    status: Annotated[int, msgspec.Meta(description="The HTTP status of the answer")]
    detail: Annotated[str, msgspec.Meta(description="What went wrong this time")]
    code: str
    instance: str
    errors: list[FieldFault] | msgspec.UnsetType = msgspec.UNSET


def status_of(refusal: DomainError | type[DomainError]) -> int:
    """The HTTP status of a refusal."""
    own: int | None = getattr(refusal, "status", None)
    return own or STATUS[refusal.kind]


def problem_of(refusal: DomainError, request_id: str) -> Problem:
    """The document that tells a refusal."""
    faults = [FieldFault(pointer=p.pointer, code=p.code, message=p.message) for p in refusal.problems]
    return Problem(
        type=f"urn:ace:problem:{refusal.code}",
        title=refusal.title,
        status=status_of(refusal),
        detail=refusal.detail,
        code=refusal.code,
        instance=request_id,
        errors=faults or msgspec.UNSET,
    )


def document_of(refusal: DomainError, request_id: str) -> bytes:
    """The same as it is sent, with what this refusal tells in members of its own; they never replace the usual ones."""
    problem = problem_of(refusal, request_id)
    if not refusal.facts:
        return msgspec.json.encode(problem)
    return msgspec.json.encode({**msgspec.to_builtins(problem), **_own_members(refusal)})


class ProblemForm(ErrorForm):
    """How every door tells its errors that has no form of its own."""

    name = "Problem"
    media_type = MEDIA_TYPE
    body = Problem
    headers = ()

    def status_of(self, refusal: DomainError | type[DomainError]) -> int:
        return status_of(refusal)

    def tell(self, refusal: DomainError, request_id: str) -> RenderedReply:
        body = document_of(refusal, request_id)
        return RenderedReply(status_of(refusal), headers_of(refusal), MEDIA_TYPE, body)


PROBLEMS: Final = ProblemForm()


def _own_members(refusal: DomainError) -> dict[str, str | int]:
    return {name: fact for name, fact in refusal.facts.items() if name not in Problem.__struct_fields__}


def headers_of(refusal: DomainError) -> dict[str, str]:
    """The headers that a refusal adds: when to come back, which quota is used up, how to sign in, which version is
    current.
    """
    headers: dict[str, str] = dict(getattr(refusal, "headers", {}))
    status = status_of(refusal)
    retry_after = refusal.retry_after_seconds
    if retry_after is None and status == 503:
        retry_after = _RETRY_AFTER_SECONDS
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    if isinstance(refusal, TooManyAttempts):
        headers |= rate_limit_headers(refusal.left)
    version: int | None = getattr(refusal, "current_version", None)
    if version is not None:
        headers["etag"] = f'"{version}"'
    if status == 401:
        headers.setdefault("www-authenticate", "Bearer")
    if status in _CLOSING:
        headers["connection"] = "close"
    return headers


def as_refusal(error: Exception, parameter_names: Mapping[str, str]) -> DomainError:
    """The refusal that an exception stands for; one that stands for none is a defect of ours."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, ValidationException):
        return InvalidInput(
            "The parameters of the request break a rule", problems=of_parameters(error, parameter_names)
        )
    if isinstance(error, HTTPException) and error.status_code < 500:
        if error.status_code == 405:
            return MethodNotAllowed(headers={"allow": allow_with_head((error.headers or {}).get("allow", ""))})
        return _BY_STATUS.get(error.status_code, MalformedRequest)()
    return InternalError()


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The framework's only exception handler."""
    told = _told(_noted(request.scope, error), exchange_of(request.scope))
    return Response(told.body, status_code=told.status, headers=told.headers, media_type=told.media_type)


async def send_refusal(send: Send, scope: HTTPScope, error: Exception) -> None:
    """Answers with the problem that an exception stands for, byte by byte as `answer` does."""
    told = _told(_noted(scope, error), exchange_of(scope))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in told.headers.items()]
    await send_bytes(send, told.status, headers, told.body, told.media_type)


def _noted(scope: Scope, error: Exception) -> DomainError:
    refusal = as_refusal(error, _parameter_names(scope))
    note(error, refusal)
    return refusal


def _parameter_names(scope: Scope) -> dict[str, str]:
    """What clients call the parameters of the handler."""
    handler = scope.get("route_handler")
    fields = handler.parsed_fn_signature.parameters if handler is not None else {}
    return {name: getattr(field.kwarg_definition, "name", None) or name for name, field in fields.items()}


async def send_problem(send: Send, exchange: Exchange, refusal: DomainError) -> None:
    """Answers with a problem where there is no handler: in the layers around the router."""
    told = _told(refusal, exchange)
    length = str(len(told.body)).encode()
    headers: list[Header] = [(b"content-type", told.media_type.encode()), (b"content-length", length)]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in told.headers.items()]
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": told.body, "more_body": False})


def _told(refusal: DomainError, exchange: Exchange) -> RenderedReply:
    """As the door tells it that was asked."""
    return (exchange.form or PROBLEMS).tell(refusal, exchange.request_id)


def note(error: Exception, refusal: DomainError) -> None:
    """Logs what an operator must know of: defects with their trace, an unavailable store with its cause."""
    if isinstance(refusal, InternalError):
        _log.error("unhandled error", exc_info=error)
    elif status_of(refusal) == 503:
        _log.warning("%s: %s", refusal.code, refusal.__cause__ or refusal.detail)

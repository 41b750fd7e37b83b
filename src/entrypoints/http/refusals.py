"""Refusals that only HTTP knows: what can be wrong with a request before any use case has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind, StoreRejectedInput


class HttpRefusal(DomainError):
    """A refusal with a status of its own where its kind does not say it, and with headers."""

    status: ClassVar[int | None] = None

    def __init__(
        self,
        detail: str = "",
        *,
        problems: tuple[FieldProblem, ...] = (),
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, problems=problems, retry_after_seconds=retry_after_seconds)
        self.headers = headers or {}


class RouteNotFound(HttpRefusal):
    """There is nothing at this path, or an identifier in it has a shape that none has."""

    code = "request.not_found"
    kind = Kind.NOT_FOUND
    title = "There is nothing at this address"


class MethodNotAllowed(HttpRefusal):
    """The path exists, the method does not; `Allow` lists those that do."""

    code = "request.method_not_allowed"
    kind = Kind.MALFORMED
    title = "The method is not allowed here"
    status = 405


def allow_with_head(methods: str) -> str:
    """The value of an `Allow` header, with HEAD wherever GET is."""
    names = {name.strip() for name in methods.split(",")}
    return ", ".join(sorted(names | {"HEAD"} if "GET" in names else names))


class RequestTimeout(HttpRefusal):
    """The head or the body of the request did not arrive in time."""

    code = "request.timeout"
    kind = Kind.MALFORMED
    title = "The request did not arrive in time"
    status = 408


class HeadersTooLarge(HttpRefusal):
    """Address and headers together are larger than 64 KiB."""

    code = "request.headers_too_large"
    kind = Kind.TOO_LARGE
    title = "The request headers are too large"
    status = 431


class PayloadTooLarge(HttpRefusal):
    """The body is larger than this route takes."""

    code = "request.too_large"
    kind = Kind.TOO_LARGE
    title = "The body is too large"


class UnsupportedMediaType(HttpRefusal):
    """The body is due as JSON and comes as something else, or without saying what it is."""

    code = "request.unsupported_media_type"
    kind = Kind.UNSUPPORTED
    title = "The body must be application/json"


class InvalidCursor(HttpRefusal):
    """The cursor was not made by this list, or was changed."""

    code = "request.invalid_cursor"
    kind = Kind.INVALID
    title = "The cursor is not one of this list"


class StaleVersion(HttpRefusal):
    """`If-Match` names no version at all: send the ETag of the answer as it was, with its quotes."""

    code = "request.stale_version"
    kind = Kind.PRECONDITION_FAILED
    title = "If-Match names no version of this content"


class HostNotAllowed(HttpRefusal):
    """The request was sent to a host name that this server does not answer for."""

    code = "request.host_not_allowed"
    kind = Kind.MALFORMED
    title = "This server does not answer for that host"


class NotReady(HttpRefusal):
    """The database cannot be reached or lacks migrations; a load balancer sends requests elsewhere."""

    code = "service.not_ready"
    kind = Kind.UNAVAILABLE
    title = "The service is not ready"


class InternalError(HttpRefusal):
    """A defect of the server. The request id leads to the log; nothing internal is told."""

    code = "service.internal"
    kind = Kind.UNAVAILABLE
    title = "Something went wrong on the server"
    status = 500


class MalformedRequest(StoreRejectedInput):
    """Not JSON, not UTF-8, nested too deep or cut short. The code is that of every request that cannot be read."""


def invalid(pointer: str, code: str, message: str) -> InvalidInput:
    """The refusal of one field."""
    return InvalidInput(message, problems=(FieldProblem(pointer, code, message),))

"""What is known about the request being served, for whoever records it; set at the edge, empty outside a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """The request's id, the caller's address and what the caller says to be; `answer_by` is the monotonic second by
    which it must be answered. Nobody changes one, though it is not frozen: that would cost each request a microsecond.
    """

    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    answer_by: float | None = None


_NOWHERE = RequestContext()
request_context: ContextVar[RequestContext] = ContextVar("request_context", default=_NOWHERE)


@contextmanager
def without_deadline() -> Iterator[None]:
    """For what has to be done even when it is too late to answer; it takes as long as it may take outside a request."""
    token = request_context.set(replace(request_context.get(), answer_by=None))
    try:
        yield
    finally:
        request_context.reset(token)

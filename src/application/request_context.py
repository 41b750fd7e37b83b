"""What is known about the request being served, for whoever records it; set at the edge, empty outside a request."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The request's id, the caller's address and what the caller says to be; `answer_by` is the monotonic second by
    which it must be answered.
    """

    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    answer_by: float | None = None


_NOWHERE = RequestContext()
request_context: ContextVar[RequestContext] = ContextVar("request_context", default=_NOWHERE)

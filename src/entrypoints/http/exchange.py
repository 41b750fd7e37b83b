"""One request and its answer, as the edge knows them: who asked, when, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from litestar.types import HTTPScope, Receive, Scope, Send

from entrypoints.http.error_forms import ErrorForm

Header = tuple[bytes, bytes]
HttpApp: TypeAlias = Callable[[HTTPScope, Receive, Send], Awaitable[None]]

_KEY = "ace.exchange"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Made by the outermost layer and filled by those below; `status` is 0 until an answer has started.

    `form`: how errors are told at the door that was asked; None: as problem documents. Where it `types_nothing` an
    answer without a body keeps the type that it names. `trace` is that of a valid W3C `traceparent`.
    """

    request_id: str
    ip: str
    https: bool
    method: str
    started: float
    request_headers: dict[bytes, bytes]
    trace: str | None = None
    answer_headers: list[Header] = field(default_factory=list)
    status: int = 0
    form: ErrorForm | None = None
    types_nothing: bool = False
    # The scope that was routed: it names the route template and the user once they are known.
    scope: Any = None


def enter(scope: Scope, exchange: Exchange) -> None:
    """Lets everything that gets `scope` find the exchange."""
    exchange.scope = scope
    scope[_KEY] = exchange  # type: ignore[literal-required]


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that this scope belongs to."""
    found: Exchange = scope[_KEY]  # type: ignore[literal-required]
    return found

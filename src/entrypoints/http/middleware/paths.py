"""Addresses that cannot lead anywhere are refused before they are looked up."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from litestar.types import HTTPScope, Receive, Send

from domain.errors import DomainError
from entrypoints.http.exchange import HttpApp, exchange_of
from entrypoints.http.problems import send_problem
from entrypoints.http.refusals import MalformedRequest, RouteNotFound, invalid

_PATH_LIMIT = 2_000
_QUERY_LIMIT = 8_000
_ENCODED_SLASH = re.compile(rb"%2f|%5c", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Paths:
    """Refuses a path or a query that is too long or holds what no identifier and no search text holds.

    An encoded slash would be taken for a separator, and two slashes for one: a proxy with rules for paths and we would
    see different ones.
    """

    def __init__(self, app: HttpApp) -> None:
        self._app = app

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        refusal = _refusal_of(scope)
        if refusal is not None:
            return send_problem(send, exchange_of(scope), refusal)
        return self._app(scope, receive, send)


def _refusal_of(scope: HTTPScope) -> DomainError | None:
    if _impossible(scope):
        return RouteNotFound()
    query = scope["query_string"]
    if not query:
        return None
    if len(query) > _QUERY_LIMIT:
        return MalformedRequest("The query is too long")
    if b"%00" in query:
        return invalid("?", "forbidden_character", "NUL characters are not allowed")
    return None


def _impossible(scope: HTTPScope) -> bool:
    raw = scope.get("raw_path") or b""
    path = scope["path"]
    return (
        len(path) > _PATH_LIMIT
        or "//" in path
        or (b"%" in raw and _ENCODED_SLASH.search(raw) is not None)
        or (not path.isprintable() and _CONTROL.search(path) is not None)
    )

"""The headers in the OpenAPI document: those that requests may have, and those that answers carry."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string"}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again: one effect, and the same answer with `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that is to be changed.",
    "schema": _TEXT,
}
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what the client already has; the answer is 304 while that is current.",
    "schema": _TEXT,
}
CSRF_TOKEN: Final = {
    "name": "X-CSRF-Token",
    "in": "header",
    "required": False,
    "description": "The `csrfToken` of the session. Needed when the session travels in cookies, not with a bearer.",
    "schema": _TEXT,
}

# What answers refer to, by the name of the header.
COMPONENTS: Final[dict[str, dict[str, Any]]] = {
    "Deprecation": {"description": "Since when this path is deprecated (RFC 9745)", "schema": _TEXT},
    "ETag": {"description": "The version of this answer, for If-None-Match and If-Match", "schema": _TEXT},
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer that an earlier request with the same key got",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Link": {
        "description": 'Other addresses: of the next page (`rel="next"`), unless this is the last one;'
        ' of what replaces a deprecated path (`rel="successor-version"`)',
        "schema": _TEXT,
    },
    "Location": {"description": "The path of what was created", "schema": _TEXT},
    "RateLimit": {
        "description": "What is left of the quota: `r` requests within the next `t` seconds",
        "schema": _TEXT,
    },
    "RateLimit-Policy": {
        "description": "The quota that the request counts for: `q` requests in a window of `w` seconds",
        "schema": _TEXT,
    },
    "Retry-After": {
        "description": "After how many seconds to try again",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to sign in", "schema": _TEXT},
    "X-Error-Code": {"description": "The stable code of the error, as docs/errors.md lists them", "schema": _TEXT},
    "X-Request-Id": {"description": "The id of this request in the server's log", "schema": _TEXT},
}


def carried(*names: str) -> dict[str, Any]:
    """The headers of an answer; every answer has the request's id."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*names, "X-Request-Id"})}

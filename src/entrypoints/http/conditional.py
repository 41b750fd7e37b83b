"""Conditional requests: ETags, 304 for what the client already has, 412 for a change to what it has not seen."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import msgspec
from litestar import Response

from entrypoints.http.exchange import Exchange, exchange_of
from entrypoints.http.refusals import StaleVersion
from entrypoints.http.replies import Written
from entrypoints.http.requests import ApiRequest

# Kept by the client only, and asked about each time: no-store would leave nothing to compare.
REVALIDATE: Final = "private, no-cache"
_TAG = re.compile(r'(W/)?"([^"]*)"')
# As many digits as the largest number of 64 bits: a question's tag is its version and revision in one.
_VERSION = re.compile(r"[1-9][0-9]{0,18}")


def versioned(request: ApiRequest, body: msgspec.Struct, version: int) -> Response[Any]:
    """The body with its version as ETag, or 304."""
    return tagged(exchange_of(request.scope), msgspec.json.encode(body), f'"{version}"')


def hashed(request: ApiRequest, body: msgspec.Struct) -> Response[Any]:
    """The body with an ETag made from its content, or 304."""
    content = msgspec.json.encode(body)
    return tagged(exchange_of(request.scope), content, content_tag(content))


def tagged(exchange: Exchange, content: bytes, tag: str) -> Response[Any]:
    """Content that is bytes already, with the ETag that was made from it, or 304."""
    headers = {"etag": tag, "cache-control": REVALIDATE}
    if _already_has(exchange, tag):
        return Written(b"", status=304, headers=headers)
    return Written(content, headers=headers)


def personal(body: msgspec.Struct, version: int) -> Response[Any]:
    """The body with its version as ETag, for `If-Match`. No cache may keep it, so there is nothing to compare.

    For what is one person's own, and for what tells more than the version covers, as a count of what others change.
    """
    return Written(msgspec.json.encode(body), headers={"etag": f'"{version}"'})


def version_tag(version: int) -> dict[str, str]:
    """The header that says of which version an answer to a change tells."""
    return {"etag": f'"{version}"'}


def content_tag(content: bytes) -> str:
    """An ETag that changes with every byte."""
    return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def already_has(request: ApiRequest, tag: str) -> bool:
    """Whether `If-None-Match` names this ETag (weak comparison, as RFC 9110 asks)."""
    return _already_has(exchange_of(request.scope), tag)


def _already_has(exchange: Exchange, tag: str) -> bool:
    value = _header(exchange, b"if-none-match")
    return value is not None and (value.strip() == "*" or tag.strip('"') in {found[1] for found in _TAG.findall(value)})


def expected_version(request: ApiRequest) -> int | None:
    """The version that `If-Match` asks for; None if any will do.

    Of several versions only the newest can be current, because versions only grow. A tag that is not a version, or is
    weak, matches nothing (412).
    """
    value = _header(exchange_of(request.scope), b"if-match")
    if value is None or value.strip() == "*":
        return None
    strong = [text for weak, text in _TAG.findall(value) if not weak]
    versions = [int(text) for text in strong if _VERSION.fullmatch(text)]
    if not versions:
        raise StaleVersion
    return max(versions)


def _header(exchange: Exchange, name: bytes) -> str | None:
    value = exchange.request_headers.get(name)
    return None if value is None else value.decode("latin-1")

"""What a request to the door carries: its query, and its body as JSON or, where that is allowed, as a form."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn, cast
from urllib.parse import parse_qsl

from litestar.types import HTTPReceiveMessage, HTTPScope, Receive

from entrypoints.http.better_auth.checks import SAFE_METHODS
from entrypoints.http.better_auth.endpoint import Endpoint, Headers
from entrypoints.http.better_auth.errors import Refused
from entrypoints.http.better_auth.schemas import UNDEFINED
from entrypoints.http.refusals import PayloadTooLarge
from entrypoints.http.requests import BODY_LIMIT, in_time

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_TEXT: Final = "text/plain"
_JSON_TYPE: Final = re.compile(r"application/([a-z0-9.+-]*\+)?json")
_MOST_FIELDS = 1_000
_LENGTH_DIGITS = 18
_LONGEST_INTEGER = 400


def query_of(scope: HTTPScope) -> dict[str, Any]:
    """The parameters of the query; one that came several times is a list."""
    found: dict[str, Any] = {}
    for name, value in _pairs(scope["query_string"].decode("latin-1")):
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


async def read_body(scope: HTTPScope, receive: Receive, headers: Headers, endpoint: Endpoint) -> object:
    """The body as a value, or `UNDEFINED` where there is none: nothing was sent, or nothing says what it is."""
    media_type = headers.get("content-type")
    if scope["method"] in SAFE_METHODS or not media_type or not _carries_something(headers):
        return UNDEFINED
    _check_media_type(media_type, (_FORM, _JSON) if endpoint.takes_forms else (_JSON,))
    content = await _received(receive, headers)
    if _JSON_TYPE.match(media_type.lower()):
        return _as_json(content)
    if _FORM in media_type.lower():
        return dict(_pairs(content.decode("utf-8", "replace")))
    return content.decode("utf-8", "replace") if _TEXT in media_type.lower() else {}


def _carries_something(headers: Headers) -> bool:
    length = headers.get("content-length")
    return length != "0" if length else "transfer-encoding" in headers


def _check_media_type(media_type: str, allowed: tuple[str, ...]) -> None:
    base = media_type.lower().partition(";")[0].strip()
    if not any(name in base for name in allowed):
        message = f'Content-Type "{media_type}" is not allowed. Allowed types: {", ".join(allowed)}'
        raise Refused(415, message, "UNSUPPORTED_MEDIA_TYPE")


async def _received(receive: Receive, headers: Headers) -> bytes:
    """The whole body, of bounded size and within bounded time."""
    length = headers.get("content-length")
    if length.isdigit() and (len(length) > _LENGTH_DIGITS or int(length) > BODY_LIMIT):
        raise PayloadTooLarge
    return await in_time(_all_parts(receive))


async def _all_parts(receive: Receive) -> bytes:
    parts, more = bytearray(), True
    while more:
        message = cast("HTTPReceiveMessage", await receive())
        if message["type"] == "http.disconnect":
            raise Refused(400, "The body ended before it was complete", "BAD_REQUEST")
        parts += message.get("body", b"")
        if len(parts) > BODY_LIMIT:
            raise PayloadTooLarge
        more = message.get("more_body", False)
    return bytes(parts)


def _as_json(content: bytes) -> object:
    try:
        return json.loads(
            content.decode("utf-8", "replace").removeprefix("\ufeff"),
            parse_constant=_refuse_constant,
            parse_int=_number,
        )
    except (ValueError, RecursionError):
        raise Refused(400, "Invalid JSON in request body", "BAD_REQUEST") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_INTEGER else float(digits)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refused(400, "There are too many fields", "BAD_REQUEST") from None

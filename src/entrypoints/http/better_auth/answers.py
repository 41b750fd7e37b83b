"""Answers of the door as they go out: JSON as its clients know it, and every error in the one form that they read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from litestar.types import Send

from domain.auth.throttling import TooManyAttempts
from domain.errors import DomainError
from entrypoints.http.better_auth.domain_errors import as_refused
from entrypoints.http.better_auth.endpoint import Reply
from entrypoints.http.better_auth.errors import Refused, refused
from entrypoints.http.better_auth.records import time_text
from entrypoints.http.exchange import Exchange, Header
from entrypoints.http.problems import as_refusal, note

NOTHING_HERE: Final = Reply(body=b"", status=404, media_type=None)
_TOO_MANY: Final = {"message": "Too many requests. Please try again later."}
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def written(value: object) -> bytes:
    """JSON text: no blanks, everything as it is that can be written as it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_in_json)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def reply_of(error: Exception) -> Reply:
    """The answer that an exception stands for. What an operator must know of is logged."""
    if isinstance(error, Refused):
        return _refusal(error)
    if isinstance(error, TooManyAttempts):
        return too_many(error)
    if isinstance(error, DomainError):
        note(error, error)
        return _refusal(as_refused(error))
    note(error, as_refusal(error, {}))
    return _refusal(refused(500, "INTERNAL_SERVER_ERROR"))


def too_many(error: TooManyAttempts) -> Reply:
    """Who asks too often is told when to come back, by the name that clients look for and by the usual one."""
    seconds = str(error.left.seconds)
    return Reply(
        body=written(_TOO_MANY),
        status=429,
        media_type="text/plain;charset=UTF-8",
        headers=(("x-retry-after", seconds), ("retry-after", seconds)),
    )


async def send_reply(send: Send, exchange: Exchange, reply: Reply, own: Sequence[Header]) -> None:
    """Sends a reply with these headers beside its own."""
    body = reply.body if isinstance(reply.body, bytes) else written(reply.body)
    headers: list[Header] = [] if reply.media_type is None else [(b"content-type", reply.media_type.encode())]
    headers += [(b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    exchange.types_nothing = True
    await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _refusal(error: Refused) -> Reply:
    return Reply(body=error.body or b"", status=error.status, headers=error.headers)


def _in_json(value: object) -> str:
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(f"{type(value).__name__} is not written to clients")

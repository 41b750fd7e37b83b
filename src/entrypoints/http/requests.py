"""Requests as handlers get them: bodies that are bounded in size and time, JSON that is decoded strictly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec
from litestar import Request
from litestar.types import HTTPReceiveMessage

from application.request_context import request_context
from entrypoints.http.exchange import exchange_of
from entrypoints.http.field_problems import of_body
from entrypoints.http.json_text import refuse_unreadable
from entrypoints.http.refusals import MalformedRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType

T = TypeVar("T")

MIB: Final = 1024 * 1024
BODY_LIMIT: Final = MIB
BODY_SECONDS: Final = 10
ANSWER_SECONDS: Final = 5.5
_JSON_TYPES = frozenset({b"application/json", b"application/merge-patch+json"})
_PROMPT_SECONDS = 0.25


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body has a limit (the route's `request_max_body_size`) and a deadline (`opt["body_seconds"]`)."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, never more than the route takes."""
        if not self.is_connected:
            async for part in super().stream():
                yield part
            return
        limit, size = self.route_handler.resolve_request_max_body_size() or BODY_LIMIT, 0
        more = True
        while more:
            message = cast("HTTPReceiveMessage", await self.receive())
            if message["type"] == "http.disconnect":
                raise MalformedRequest("The body ended before it was complete")
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise PayloadTooLarge(f"The body may have at most {limit} bytes")
            yield part
            more = message.get("more_body", False)
        self.is_connected = False

    async def body(self) -> bytes:
        seconds = self.route_handler.opt.get("body_seconds", BODY_SECONDS)
        return await (in_time(super().body(), seconds) if self.is_connected else super().body())

    async def json(self) -> Any:
        """The body as the type that the handler's `data` declares."""
        if not says_json(exchange_of(self.scope).request_headers.get(b"content-type", b"")):
            raise UnsupportedMediaType
        return decode(await self.body(), self.route_handler.parsed_fn_signature.parameters["data"].annotation)


async def in_time(reading: Awaitable[T], seconds: float = BODY_SECONDS) -> T:
    """What is read from the client, which has so long to send it."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            result = await reading
    except TimeoutError:
        raise RequestTimeout from None
    if time.monotonic() - started > _PROMPT_SECONDS:
        _start_answer_clock()
    return result


def says_json(media_type: bytes) -> bool:
    """Whether a `Content-Type` is one of JSON. The types that a foreign page may send unasked are none."""
    return media_type in _JSON_TYPES or media_type.partition(b";")[0].strip().lower() in _JSON_TYPES


def decode(text: bytes, type_: Any) -> Any:
    """JSON text as a value of the type, or the refusal that says where it is not."""
    refuse_unreadable(text)
    try:
        return _decoder(type_).decode(text)
    except msgspec.ValidationError as error:
        raise of_body(error) from None
    except msgspec.DecodeError as error:
        raise MalformedRequest(f"The body is not JSON: {error}") from None


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def _start_answer_clock() -> None:
    """The client took its time to send the body; ours begins when it is there."""
    request_context.set(replace(request_context.get(), answer_by=time.monotonic() + ANSWER_SECONDS))

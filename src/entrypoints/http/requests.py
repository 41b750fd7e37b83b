"""Requests as handlers get them: bodies that are bounded in size and time, JSON that is decoded strictly."""

from __future__ import annotations

import asyncio
import time
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.types import Empty, HTTPReceiveMessage, Receive, Scope

from application.request_context import request_context
from entrypoints.http.exchange import exchange_of
from entrypoints.http.field_problems import of_body
from entrypoints.http.json_text import refuse_unreadable
from entrypoints.http.refusals import MalformedRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType

T = TypeVar("T")
Decoder: TypeAlias = msgspec.json.Decoder[Any]

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
        size, more = 0, True
        while more:
            part, more = await _next_part(self.receive, self._limit, size)
            size += len(part)
            yield part
        self.is_connected = False

    async def body(self) -> bytes:
        if self._body is Empty:
            seconds = self.route_handler.opt.get("body_seconds", BODY_SECONDS)
            self.keep(await read_body(self.receive, self._limit, seconds))
        return await super().body()

    def keep(self, body: bytes) -> None:
        """The body has been read; whoever asks for it gets this."""
        self._body = self._connection_state.body = body
        self.is_connected = False

    async def release(self) -> None:
        """Lets go of the files of a form, if one was read."""
        form = self._connection_state.form
        if form is not Empty:
            await FormMultiDict.from_form_data(form).close()

    @property
    def _limit(self) -> int:
        return self.route_handler.resolve_request_max_body_size() or BODY_LIMIT

    async def json(self) -> Any:
        """The body as the type that the handler's `data` declares."""
        type_ = self.route_handler.parsed_fn_signature.parameters["data"].annotation
        return decoded(self.scope, await self.body(), decoder_of(type_))


def read_body(receive: Receive, limit: int, seconds: float = BODY_SECONDS) -> Coroutine[Any, Any, bytes]:
    """The whole body, of so many bytes at most, from a client that has so long to send it."""
    return in_time(_all_parts(receive, limit), seconds)


async def _all_parts(receive: Receive, limit: int) -> bytes:
    first, more = await _next_part(receive, limit, 0)
    if not more:
        return first
    parts, size = [first], len(first)
    while more:
        part, more = await _next_part(receive, limit, size)
        parts.append(part)
        size += len(part)
    return b"".join(parts)


async def _next_part(receive: Receive, limit: int, size: int) -> tuple[bytes, bool]:
    """What comes after the first `size` bytes of a body, and whether more of it follows."""
    message = cast("HTTPReceiveMessage", await receive())
    if message["type"] == "http.disconnect":
        raise MalformedRequest("The body ended before it was complete")
    part = message.get("body", b"")
    if size + len(part) > limit:
        raise PayloadTooLarge(f"The body may have at most {limit} bytes")
    return part, message.get("more_body", False)


def decoded(scope: Scope, body: bytes, decoder: Decoder) -> Any:
    """The body of this request as a value. Refuses what does not call itself JSON."""
    if not says_json(exchange_of(scope).request_headers.get(b"content-type", b"")):
        raise UnsupportedMediaType
    return _decoded(body, decoder)


async def in_time(reading: Coroutine[Any, Any, T], seconds: float = BODY_SECONDS) -> T:
    """What is read from the client, which has so long to send it. For what is there already no timer is set."""
    started = time.monotonic()
    try:
        try:
            awaited = reading.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        return await _awaited_in_time(reading, awaited, seconds)
    finally:
        if time.monotonic() - started > _PROMPT_SECONDS:
            _start_answer_clock()


async def _awaited_in_time(reading: Coroutine[Any, Any, T], awaited: Any, seconds: float) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await _resumed(reading, awaited)
    except TimeoutError:
        raise RequestTimeout from None


@types.coroutine
def _resumed(reading: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """The rest of a reading that has begun to wait for something; it learns of its end like any other."""
    while True:
        try:
            yield awaited
        except BaseException as error:
            go_on: Callable[[], Any] = partial(reading.throw, error)
        else:
            go_on = partial(reading.send, None)
        try:
            awaited = go_on()
        except StopIteration as done:
            return cast("T", done.value)


def says_json(media_type: bytes) -> bool:
    """Whether a `Content-Type` is one of JSON. The types that a foreign page may send unasked are none."""
    return media_type in _JSON_TYPES or media_type.partition(b";")[0].strip().lower() in _JSON_TYPES


def decode(text: bytes, type_: Any) -> Any:
    """JSON text as a value of the type, or the refusal that says where it is not."""
    return _decoded(text, decoder_of(type_))


def _decoded(text: bytes, decoder: Decoder) -> Any:
    refuse_unreadable(text)
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise of_body(error) from None
    except msgspec.DecodeError as error:
        raise MalformedRequest(f"The body is not JSON: {error}") from None


@cache
def decoder_of(type_: Any) -> Decoder:
    """One decoder for each type of body."""
    return msgspec.json.Decoder(type_)


def _start_answer_clock() -> None:
    """The client took its time to send the body; ours begins when it is there, or no longer waited for."""
    request_context.set(replace(request_context.get(), answer_by=time.monotonic() + ANSWER_SECONDS))

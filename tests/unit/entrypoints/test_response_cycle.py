"""An answer is the same to the byte, and refused for the same reasons, as uvicorn itself would write it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from entrypoints.response_cycle import ResponseCycle

_DATE = (b"date", b"Sun, 22 Nov 2026 02:44:21 GMT")


class _Wire:
    """A transport that keeps what is written, and says what became of the connection."""

    def __init__(self, note: Callable[[bytes], object]) -> None:
        self.note = note
        self.written = b""
        self.closed = False
        self.completed = False

    def write(self, data: bytes) -> None:
        self.note(data)
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def complete(self) -> None:
        self.completed = True


async def _told(kind: type[RequestResponseCycle], method: str, messages: list[dict[str, Any]], **state: Any) -> Any:
    """What is written, what becomes of the connection, and why it went wrong if it did."""
    wire: Any = _Wire(state.get("written", bytes))
    scope: Any = {"type": "http", "method": method}
    cycle = kind(
        scope=scope,
        transport=wire,
        flow=FlowControl(wire),
        logger=logging.getLogger(__name__),
        access_logger=logging.getLogger(__name__),
        access_log=False,
        default_headers=[_DATE],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=state.get("keep_alive", True),
        on_response=wire.complete,
    )
    cycle.disconnected = state.get("disconnected", False)
    error = None
    try:
        for message in messages:
            await cycle.send({**message})  # type: ignore[arg-type]
    except Exception as raised:
        error = (type(raised), str(raised))
    return wire.written, wire.closed, wire.completed, cycle.response_started, cycle.response_complete, error


_NAMES = st.sampled_from(
    [
        b"content-type",
        b"Content-Type",
        b"cache-control",
        b"vary",
        b"date",
        b"x-request-id",
        b"set-cookie",
        b"etag",
        b"connection",
        b"Connection",
        b"Content-Length",
        b"transfer-encoding",
        b"bad name",
        b"x:y",
        b"",
    ]
)
_VALUES = st.one_of(
    st.sampled_from([b"application/json", b"no-store", b"close", b"chunked", b"keep-alive", b"a\r\nx: y", b"\x00"]),
    st.binary(max_size=12),
)
_HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=5)
_BODIES = st.lists(st.binary(max_size=8), min_size=1, max_size=3)


@st.composite
def _answers(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    bodies, headers = draw(_BODIES), draw(_HEADERS)
    length = draw(st.sampled_from([None, len(b"".join(bodies)), len(b"".join(bodies)), 3]))
    if length is not None:
        headers.insert(draw(st.integers(0, len(headers))), (b"content-length", str(length).encode()))
    start = {"type": "http.response.start", "status": draw(st.sampled_from([200, 204, 304, 404])), "headers": headers}
    parts = [{"type": "http.response.body", "body": body, "more_body": True} for body in bodies]
    parts[-1]["more_body"] = False
    messages = [start, *parts, *draw(st.sampled_from([[], [start], parts[-1:]]))]
    return draw(st.sampled_from(["GET", "POST", "HEAD"])), messages[draw(st.sampled_from([0, 0, 0, 1])) :]


@given(answer=_answers(), keep_alive=st.booleans(), disconnected=st.sampled_from([False, False, True]))
def test_what_is_written_is_what_uvicorn_writes(
    answer: tuple[str, list[dict[str, Any]]], keep_alive: bool, disconnected: bool
) -> None:
    state: dict[str, Any] = {"keep_alive": keep_alive, "disconnected": disconnected}
    ours, theirs = (asyncio.run(_told(kind, *answer, **state)) for kind in (ResponseCycle, RequestResponseCycle))
    assert ours == theirs


_GOOD_NAMES = st.sampled_from(
    [b"content-type", b"Content-Type", b"cache-control", b"vary", b"x-request-id", b"set-cookie", b"etag"]
)
_GOOD_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12)


@given(
    headers=st.lists(st.tuples(_GOOD_NAMES, _GOOD_VALUES.map(lambda value: value.encode("latin-1"))), max_size=5),
    place=st.integers(0, 5),
    method=st.sampled_from(["GET", "POST"]),
    status=st.sampled_from([200, 201, 404, 422]),
    body=st.binary(max_size=8),
)
def test_the_usual_answer_is_written_here_and_is_what_uvicorn_writes(
    headers: list[tuple[bytes, bytes]], place: int, method: str, status: int, body: bytes
) -> None:
    headers.insert(place, (b"content-length", str(len(body)).encode()))
    start = {"type": "http.response.start", "status": status, "headers": headers}
    messages: list[dict[str, Any]] = [start, {"type": "http.response.body", "body": body}]
    pieces: list[bytes] = []
    ours = asyncio.run(_told(ResponseCycle, method, messages, written=pieces.append))
    assert ours == asyncio.run(_told(RequestResponseCycle, method, messages))
    assert len(pieces) == 1


@pytest.mark.parametrize("kind", [ResponseCycle, RequestResponseCycle])
async def test_an_answer_may_be_without_headers(kind: Any) -> None:
    messages: list[dict[str, Any]] = [{"type": "http.response.start", "status": 200}, {"type": "http.response.body"}]
    assert (await _told(kind, "GET", messages))[-1] is None


@pytest.mark.parametrize(
    "header",
    [
        (b"Connection", b"close"),
        (b"connection", b"close"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Length", b"1"),
    ],
)
async def test_how_the_connection_goes_on_is_said_in_any_letters(header: tuple[bytes, bytes]) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2"), header]}
    messages: list[dict[str, Any]] = [start, {"type": "http.response.body", "body": b"{}"}]
    ours, theirs = [await _told(kind, "GET", messages) for kind in (ResponseCycle, RequestResponseCycle)]
    assert ours == theirs


@pytest.mark.parametrize("name", [b"content-type", b"x-request-id"])
async def test_a_value_that_would_begin_a_line_is_refused_each_time(name: bytes) -> None:
    headers = [(b"content-length", b"0"), (name, b"a\r\nset-cookie: b")]
    for _ in range(2):
        told = await _told(ResponseCycle, "GET", [{"type": "http.response.start", "status": 200, "headers": headers}])
        assert (told[0], told[-1]) == (b"", (RuntimeError, "Invalid HTTP header value."))


async def test_what_may_be_secret_is_not_remembered() -> None:
    from entrypoints import response_cycle

    headers = [(b"content-length", b"0"), (b"set-cookie", b"ace_refresh=secret"), (b"location", b"/?token=secret")]
    response_cycle._recurring_line.cache_clear()
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": b""}
    assert b"secret" in (await _told(ResponseCycle, "GET", [start, end]))[0]
    assert response_cycle._recurring_line.cache_info().currsize == 1  # the date


@pytest.mark.parametrize("kind", [ResponseCycle, RequestResponseCycle])
@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_an_answer_of_a_known_length_is_written_in_one_piece(kind: Any, body: bytes) -> None:
    pieces: list[bytes] = []
    headers = [(b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    told = await _told(kind, "GET", [start, {"type": "http.response.body", "body": body}], written=pieces.append)
    assert told[0].endswith(b"\r\n\r\n" + body)
    assert told[2]
    assert len(pieces) == (1 if kind is ResponseCycle else 2)


@pytest.mark.parametrize(
    "parts",
    [
        [(b"ab", True), (b"cd", False)],
        [(b"abcd", True), (b"", False)],
        [(b"abcd", False), (b"", False)],
        [(b"abcde", False)],
        [(b"abc", False)],
        [None, (b"abcd", False)],
    ],
)
@pytest.mark.parametrize("disconnected", [False, True])
async def test_a_head_that_waits_goes_out_before_whatever_comes(
    parts: list[tuple[bytes, bool] | None], disconnected: bool
) -> None:
    """A body in parts, one that is longer or shorter than was said, and a second head."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
    bodies = [p and {"type": "http.response.body", "body": p[0], "more_body": p[1]} for p in parts]
    messages: list[dict[str, Any]] = [start, *(body or start for body in bodies)]
    ours, theirs = [
        await _told(kind, "GET", messages, disconnected=disconnected) for kind in (ResponseCycle, RequestResponseCycle)
    ]
    assert ours == theirs

"""HTTP as nobody should write it, and as a server that is being stopped must still finish it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.postgres_user import eventually
from tests.support.process import PASSWORD, Ace, Process, read_to_end

_LOGIN = json.dumps({"email": "student@ace.example", "password": PASSWORD, "delivery": "body"}).encode()
_HEAD = b"POST /student/auth/login HTTP/1.1\r\nhost: ace.test\r\ncontent-type: application/json\r\n"
_SHORT_HEAD = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"


def _read(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(":", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value.strip() for name, value in headers.items()}, body


def _assert_problem(answer: bytes, status: int, code: str) -> None:
    found, headers, body = _read(answer)
    assert found == status, answer
    assert headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert {"type", "title", "detail"} <= set(problem)


def _chunked(body: bytes) -> bytes:
    return _HEAD + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + body


@pytest.fixture
def lively(served: Process) -> Iterator[Process]:
    """The shared server, which must answer in order after whatever it was sent."""
    yield served
    with served.client() as client:
        assert client.get("/readyz").status_code == 200
    assert served.running


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\nno colon here\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=[
        "TLS hello",
        "no request line",
        "unknown version",
        "header without colon",
        "NUL in header",
        "negative length",
        "two lengths",
        "length and chunks",
    ],
)
def test_what_is_no_request_is_refused_with_a_problem(lively: Process, request_bytes: bytes) -> None:
    _assert_problem(lively.exchange(request_bytes), 400, "request.malformed")


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}{}{}\r\n0\r\n\r\n", b"fffffffffffffffff\r\n{}"],
    ids=["size is no number", "longer than announced", "size overflows"],
)
def test_a_broken_chunked_body_is_refused_with_a_problem(lively: Process, body: bytes) -> None:
    _assert_problem(lively.exchange(_chunked(body)), 400, "request.malformed")


def test_a_whole_chunked_body_is_read(lively: Process) -> None:
    halves = _LOGIN[:10], _LOGIN[10:]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(half), half) for half in halves)
    assert _read(lively.exchange(_chunked(chunks + b"0\r\n\r\n")))[0] == 200


def test_a_chunked_body_that_grows_beyond_the_limit_is_refused(lively: Process) -> None:
    chunks = b"".join(b"10000\r\n%b\r\n" % (b"a" * 65_536) for _ in range(20))
    _assert_problem(lively.exchange(_chunked(chunks + b"0\r\n\r\n")), 413, "request.too_large")


def test_a_body_that_ends_early_is_nobody_s_request(lively: Process) -> None:
    """The client closes its side in the middle; nothing is left open."""
    with lively.connect() as connection:
        connection.sendall(_HEAD + b"content-length: 500\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        answer = read_to_end(connection)
    assert answer == b"" or _read(answer)[0] == 400


@pytest.mark.parametrize(
    "head",
    [
        _SHORT_HEAD + b"x-long: " + b"a" * 70_000 + b"\r\n\r\n",
        _SHORT_HEAD + b"".join(b"x-%d: y\r\n" % number for number in range(9_000)) + b"\r\n",
        _SHORT_HEAD + b"x-long: " + b"a" * 70_000,
        _SHORT_HEAD + b"x-long: " + b"a" * 600_000 + b"\r\n\r\n",
    ],
    ids=["one long header", "many headers", "never finished", "larger than the server reads at once"],
)
def test_too_large_a_head_is_refused_with_a_problem(lively: Process, head: bytes) -> None:
    _assert_problem(lively.exchange(head), 431, "request.headers_too_large")


def test_too_long_an_address_is_refused_with_a_problem(lively: Process) -> None:
    answer = lively.exchange(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert _read(answer)[0] in {400, 414, 431}
    _assert_problem(answer, _read(answer)[0], json.loads(_read(answer)[2])["code"])


def test_a_refusal_before_any_handler_names_its_request_as_every_other_does(lively: Process) -> None:
    _, headers, body = _read(lively.exchange(b"HELLO\r\n\r\n"))
    assert json.loads(body).get("instance")
    assert headers.get("x-request-id") == json.loads(body)["instance"]


def test_several_requests_on_one_connection_are_answered_in_turn(lively: Process) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
    last = b"GET /nowhere HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    answer = lively.exchange(request * 3 + last)
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.count(b"HTTP/1.1 404 ") == 1


def test_a_request_whose_body_is_on_its_way_is_answered_before_the_server_ends(installed: Callable[[], Ace]) -> None:
    """New connections are refused meanwhile."""
    with installed().serving() as process:
        with process.connect() as connection:
            connection.sendall(_HEAD + b"content-length: %d\r\n\r\n" % len(_LOGIN) + _LOGIN[:20])
            with process.client() as client:  # by the time this is answered the other request has begun
                assert client.get("/healthz").status_code == 200
            process.send(signal.SIGTERM)
            assert eventually(lambda: not _takes_connections(process))
            assert process.running
            connection.sendall(_LOGIN[20:])
            status, _, body = _read(read_to_end(connection))
            assert status == 200
            assert json.loads(body)["user"]["email"] == "student@ace.example"
        process.wait()


def _takes_connections(process: Process) -> bool:
    try:
        process.connect().close()
    except ConnectionRefusedError:
        return False
    return True

"""A server that is told to stop does not wait for those who watch exams, whether they read or not."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from entrypoints.server import SHUTDOWN_SECONDS
from tests.support.process import Ace, Process, bearer

_PLACES = 5
_UNTIL_NOTHING_IS_TAKEN = 14.0
# So many that what is told of them soon fills whatever keeps it for a reader who takes nothing.
_SESSIONS = """
with people as (
    insert into users (id, email, role, password_hash, created_at, updated_at)
    select 'usr_' || n, n || '@example.org', 'student', 'x', now(), now() from generate_series(1, 3000) n returning id
)
insert into exam_sessions (user_id, id, exam_package_id, tier_id, attempt_no, created_at, rules, status, started_at)
select people.id, 'exs_1', t.exam_package_id, t.id, 1, now(), '{}', 'active', now()
  from people, (select * from exam_package_tiers limit 1) t
"""


@pytest.fixture
def server(installed: Callable[[], Ace]) -> Iterator[Process]:
    with installed().serving() as process:
        yield process


def _watch(server: Process, token: str, *, room: int | None = None) -> socket.socket:
    """A connection on which the monitor has begun to tell; with little `room` for what is not read at once."""
    connection = server.connect() if room is None else _narrow(server, room)
    connection.sendall(_request(token))
    received = b""
    while b"event: snapshot" not in received:
        received += connection.recv(65_536 if room is None else room)
    assert b"content-type: text/event-stream" in received
    return connection


def _narrow(server: Process, room: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    return connection


def _request(token: str) -> bytes:
    return f"GET /admin/exam-sessions/monitor HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()


def _status(server: Process, token: str) -> bytes:
    with server.connect() as connection:
        connection.sendall(_request(token))
        return connection.recv(65_536)[9:12]


def test_open_streams_end_in_order_when_the_server_stops(server: Process) -> None:
    with server.client() as client:
        token = bearer(client, "admin")["authorization"]
    reading, silent = _watch(server, token), _watch(server, token)
    began = time.monotonic()
    server.send(signal.SIGTERM)
    rest = b""
    while part := reading.recv(65_536):
        rest += part
    assert rest.endswith(b"0\r\n\r\n"), "the answer is complete"
    assert server.wait() == 0
    assert time.monotonic() - began < SHUTDOWN_SECONDS, "it would wait so long for answers that end"
    assert server.complaints == []
    reading.close()
    silent.close()


def test_who_has_stopped_reading_gives_up_the_place_to_the_same_person_signed_in_again(
    installed: Callable[[], Ace],
) -> None:
    ace = installed()
    with ace.serving() as server, psycopg.connect(ace.database_url, autocommit=True) as database:
        database.execute(_SESSIONS)
        with server.client() as client:
            first = bearer(client, "admin")
            with _beating(database):
                silent = [_watch(server, first["authorization"], room=4096) for _ in range(_PLACES)]
                assert _status(server, first["authorization"]) == b"429"
                time.sleep(_UNTIL_NOTHING_IS_TAKEN)
                assert client.post("/admin/auth/logout", headers=first).is_success
                assert _status(server, bearer(client, "admin")["authorization"]) == b"200"
        for connection in silent:
            connection.close()


@contextmanager
def _beating(database: psycopg.Connection) -> Iterator[None]:
    """Every session changes all the time."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(0.5):
            database.execute("update exam_sessions set last_heartbeat_at = clock_timestamp()")

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()

"""What the benchmark measures and how: statements of the product, requests in order, and times without excuses."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import psycopg
import pytest

from benchmarks import scripts
from benchmarks.client import Chain, Load
from benchmarks.compare import compared
from benchmarks.content import SNAPSHOT_BYTES, snapshot
from benchmarks.driver import Driver, PacedDriver, Refused, accepted
from benchmarks.limit import statement
from benchmarks.measuring import Figures
from benchmarks.pacing import Paced
from benchmarks.people import STUDENTS
from benchmarks.report import Report

_STALL_SECONDS = 0.4


class _Answers:
    """A database that has seen one answer."""

    def execute(self, _: str) -> _Answers:
        return self

    def fetchone(self) -> tuple[str]:
        return ("{}",)


def test_every_parameter_of_a_measured_statement_has_a_value() -> None:
    connection = cast(psycopg.Connection, _Answers())
    every = [
        scripts.read_question(),
        scripts.read_paper("one", STUDENTS),
        scripts.list_papers(),
        scripts.list_questions(),
        scripts.list_people(),
        scripts.answer(connection, STUDENTS),
        scripts.heartbeat(),
        scripts.exam_answer(),
        scripts.refresh(),
        scripts.login(),
    ]
    for script in every:
        assert "%(" not in script.render()


def test_a_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="limit"):
        statement("enrollment/packages", "list_packages", text="null", after="null")


def test_every_snapshot_has_a_kibibyte_and_says_something_else() -> None:
    made = [snapshot(turn) for turn in (0, 7, 99, 100, 12_345)]

    assert {len(each) for each in made} == {SNAPSHOT_BYTES}
    assert len(set(made)) == len(made)


class _Seen:
    """A server that counts its requests; it stalls at one, refuses one or hangs up on everybody if it is to."""

    def __init__(self, *, stalls_at: int = 0, refuses_at: int = 0, hangs_up: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._stalls_at, self._refuses_at, self._hangs_up = stalls_at, refuses_at, hangs_up

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not self._hangs_up and (head := await _head(reader)):
                writer.write(await self._answer(head))
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        self.requests.append(head)
        number = len(self.requests)
        if number == self._stalls_at:
            await asyncio.sleep(_STALL_SECONDS)
        status = b"503 No" if number == self._refuses_at else b"200 OK"
        body = b'{"next":"%d"}' % number
        return b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


@contextmanager
def _served(seen: _Seen) -> Iterator[int]:
    """The server's port."""
    listening: queue.Queue[tuple[int, Callable[[], object]]] = queue.Queue()

    async def live() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(seen.serve, "127.0.0.1", 0) as server:
            listening.put((server.sockets[0].getsockname()[1], partial(loop.call_soon_threadsafe, over.set)))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    port, end = listening.get()
    try:
        yield port
    finally:
        end()
        thread.join()


def _request(path: str) -> bytes:
    return f"GET /{path} HTTP/1.1\r\n\r\n".encode()


def test_a_round_goes_on_where_the_last_one_ended() -> None:
    seen, requests = _Seen(), [_request(str(number)) for number in range(5)]
    with _served(seen) as port, Driver(Load(host="127.0.0.1", port=port, streams=[requests])) as driver:
        first = driver.run(0.0)
        rest = driver.run(5.0)

    assert (len(first.latencies), len(rest.latencies)) == (1, 4)
    assert seen.requests == requests
    assert seen.connections == 1


def test_a_link_of_a_chain_carries_what_the_last_answer_said() -> None:
    seen = _Seen()
    chain = Chain(request=_request("after-?"), placeholder=b"?", before=b'"next":"', after=b'"')
    load = Load(host="127.0.0.1", port=0, streams=[[_request("first")]], chain=chain)
    with _served(seen) as port, Driver(msgspec.structs.replace(load, port=port)) as driver:
        for _ in range(3):
            driver.run(0.0)

    assert seen.requests == [_request("first"), _request("after-1"), _request("after-2")]


def test_a_refused_request_is_no_figure() -> None:
    told = r"read: 1 answers, .* 1 refused, the first with\n.*503"
    with _served(_Seen(refuses_at=2)) as port:
        load = Load(host="127.0.0.1", port=port, streams=[[_request("a"), _request("b")]])
        with Driver(load) as driver, pytest.raises(Refused, match=told):
            accepted(driver.run(5.0), "read")


def test_whoever_was_due_while_the_server_stood_still_tells_of_it() -> None:
    """One request of forty takes 0.4 s; the forty that were due on that connection meanwhile waited for it as well."""
    paced = Paced(host="127.0.0.1", port=0, rate=100.0, seconds=0.6, heads=[_request("beat")], bodies=[b""])
    with _served(_Seen(stalls_at=10)) as port, PacedDriver(msgspec.structs.replace(paced, port=port)) as driver:
        assert driver.wait_until_connected() == 1
        driver.start()
        outcome = driver.outcome()

    assert (outcome.due, len(outcome.latencies), outcome.unanswered) == (60, 60, 0)
    waited = [latency for latency in outcome.latencies if latency > _STALL_SECONDS / 4]
    assert len(waited) >= 25


def test_a_connection_that_is_lost_counts_and_what_was_due_on_it_is_unanswered() -> None:
    paced = Paced(
        host="127.0.0.1", port=0, rate=50.0, seconds=0.1, heads=[_request("beat")] * 2, bodies=[b""], patience=3.0
    )
    with _served(_Seen(hangs_up=True)) as port, PacedDriver(msgspec.structs.replace(paced, port=port)) as driver:
        driver.wait_until_connected()
        driver.start()
        outcome = driver.outcome()

    assert (outcome.lost, outcome.unanswered) == (2, 5)


def test_two_runs_are_compared_by_operation() -> None:
    before, after = _report("one", server_us=400.0, ratio=4.0), _report("two", server_us=100.0, ratio=1.3)

    lines = "\n".join(compared(before, after))

    assert "one (then) → two (then)" in lines
    assert "500 → 200" in lines
    assert "-60%" in lines
    assert "4.00 → 1.30" in lines
    assert "different machines" not in lines


def test_figures_of_another_machine_are_told_from_those_of_this_one() -> None:
    before, after = _report("one", server_us=400.0, ratio=4.0), _report("two", server_us=100.0, ratio=1.3)
    after.machine = {"cores": "64"}

    assert "different machines" in "\n".join(compared(before, after))


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    report = _report("one", server_us=400.0, ratio=4.0)

    report.write(tmp_path / "new" / "report.json")

    assert msgspec.json.decode((tmp_path / "new" / "report.json").read_bytes(), type=Report) == report


def _report(commit: str, *, server_us: float, ratio: float) -> Report:
    figures = Figures(
        name="question read",
        per_second=1.0,
        p50_ms=1.0,
        p99_ms=2.0,
        server_us=server_us,
        postgres_us=100.0,
        client_us=10.0,
        wal_bytes=0.0,
        limit_us=125.0,
        limit_per_second=1.0,
        ratio=ratio,
        least=ratio,
        most=ratio,
        rounds=1,
    )
    return Report(commit=commit, at="then", machine={"cores": "2"}, postgres={}, settings={}, operations=[figures])

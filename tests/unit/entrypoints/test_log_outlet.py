"""Log lines never wait for whoever reads them; what nobody takes is dropped, and told."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pytest

from entrypoints.http.log_outlet import Outlet
from tests.support.postgres_user import eventually
from tests.support.time_limit import ended_after

_LINE: Final = b"x" * 99 + b"\n"
_SOURCES: Final = Path(__file__).parents[3] / "src"
_PROGRAM: Final = """
import logging, sys
from entrypoints.http.logs import AccessLog, configure_logging
configure_logging()
log = AccessLog()
for number in range(20_000):
    log._lines.append(b"x" * 99)
    log.flush()
    logging.getLogger("a").warning("y" * 99)
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, IO[bytes]]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "wb", buffering=0) as stream:
        yield reading, stream
    os.close(reading)


def _read(descriptor: int) -> bytes:
    found = b""
    try:
        while part := os.read(descriptor, 1 << 20):
            found += part
    except BlockingIOError:
        pass
    return found


def _more(found: list[bytes], descriptor: int) -> bytes:
    """All until now."""
    found.append(_read(descriptor))
    return b"".join(found)


def test_what_is_read_comes_at_once_and_whole(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1])
    for _ in range(3):
        outlet.write(_LINE * 300)
        assert _read(pipe[0]) == _LINE * 300
    outlet.write("ü\n")
    assert _read(pipe[0]) == "ü\n".encode()


def test_a_reader_who_has_stopped_is_not_waited_for_and_gets_what_was_kept(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1], most=1_000_000)
    with ended_after():
        for _ in range(100):
            outlet.write(_LINE * 200)
    told = _read(pipe[0])
    for _ in range(50):
        outlet.write(_LINE)
        told += _read(pipe[0])
    lines = told.split(b"\n")
    dropped = [line for line in lines if b"dropped" in line]
    assert len(dropped) == 1
    assert set(lines) - set(dropped) <= {_LINE[:-1], b""}
    kept, lost = lines.count(_LINE[:-1]), int(dropped[0].split(b'message":"')[1].split()[0])
    assert kept >= 10_000
    assert kept + lost == 100 * 200 + 50


def test_no_more_is_kept_than_allowed_and_no_line_is_cut(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1], most=10_000)
    with ended_after():
        for _ in range(5_000):
            outlet.write(_LINE)
    assert len(outlet._kept) <= 10_000
    assert set(_read(pipe[0]).split(b"\n")) == {_LINE[:-1], b""}


def test_a_reader_who_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as stream:
        outlet = Outlet(stream)
        os.close(reading)
        for _ in range(20_000):
            outlet.write(_LINE)


def test_a_full_disk_is_no_error() -> None:
    with Path("/dev/full").open("wb", buffering=0) as stream:
        outlet = Outlet(stream)
        for _ in range(100):
            outlet.write(_LINE)


def test_a_file_gets_everything_in_one_piece(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as stream:
        outlet = Outlet(stream)
        outlet.write(_LINE * 1_000)
        assert (tmp_path / "log").read_bytes() == _LINE * 1_000


def test_a_stream_that_is_no_file_is_written_to() -> None:
    stream: Any = io.StringIO()
    Outlet(stream).write(b"hello\n")
    assert stream.getvalue() == "hello\n"


def test_at_the_end_what_is_left_has_a_moment_to_be_taken(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1])
    with ended_after():
        outlet.write(_LINE * 5_000)
        outlet.end()
    taken = _read(pipe[0])
    outlet.end()
    assert (taken + _read(pipe[0])).count(_LINE) > taken.count(_LINE)


def test_neither_log_waits_for_its_reader() -> None:
    """The process comes to its end though nobody reads."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={"PYTHONPATH": str(_SOURCES), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        output, errors = process.communicate()
    assert output.count(b"\n") > 100
    assert errors.count(b"\n") > 100


def test_what_was_kept_goes_without_another_line(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1])
    lines = _LINE * 3_000
    outlet.write(lines)
    found: list[bytes] = []
    assert eventually(lambda: len(_more(found, pipe[0])) == len(lines))
    outlet.write(_LINE)
    assert _read(pipe[0]) == _LINE


def test_a_batch_is_dropped_only_behind_another(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as stream:
        Outlet(stream, most=1000).write(_LINE * 100)
    assert (tmp_path / "log").read_bytes() == _LINE * 100


def test_whoever_reads_again_gets_the_next_line_at_once(pipe: tuple[int, IO[bytes]]) -> None:
    outlet = Outlet(pipe[1], most=100_000)
    outlet.write(_LINE * 1_500)
    _read(pipe[0])
    outlet.write(b"next\n" + _LINE * 500)
    found: list[bytes] = []
    assert eventually(lambda: b"next\n" in _more(found, pipe[0]))
    assert b"dropped" not in _more(found, pipe[0])

"""Log lines are JSON, leave together, and name the request they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

from application.request_context import RequestContext, request_context
from entrypoints.http.logs import AccessLine, AccessLog, JsonFormatter, now
from tests.support.http import LogLines


def line(number: int) -> AccessLine:
    return AccessLine(
        time=now(), level="info", message="request", request_id=str(number), method="GET", route="/", status=200, ms=1.5
    )


async def test_lines_are_written_by_themselves_a_moment_later() -> None:
    written = asyncio.Event()
    lines = LogLines()

    def write(text: bytes) -> None:
        lines.write(text)
        written.set()

    log = AccessLog(write)
    log.add(line(1))
    log.add(line(2))
    assert lines.text == b""
    await asyncio.wait_for(written.wait(), 5)
    assert [each["requestId"] for each in lines.lines()] == ["1", "2"]


async def test_two_hundred_lines_do_not_wait() -> None:
    lines = LogLines()
    log = AccessLog(lines.write)
    for number in range(200):
        log.add(line(number))
    assert len(lines.lines()) == 200
    log.flush()
    assert len(lines.lines()) == 200


def test_a_record_is_one_line_with_the_request_and_the_trace() -> None:
    token = request_context.set(RequestContext(request_id="req-1"))
    error = ValueError("first\nsecond")
    record = logging.LogRecord("ace", logging.ERROR, __file__, 1, "failed %s", ("twice",), (ValueError, error, None))
    text = JsonFormatter().format(record)
    request_context.reset(token)
    assert "\n" not in text
    told = json.loads(text)
    assert (told["level"], told["logger"], told["message"], told["requestId"]) == (
        *("error", "ace", "failed twice", "req-1"),
    )
    assert "ValueError: first" in told["trace"]


def test_outside_a_request_there_is_no_request_id() -> None:
    record = logging.LogRecord("ace", logging.INFO, __file__, 1, "started", (), None)
    assert set(json.loads(JsonFormatter().format(record))) == {"time", "level", "logger", "message"}


def test_a_server_process_logs_json_to_standard_error_and_requests_to_standard_output() -> None:
    script = (
        "import logging; from entrypoints.http.logs import *; configure_logging();"
        "logging.getLogger('x').info('hello');"
        "log = AccessLog(); log._lines.append(b'{}'); log.flush()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"{}\n"
    assert json.loads(done.stderr)["message"] == "hello"

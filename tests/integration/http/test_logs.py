"""Log lines are JSON, leave together, and name the request they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

import pytest

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


_JOBS = """
import asyncio, logging
from procrastinate import App
from procrastinate.testing import InMemoryConnector
from entrypoints.http.logs import configure_logging

configure_logging(logging.%s)
app = App(connector=InMemoryConnector())

@app.task(name="mail")
async def mail(to, links, timestamp):
    if timestamp:
        raise ValueError(f"cannot tell {to!r} of {links['reset']}")

async def main():
    async with app.open_async():
        for timestamp in (0, 1):
            await mail.defer_async(to="zoë@school.test", links={"reset": "tok-4711"}, timestamp=timestamp)
        await app.run_worker_async(wait=False, install_signal_handlers=False)

asyncio.run(main())
"""


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_job_that_fails_is_told_without_its_arguments_and_one_that_succeeds_not_at_all(level: str) -> None:
    """They are addresses of mail and one-time tokens; the real queue has them in every line and every traceback."""
    done = subprocess.run([sys.executable, "-c", _JOBS % level], capture_output=True, text=True, check=True)
    lines = [json.loads(each) for each in done.stderr.splitlines()]
    (told,) = (each for each in lines if each["logger"] == "procrastinate.worker")
    assert told["level"] == "error"
    assert told["message"].startswith("Job mail[2] ended with status: Error, lasted ")
    assert "ValueError: cannot tell '[hidden]' of [hidden]" in told["trace"]
    for secret in ("school.test", "tok-4711"):
        assert secret not in done.stderr + done.stdout


def test_other_loggers_keep_what_they_say() -> None:
    record = logging.LogRecord("ace", logging.ERROR, __file__, 1, "kept: 4711", (), None)
    record.job = {"call_string": "kept", "task_kwargs": {"a": "4711"}, "task_name": "t", "id": 1}
    assert json.loads(JsonFormatter().format(record))["message"] == "kept: 4711"

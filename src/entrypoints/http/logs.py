"""JSON logs: one line for each request, and one for whatever the program has to say."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from application.request_context import request_context
from entrypoints.http.log_outlet import Outlet

_FLUSH_SECONDS: Final = 0.2
_FLUSH_LINES: Final = 200
_JOBS: Final = "procrastinate"
_TELLING_CHARACTERS: Final = 4  # a shorter argument is no address and no token, but may be part of any word
_HIDDEN: Final = "[hidden]"
_encode = msgspec.json.Encoder().encode


class AccessLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is told of a request. Never a body, a cookie, a query string, a token or an e-mail address."""

    time: datetime
    level: str
    message: str
    request_id: str
    method: str
    route: str
    status: int
    ms: float
    user_id: str | None = None
    trace: str | None = None


class AccessLog:
    """Gathers lines and writes them together, a fifth of a second later at most: one system call for many requests."""

    def __init__(self, write: Callable[[bytes], object] | None = None) -> None:
        self._write = write or Outlet(sys.stdout).write
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: AccessLine) -> None:
        self._lines.append(_encode(line))
        if len(self._lines) >= _FLUSH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Writes what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"\n".join(lines) + b"\n")


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON with the id of the request that was being served, and with its `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        hide = _hiding_arguments_of(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide(record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if (request_id := request_context.get().request_id) is not None:
            line["requestId"] = request_id
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = hide("".join(traceback.format_exception(record.exc_info[1])))
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(level: int = logging.INFO) -> None:
    """Sends everything that is logged to standard error as JSON. Called once by a process that serves or works.

    Of jobs only what goes wrong is told: the lines about their ordinary course carry their arguments.
    """
    handler = logging.StreamHandler(Outlet(sys.stderr))
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger(_JOBS).setLevel(max(level, logging.WARNING))


def hand_over() -> None:
    """Gives what was logged a second to be taken; for a process that is about to end without order."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, Outlet):
            handler.stream.end()


def now() -> datetime:
    """The time of a log line."""
    return datetime.fromtimestamp(time.time(), UTC)


def _hiding_arguments_of(record: logging.LogRecord) -> Callable[[str], str]:
    """What takes the arguments of a job out of a text: among them are addresses of mail and one-time tokens."""
    job = getattr(record, "job", None)
    if not record.name.startswith(_JOBS) or not isinstance(job, dict):
        return str
    call, name = str(job.get("call_string")), f"{job.get('task_name')}[{job.get('id')}]"
    told = sorted({text for text in _texts(job.get("task_kwargs")) if len(text) >= _TELLING_CHARACTERS}, key=len)

    def hide(text: str) -> str:
        text = text.replace(call, name)
        for argument in reversed(told):
            text = text.replace(argument, _HIDDEN)
        return text

    return hide


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, also as a traceback would quote it."""
    if isinstance(value, str):
        yield from (value, repr(value)[1:-1])
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)

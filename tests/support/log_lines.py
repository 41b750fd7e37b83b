"""What the program logs, as an operator gets it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from entrypoints.http.logs import JsonFormatter

_CLIENT = "httpx"  # of the tests, which tells what it asks
_JOBS = "procrastinate"  # which tells only what goes wrong, wherever Ace serves


class JsonLines(logging.Handler):
    """The lines of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.addFilter(_is_told)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def taken(self) -> list[dict[str, Any]]:
        """Those since the last look."""
        texts, self.texts = self.texts, []
        assert not [text for text in texts if "\n" in text], "one line each"
        return [json.loads(text) for text in texts]


def _is_told(record: logging.LogRecord) -> bool:
    goes_well = record.levelno < logging.WARNING
    return not record.name.startswith(_CLIENT) and not (record.name.startswith(_JOBS) and goes_well)


@contextmanager
def logged(name: str | None = None) -> Iterator[JsonLines]:
    """What this logger, or every logger, is told in the block."""
    lines, logger = JsonLines(), logging.getLogger(name)
    level = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(level)

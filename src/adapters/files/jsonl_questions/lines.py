"""Lines of bytes of bounded length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

MAX_LINE: Final = 4 * 1024 * 1024
"""Bytes; four times the largest question that the limits on texts allow."""


def numbered_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file, counted from 1; None for one that is too long, of which nothing is kept."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)
        yield number, None

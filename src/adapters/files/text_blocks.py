"""Records of text formats: lines up to an empty one, with the number of their first line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Final

from adapters.files.csv_questions.decoding import MAX_RECORD, RecordTooLong, has_stray_bytes, open_text
from domain.question_bank.import_refusals import EmptyFile
from domain.question_bank.imported import trimmed

_CHUNK: Final = 256 * 1024

_TOO_LONG = (
    "record_too_long",
    f"No empty line within {MAX_RECORD} characters: this is no question.",
)
_UNDECODABLE = ("undecodable", "A byte means nothing in the encoding of the file.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines without their ends. A `fault` (code, message) stands for a block that cannot be read; it has no lines."""

    line: int
    lines: tuple[str, ...] = ()
    fault: tuple[str, str] | None = None

    def beginning(self) -> str:
        """Of the block as it stands in the file."""
        return "\n".join(self.lines)


def blocks_of(
    file: IO[bytes],
    *,
    encoding: str | None = None,
    closes: Callable[[str], bool] = lambda line: False,
    stands_alone: Callable[[str], bool] = lambda line: False,
) -> Iterator[Block]:
    """The blocks of a file; memory holds one. Strict in its encoding: the BOM decides, else UTF-8.

    `closes` tells the line that ends a block without an empty one, `stands_alone` one that is a block by itself.
    """
    gathering = _Gathering()
    number = 0
    try:
        for number, line in enumerate(_lines(file, encoding), start=1):
            if not line:
                yield from gathering.done()
            elif stands_alone(line):
                yield from gathering.done()
                gathering.add(number, line)
                yield from gathering.done()
            else:
                gathering.add(number, line)
                if closes(line):
                    yield from gathering.done()
    except RecordTooLong:
        yield from gathering.done()
        yield Block(line=number + 1, fault=_TOO_LONG)
        return
    if not number:
        raise EmptyFile
    yield from gathering.done()


class _Gathering:
    """The block that is being read."""

    __slots__ = ("_first", "_lines", "_size", "_stray")

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._first = self._size = 0
        self._stray = False
        self._lines: list[str] = []

    def add(self, number: int, line: str) -> None:
        self._first = self._first or number
        self._size += len(line)
        self._stray = self._stray or (not line.isascii() and has_stray_bytes(line))
        if self._size > MAX_RECORD:
            self._lines.clear()
        else:
            self._lines.append(line)

    def done(self) -> Iterator[Block]:
        if not self._first:
            return
        fault = _TOO_LONG if self._size > MAX_RECORD else _UNDECODABLE if self._stray else None
        yield Block(line=self._first, lines=() if fault else tuple(self._lines), fault=fault)
        self._start()


def _lines(file: IO[bytes], encoding: str | None) -> Iterator[str]:
    """Lines without the blanks at their end; "" for those that hold nothing else."""
    for line in open_text(iter(lambda: file.read(_CHUNK), b""), encoding).lines:
        yield line.rstrip("\r\n") if trimmed(line) else ""

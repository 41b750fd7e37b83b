"""From chunks of bytes to physical lines. Nothing is lost on the way: undecodable bytes travel on as U+DC00 + byte."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import chain
from typing import Final

BLOCK_BYTES: Final = 64 * 1024
MAX_RECORD: Final = 4 * 1024 * 1024
"""Characters; four times the largest record that the limits on texts allow."""

_KEEP_BYTES: Final = "adapters.files.keep-bytes"
_STRAY: Final = re.compile("[\ud800-\udfff]")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class RecordTooLong(Exception):
    """A line or a quoted cell does not end within `MAX_RECORD` characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """The lines of a file with their own ends; `guesses` when stray bytes are to be read as cp1252."""

    encoding: str
    guesses: bool
    lines: Iterator[str]


def open_text(chunks: Iterable[bytes], encoding: str | None) -> TextSource:
    """Decide the encoding by the override, else by the BOM, else UTF-8 in which stray bytes are cp1252."""
    blocks = _blocks(chunks)
    head = next(blocks, b"")
    by_bom = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    name = encoding or by_bom or "utf-8"
    return TextSource(
        encoding=name,
        guesses=encoding is None and by_bom is None,
        lines=_lines(_decoded(chain([head], blocks), name)),
    )


def mend(cells: Sequence[str], *, guesses: bool) -> tuple[list[str], int, list[int]]:
    """The cells with stray bytes read as cp1252, how many there were, and the places of cells that cannot be read."""
    mended: list[str] = []
    unreadable: list[int] = []
    guessed = 0
    for place, cell in enumerate(cells):
        # The built-in way to leave them out: a list of millions of them would take a gigabyte.
        stray = 0 if cell.isascii() else len(cell) - len(cell.encode("utf-8", "ignore").decode("utf-8"))
        text = cell.translate(_CP1252) if stray and guesses else cell
        if stray and _STRAY.search(text):
            unreadable.append(place)
        elif stray:
            guessed += stray
        mended.append(text)
    return mended, guessed, unreadable


def has_stray_bytes(text: str) -> bool:
    return _STRAY.search(text) is not None


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of any size as blocks of one size: tiny ones would cost time, huge ones memory."""
    gathered = bytearray()
    for chunk in chunks:
        for start in range(0, len(chunk), BLOCK_BYTES):
            gathered += chunk[start : start + BLOCK_BYTES]
            if len(gathered) >= BLOCK_BYTES:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[str]:
    # Both handlers do the same; the built-in one is fast, but knows encodings only whose ASCII bytes are ASCII.
    utf8 = codecs.lookup(encoding).name.startswith("utf-8")
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape" if utf8 else _KEEP_BYTES)
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", True)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Split at CR LF, LF and CR only, as CSV does, and never between a CR and its LF."""
    rest: list[str] = []
    for text in filter(None, texts):
        # A final CR may be half of a CR LF, so only LF proves that the last line is complete.
        ended = "\n" in text or "\r" in text or (rest and rest[-1].endswith("\r"))
        rest.append(text)
        lines = StringIO("".join(rest), newline="").readlines() if ended else []
        if lines:
            rest = [] if lines[-1].endswith("\n") else [lines.pop()]
        if sum(map(len, rest)) > MAX_RECORD:
            raise RecordTooLong
        yield from lines
    if last := "".join(rest):
        yield last


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join([chr(0xDC00 + byte) for byte in error.object[error.start : error.end]]), error.end


def _cp1252_of_stray_bytes() -> dict[int, str]:
    # 81, 8D, 8F, 90 and 9D mean nothing in cp1252 and stay what they are.
    return {0xDC00 + byte: text for byte in range(0x80, 0x100) if (text := bytes([byte]).decode("cp1252", "ignore"))}


_CP1252: Final = _cp1252_of_stray_bytes()
codecs.register_error(_KEEP_BYTES, _keep_bytes)

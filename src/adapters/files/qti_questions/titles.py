"""The title of a document of QTI 1.2: that of its assessment, or of the bank that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

_PIECE: Final = 1024
_FURTHEST: Final = 1024 * 1024
"""Bytes: the title stands before the first item, and whoever puts more in front of it has none."""


def title_of(file: IO[bytes]) -> str:
    """Reads no further than the first item. What is wrong with the file is for its real reading to find."""
    target = _Title()
    parser: Any = DefusedXMLParser(target=target)
    with suppress(ParseError, DefusedXmlException, ValueError, LookupError):
        for piece in _pieces(file):
            parser.feed(piece)
            if target.done:
                break
    return target.title.strip()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    read = 0
    while read < _FURTHEST and (chunk := file.read(_PIECE)):
        read += len(chunk)
        # A file may give more than it was asked for.
        yield from (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))


class _Title:
    """Listens to the parser until the first item."""

    def __init__(self) -> None:
        self.title = ""
        self.done = False
        self._text = ""
        self._label = ""
        self._is_first = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("}")[2]
        self._text = ""
        if tag == "assessment":
            self.title = self.title or attributes.get("title", "")
        self.done |= tag == "item" or (self._is_first and tag != "questestinterop")
        self._is_first = False

    def data(self, text: str) -> None:
        self._text += text

    def end(self, name: str) -> None:
        tag = name.rpartition("}")[2]
        if self.done:
            return
        if tag == "fieldlabel":
            self._label = self._text.strip().lower()
        elif tag == "fieldentry" and self._label == "bank_title":
            self.title = self.title or self._text

    def close(self) -> None:
        """The parser calls it at the end of a whole document."""

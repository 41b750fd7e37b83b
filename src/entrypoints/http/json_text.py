"""What must be true of JSON text before it is decoded: UTF-8, not too deep, and only characters that can be stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from domain.errors import FieldProblem, InvalidInput
from entrypoints.http.field_problems import pointer_token
from entrypoints.http.refusals import MalformedRequest

DEPTH_LIMIT = 32

# The closing quote is optional and nothing is given back, so that hostile text costs linear time.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# One opening after the other with nothing closed in between, as nearly all deep nesting is: told at a glance.
_STRAIGHT_DOWN = re.compile(
    rb'(?:[\[{][^\[\]{}"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^\[\]{}"]*+)*+){%d}' % (DEPTH_LIMIT + 1), re.DOTALL
)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
# NUL, and both halves of surrogate pairs: whether a half is alone is told after parsing.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def refuse_unreadable(text: bytes) -> None:
    """Raises `MalformedRequest` for text that is no JSON to us, `InvalidInput` for characters that cannot be stored.

    What is cheap to see is looked for first: ordinary bodies cost three searches for one byte.
    """
    if not text.isascii():
        _refuse_broken_encoding(text)
    if text.count(b"[") + text.count(b"{") > DEPTH_LIMIT and _nests_too_deep(text):
        raise MalformedRequest(f"The JSON is broken or nests deeper than {DEPTH_LIMIT} levels")
    if b"\\u" in text and _SUSPECT.search(text):
        _refuse_unstorable(text)


def storable(text: str) -> bool:
    """Whether the text is free of NUL and lone surrogates, which PostgreSQL cannot hold."""
    return _UNSTORABLE.search(text) is None


def without_strings(text: bytes) -> bytes:
    """The text without its strings: brackets, literals and numbers are left."""
    if b"\\" in text:
        return _STRING.sub(b"", text)
    # Where no quote is escaped every second piece is a string: ten times quicker.
    return b"".join(text.split(b'"')[::2])


def _refuse_broken_encoding(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        raise MalformedRequest("The body is not UTF-8") from None


def _nests_too_deep(text: bytes) -> bool:
    """Takes away the innermost brackets once for each allowed level; what is then left was deeper, or unbalanced."""
    if _STRAIGHT_DOWN.match(text.lstrip()):
        return True
    brackets = without_strings(text).translate(_AS_SQUARE, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == before:
            break
    return bool(brackets)


def _refuse_unstorable(text: bytes) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        return  # not JSON: the decoder says why
    found = next(_unstorable(document, ""), None)
    if found is not None:
        message = "NUL characters and lone surrogates are not allowed"
        raise InvalidInput(message, problems=(FieldProblem(found, "forbidden_character", message),))


def _unstorable(value: object, pointer: str) -> Iterator[str]:
    """Pointers to the texts that cannot be stored; a bad name of a field is told by the object that has it."""
    if isinstance(value, str) and not storable(value):
        yield pointer
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if not storable(name):
                yield pointer
            yield from _unstorable(item, pointer + pointer_token(name))

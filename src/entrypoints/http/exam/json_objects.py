"""JSON objects that clients leave with us as they are: snapshots of their state, payloads of events."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from entrypoints.http.json_text import without_strings
from entrypoints.http.refusals import invalid

# The decoder has checked the grammar. What it does not see: PostgreSQL writes a number out in full when it is read, so
# that a few characters with a large exponent would come back as very many.
_LIKE_EXPONENT: Final = re.compile(rb"[0-9][eE][+-]?[0-9]")
_EXPONENT: Final = re.compile(rb"[eE][+-]?0*([0-9]{1,3})")
_MOST_ZEROS: Final = 65_536
_VAST: Final = re.compile(
    rb"[eE](?:\+?0*(?:[1-9][0-9]{3}|[4-9][0-9]{2}|3[1-9][0-9]|309)"
    rb"|-0*(?:[1-9][0-9]{3}|[4-9][0-9]{2}|3[3-9][0-9]|32[5-9]))"
)
_ABSENT: Final = (b"", b"null")


def json_object(raw: msgspec.Raw, pointer: str) -> bytes | None:
    """The text of an object; None where none was sent.

    Refuses all other values, numbers beyond any double, and exponents that stand for very many zeros together.
    """
    text = bytes(raw)
    if text in _ABSENT:
        return None
    if not text.startswith(b"{"):
        raise invalid(pointer, "wrong_type", "Expected `object`")
    if _LIKE_EXPONENT.search(text):
        _refuse_vast(without_strings(text), pointer)
    return text


def _refuse_vast(numbers: bytes, pointer: str) -> None:
    if _VAST.search(numbers):
        raise invalid(pointer, "out_of_range", "Numbers have exponents from -324 to 308")
    if sum(int(exponent) for exponent in _EXPONENT.findall(numbers)) > _MOST_ZEROS:
        raise invalid(pointer, "out_of_range", f"Exponents come to {_MOST_ZEROS} zeros at most, all together")

"""JSON objects that clients leave with us as they are: snapshots of their state, payloads of events."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from entrypoints.http.json_text import without_strings
from entrypoints.http.refusals import invalid

# The decoder has checked the grammar. What it does not see: PostgreSQL writes a number out in full when it is read, so
# that a few characters with a large exponent would come back as very many.
# Strings may look like such numbers: whether anything does is told at a glance, with all digits alike and no signs.
_ALIKE: Final = bytes.maketrans(b"0123456789E", b"0000000000e")
_SIGNS: Final = b"+-"
_LIKE_EXPONENT: Final = b"0e0"
_LIKE_LARGE_EXPONENT: Final = b"0e000"
_EXPONENT: Final = re.compile(rb"[eE][+-]?0*([0-9]{1,3})")
_MOST_ZEROS: Final = 65_536
# Up to this length exponents of two digits cannot come to as many: each takes four characters at least.
_SHORT: Final = 4 * _MOST_ZEROS // 99
_VAST: Final = re.compile(
    rb"[eE](?:\+?0*(?:[1-9][0-9]{3}|[4-9][0-9]{2}|3[1-9][0-9]|309)"
    rb"|-0*(?:[1-9][0-9]{3}|[4-9][0-9]{2}|3[3-9][0-9]|32[5-9]))"
)
# PostgreSQL keeps 16,383 digits after the point, and the exponent may move it by 324. Before the point it keeps more
# than an object that is taken has.
_MOST_DIGITS: Final = 16_383 - 324
_LONG: Final = re.compile(rb"\.[0-9]{%d}" % (_MOST_DIGITS + 1))
# So many digits in a row are seen by whoever looks at every thousandth letter.
_STRIDE: Final = 1_000
_LIKE_LONG: Final = b"0" * (_MOST_DIGITS // _STRIDE)
_ABSENT: Final = (b"", b"null")


def json_object(raw: msgspec.Raw, pointer: str) -> bytes | None:
    """The text of an object; None where none was sent.

    Refuses all other values, numbers beyond any double, exponents that stand for very many zeros together, and numbers
    with more digits after the point than PostgreSQL keeps.
    """
    text = bytes(raw)
    if text in _ABSENT:
        return None
    if not text.startswith(b"{"):
        raise invalid(pointer, "wrong_type", "Expected `object`")
    like = _LIKE_LARGE_EXPONENT if len(text) <= _SHORT else _LIKE_EXPONENT
    alike = text.translate(_ALIKE, _SIGNS)
    if like in alike or _LIKE_LONG in alike[::_STRIDE]:
        _refuse_vast(without_strings(text), pointer)
    return text


def _refuse_vast(numbers: bytes, pointer: str) -> None:
    if _VAST.search(numbers):
        raise invalid(pointer, "out_of_range", "Numbers have exponents from -324 to 308")
    if _LONG.search(numbers):
        raise invalid(pointer, "out_of_range", f"Numbers have {_MOST_DIGITS} digits after the point at most")
    if sum(int(exponent) for exponent in _EXPONENT.findall(numbers)) > _MOST_ZEROS:
        raise invalid(pointer, "out_of_range", f"Exponents come to {_MOST_ZEROS} zeros at most, all together")

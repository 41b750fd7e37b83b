"""How cookies are spelt at the better-auth door: what a `Cookie` header says, and one `Set-Cookie` line.

A value travels percent-encoded as JavaScript's `encodeURIComponent` writes it; one that came without is read all the
same. The client library keeps to these spellings, so they are told to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

_UNRESERVED: Final = "-_.!~*'()"


def first_of_each(header: str) -> dict[str, str]:
    """The cookies of a header by name; of several with one name the first."""
    found: dict[str, str] = {}
    for name, value in _pairs(header):
        found.setdefault(name, decoded(value[1:-1] if value.startswith('"') else value))
    return found


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            yield name.strip(), value.strip()


def decoded(text: str) -> str:
    """The text behind percent signs; where they make no sense, the text as it is."""
    if "%" not in text:
        return text
    if not all(_is_escape(text, position) for position, character in enumerate(text) if character == "%"):
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return text


def _is_escape(text: str, position: int) -> bool:
    digits = text[position + 1 : position + 3]
    return len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits)


def encoded(text: str) -> str:
    """The text as `encodeURIComponent` writes it."""
    return quote(text, safe=_UNRESERVED)


def set_cookie(name: str, value: str, *, secure: bool, max_age: int | None = None) -> str:
    """The line that sets a cookie that scripts cannot read; without an age it lasts until the browser is closed."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={encoded(value)}{age}; Path=/; HttpOnly{'; Secure' if secure else ''}; SameSite=Lax"

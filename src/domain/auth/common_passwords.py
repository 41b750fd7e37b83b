"""The passwords that are tried first, and the form in which they are compared.

The list, `common-passwords.txt`, has one folded password a line, those that are met most often first.
`scripts/common_passwords.py` compiles it from what became public in breaches.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files


def folded(text: str) -> str:
    """The text without regard to case and width. It is composed last, because folding the case may undo that."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def is_common(password: str) -> bool:
    """Whether this folded password, as a whole, is among those that are tried first."""
    return password in _common()


def listed() -> list[str]:
    """The list in its order."""
    return files("domain.auth").joinpath("common-passwords.txt").read_text(encoding="utf-8").splitlines()


@cache
def _common() -> frozenset[str]:
    # Read when the first password is chosen: most processes never need it, and those that serve start without it.
    return frozenset(listed())

"""When two short answers say the same. Spelling counts; capitals, blanks and the encoding of accents do not."""

from __future__ import annotations

import unicodedata

LONGEST_ANSWER = 1000
"""Characters; also what keeps composing hostile texts cheap."""


def as_written(text: str) -> str:
    """The answer as it is kept and shown again: NFC, trimmed, every run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def as_compared(text: str) -> str:
    """The spelling in which answers are compared. Folding may take a text out of NFC, hence twice."""
    return as_written(as_written(text).casefold())

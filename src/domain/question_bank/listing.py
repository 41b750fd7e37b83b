"""What a list shows of a question: an excerpt instead of its text."""

from __future__ import annotations

import html
import re
from typing import Final

from domain.question_bank.imported import TextFormat

LONGEST_EXCERPT: Final = 200
"""Characters."""
LONGEST_QUERY: Final = 1000
"""Characters of a search; a longer one is refused where it comes in."""
EXCERPT_SOURCE: Final = 2000
"""Characters at the beginning of a text that an excerpt is made from; the rest need not be read."""

_TAG = re.compile(r"<[^<>]*>?")
_MORE: Final = "…"


def excerpt(text: str, text_format: TextFormat) -> str:
    """The beginning of a text in one line, at most 200 characters; of HTML what would be read, without tags."""
    source = text[:EXCERPT_SOURCE]
    shown = html.unescape(_TAG.sub(" ", source)) if text_format is TextFormat.HTML else source
    line = " ".join(shown.split())
    if len(line) <= LONGEST_EXCERPT and len(text) <= EXCERPT_SOURCE:
        return line
    return line[: LONGEST_EXCERPT - 1].rstrip() + _MORE

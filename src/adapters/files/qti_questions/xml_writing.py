"""Texts as they stand in written XML."""

from __future__ import annotations

import re
from typing import Final

from domain.question_bank.imported import trimmed

_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"]*")*)>')
_VOID: Final = frozenset({"br", "hr", "img", "wbr", "col"})
# A carriage return that is written as it is comes back as a line feed, and any blank of an attribute as a space.
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def representable(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold, and without the blanks around it."""
    return trimmed(_NO_CHARACTER.sub("", text))


def in_text(text: str) -> str:
    """A text between tags."""
    return text.translate(_TEXT)


def in_attribute(text: str) -> str:
    """A text between the quotes of an attribute."""
    return text.translate(_ATTRIBUTE)


def xhtml(html: str) -> str:
    """Cleaned HTML as XML: empty elements closed, entities that only HTML knows as characters."""
    return _TAG.sub(_closed, html).replace("&nbsp;", "&#160;")


def _closed(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{tag[2]}{tag[3]}{'/' if tag[2] in _VOID else ''}>"

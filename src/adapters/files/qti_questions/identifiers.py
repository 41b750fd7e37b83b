"""Ids of questions as identifiers of XML, and back.

An identifier of QTI is an NCName: it starts with a letter or `_` and goes on with letters, digits, `.`, `_` and `-`.
An id that is one stays as it is; any other is written behind a mark with its other characters as `_<hex>_`.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = "ace-"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
_OTHER: Final = re.compile(r"[^A-Za-z0-9.-]")
_WRITTEN: Final = re.compile(r"_([0-9a-f]{2,6})_")


def identifier_of(external_id: str) -> str:
    """The identifier under which a question is exported."""
    if _NAME.fullmatch(external_id) and not external_id.startswith(_MARK):
        return external_id
    return _MARK + _OTHER.sub(lambda found: f"_{ord(found[0]):02x}_", external_id)


def external_id_of(identifier: str) -> str:
    """The id that an identifier stands for; one that we did not write is an id as it is."""
    if not identifier.startswith(_MARK):
        return identifier
    try:
        decoded = _WRITTEN.sub(lambda found: chr(int(found[1], 16)), identifier.removeprefix(_MARK))
    except ValueError:
        return identifier
    # Only what would be written in the same way again was written by us.
    return decoded if identifier_of(decoded) == identifier else identifier

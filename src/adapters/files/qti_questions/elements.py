"""Reading of XML elements whatever their namespace and version: names, attributes, numbers.

QTI 3.0 writes `qti-simple-choice` and `response-identifier` where QTI 2.x writes `simpleChoice` and
`responseIdentifier`; both become `simplechoice` and `responseidentifier` here, so that one reader serves both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

MOST_POINTS: Final = Decimal("9999.9999")
_WEIGHT_STEP: Final = Decimal("1e-9")
_POINT_STEP: Final = Decimal("1e-4")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?")
_NO_POINTS: Final = Decimal(0)


@lru_cache(maxsize=4096)
def _plain_name(tag: str) -> str:
    return tag.rpartition("}")[2].removeprefix("qti-").replace("-", "").lower()


def name(element: Element) -> str:
    """The name of an element without namespace, prefix of the version, hyphens and capitals."""
    # Comments and processing instructions have a function for a tag.
    return _plain_name(element.tag) if isinstance(element.tag, str) else ""


def attribute(element: Element, wanted: str, default: str = "") -> str:
    """The value of an attribute by its plain name."""
    for key, value in element.items():
        if _plain_name(key) == wanted:
            return value.strip()
    return default


def children(element: Element, wanted: str) -> list[Element]:
    """The direct children of a name."""
    return [child for child in element if name(child) == wanted]


def child(element: Element, wanted: str) -> Element | None:
    """The first direct child of a name."""
    return next((found for found in element if name(found) == wanted), None)


def descendants(element: Element, *wanted: str) -> Iterator[Element]:
    """All elements of these names below and including one, in the order of the document."""
    return (found for found in element.iter() if name(found) in wanted)


def text_in(element: Element | None) -> str:
    """All characters inside an element, without the blanks around them."""
    return "".join(element.itertext()).strip() if element is not None else ""


def number(text: str) -> Decimal | None:
    """A number as files write it; nothing where it is none, or one that no score needs."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def points(text: str) -> Decimal:
    """The points of a question with at most four decimals; 0, which the examination refuses, for what is no number."""
    value = number(text)
    if value is None or not 0 < value <= MOST_POINTS:
        return _NO_POINTS
    return value.quantize(_POINT_STEP).normalize() + _NO_POINTS


def fraction(value: Decimal, full: Decimal) -> Decimal:
    """A score as a fraction of the full one, within -1 and 1 and with at most nine decimals."""
    return rounded_weight(value / full)


def rounded_weight(weight: Decimal) -> Decimal:
    """A weight as files carry it: within -1 and 1, with at most nine decimals."""
    within = max(Decimal(-1), min(weight, Decimal(1)))
    return (within.quantize(_WEIGHT_STEP) + _NO_POINTS).normalize() + _NO_POINTS

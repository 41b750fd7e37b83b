"""Shares of a whole mark that were rounded when they were written as percentages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

_ALL, _NOTHING = Decimal(1), Decimal(0)
_ROUNDED: Final = Decimal("0.00001")
"""How far the shares of a whole mark may be from it, written as percentages: a third of it is 33.33333 or 33.333."""


def whole_shares(fractions: Sequence[Decimal]) -> list[Decimal]:
    """The fractions without what rounding took from the whole mark, or added to it.

    The last of the largest gives or takes it, so that each keeps its sign, and what is whole already stays as it is.
    """
    whole = list(fractions)
    missing = _ALL - sum((fraction for fraction in fractions if fraction > 0), _NOTHING)
    if missing and abs(missing) <= _ROUNDED:
        largest = max(range(len(whole)), key=lambda place: (whole[place], place))
        whole[largest] += missing
    return whole

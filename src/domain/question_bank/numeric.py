"""Numbers as people write them: exact, bounded, and never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.question_bank.imported import NumericBand, shown

LONGEST_NUMBER = 64
"""Characters, with sign, point and exponent."""
FARTHEST_PLACE = 100
"""The first digit stands at most so many decimal places from the point, so that exact arithmetic stays small."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WITH_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9.,]*")
_MINUS_SIGN = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFault:
    """Why a text is not taken for a number."""

    code: str
    message: str


def read_number(text: str) -> Decimal | NumberFault:
    """A decimal number such as `-12.5`, `.5` or `6.02e23`, to the last digit; equal numbers are read as equal values.

    A comma is refused: `1,500` is one and a half here and fifteen hundred there, and nobody asks which was meant.
    """
    text = text.strip().replace(_MINUS_SIGN, "-")
    if len(text) > LONGEST_NUMBER:
        return NumberFault(code="too_long", message=f"A number has at most {LONGEST_NUMBER} characters.")
    if not _NUMBER.fullmatch(text):
        return _not_a_number(text)
    number = _plain(Decimal(text))
    if number and abs(number.adjusted()) > FARTHEST_PLACE:
        message = f"A number other than 0 lies between 1e-{FARTHEST_PLACE} and 1e{FARTHEST_PLACE}."
        return NumberFault(code="out_of_range", message=message)
    return number


def meets(number: Decimal, band: NumericBand) -> bool:
    """Whether a number lies within either tolerance of the band's answer, its edges included."""
    answer = Fraction(band.answer)
    off = abs(Fraction(number) - answer)
    return off <= Fraction(band.tol_abs) or off <= Fraction(band.tol_rel) * abs(answer)


def _not_a_number(text: str) -> NumberFault:
    if _WITH_COMMA.fullmatch(text):
        return NumberFault(code="comma", message="Write a decimal point, and no signs between thousands: 1500.25.")
    return NumberFault(code="not_a_number", message=f"{shown(text)} is not a number such as -12.5 or 6.02e23.")


def _plain(number: Decimal) -> Decimal:
    """Without idle zeros. `Decimal.normalize` would round to the precision of its context."""
    sign, digits, exponent = number.as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    if not kept:
        return Decimal(0)
    places = int(exponent) + len(digits) - len(kept)
    return Decimal((sign, tuple(map(int, kept)), places))

"""Which numbers a question may hold, whoever wrote it: those that can be kept, compared and written out exactly."""

from __future__ import annotations

from decimal import Decimal

from domain.question_bank.imported import NumericBand

POINTS_PLACES = 4
MOST_POINTS = Decimal(10) ** POINTS_PLACES
WEIGHT_PLACES = 10
MOST_DIGITS = 28
"""Significant ones; more would be rounded in silence by the arithmetic of `decimal`."""
MOST_PLACES = 40
"""Digits before the decimal point, and digits behind it."""


def is_number(value: Decimal, places: int = MOST_PLACES) -> bool:
    """Whether the number can be written out and kept exactly; a short literal may stand for a million digits."""
    if not value.is_finite():
        return False
    if not value:
        return abs(value.adjusted()) <= MOST_PLACES
    _, digits, exponent = value.as_tuple()
    idle = _idle_zeros(digits)
    return value.adjusted() < MOST_PLACES and len(digits) - idle <= MOST_DIGITS and -(int(exponent) + idle) <= places


def is_points(points: Decimal) -> bool:
    """More than nothing, less than `MOST_POINTS`."""
    return is_number(points, POINTS_PLACES) and 0 < points < MOST_POINTS


def is_weight(weight: Decimal) -> bool:
    """A fraction of the mark, from −1 to 1."""
    return is_number(weight, WEIGHT_PLACES) and -1 <= weight <= 1


def is_band(band: NumericBand) -> bool:
    """A number with tolerances from 0 on, the relative one up to 1, that earns something and at most the whole mark."""
    return (
        all(map(is_number, (band.answer, band.tol_abs, band.tol_rel, band.fraction)))
        and band.tol_abs >= 0
        and 0 <= band.tol_rel <= 1
        and 0 < band.fraction <= 1
    )


def _idle_zeros(digits: tuple[int, ...]) -> int:
    """How many zeros stand at the end: they are a matter of spelling, not of precision."""
    return next((place for place, digit in enumerate(reversed(digits)) if digit), len(digits))

"""The time that somebody is granted beyond what exams allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.errors import FieldProblem, InvalidInput
from domain.exam.sessions import Accommodation

MAX_MULTIPLIER: Final = Decimal(10)
MAX_EXTRA_SECONDS: Final = 24 * 3600
_DECIMALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAccommodation:
    """What somebody is granted, by whom, when, and why. It holds for every exam that begins from then on."""

    user_id: str
    multiplier: Decimal
    extra_seconds: int
    reason: str
    updated_at: datetime
    updated_by: str

    @property
    def accommodation(self) -> Accommodation:
        return Accommodation(multiplier=self.multiplier, extra_seconds=self.extra_seconds)


def accommodation_of(multiplier: Decimal, extra_seconds: int) -> Accommodation:
    """Refuses what takes time away, and more than ten times or a day: a mistake rather than a need."""
    exponent = multiplier.as_tuple().exponent
    exact = isinstance(exponent, int) and exponent >= -_DECIMALS
    if not (exact and 1 <= multiplier <= MAX_MULTIPLIER):
        raise _invalid("/multiplier", f"1 to {MAX_MULTIPLIER}, with at most {_DECIMALS} decimals")
    if not 0 <= extra_seconds <= MAX_EXTRA_SECONDS:
        raise _invalid("/extraSeconds", f"0 to {MAX_EXTRA_SECONDS} seconds")
    return Accommodation(multiplier=multiplier, extra_seconds=extra_seconds)


def _invalid(pointer: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=(FieldProblem(pointer, "out_of_range", message),))

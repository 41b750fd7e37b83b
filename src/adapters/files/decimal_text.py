"""Decimal numbers as files spell them: no exponent, no idle zeros, every digit kept."""

from __future__ import annotations

from decimal import Decimal

from domain.question_bank.bounds import WEIGHT_PLACES


def spelled(number: Decimal) -> str:
    """One spelling for equal numbers, whatever their scale."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def share_of(percent: str) -> Decimal:
    """The fraction of a percentage that a file states, with no more decimals than a weight may have."""
    share = Decimal(percent).scaleb(-2)
    exponent = share.as_tuple().exponent
    return round(share, WEIGHT_PLACES) if isinstance(exponent, int) and -exponent > WEIGHT_PLACES else share

"""Numbers as files spell them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.files.decimal_text import share_of, spelled
from domain.question_bank.bounds import is_weight


@pytest.mark.parametrize(
    ("percent", "share"),
    [("100", "1"), ("-50", "-0.5"), ("33.33333", "0.3333333"), ("33.333333333333", "0.3333333333"), ("1e-30", "0")],
)
def test_a_share_has_no_more_decimals_than_a_weight_may_have(percent: str, share: str) -> None:
    assert spelled(share_of(percent)) == share
    assert is_weight(share_of(percent))


def test_a_number_is_spelled_without_exponent_and_idle_zeros() -> None:
    assert [spelled(Decimal(text)) for text in ("1E+2", "0.500", "-0.0", "1E-7")] == ["100", "0.5", "0", "0.0000001"]

"""What a paper comes to, and whether it is passed: exact to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.totals import SlotMark, Total, TotalPolicy, total

HALF = TotalPolicy(pass_mark=Decimal(50))
marks = st.decimals(-10, 10, places=6)


def slots(*pairs: tuple[str, str]) -> list[SlotMark]:
    return [SlotMark(mark=Decimal(mark), max_mark=Decimal(most)) for mark, most in pairs]


@given(st.lists(marks, max_size=200), st.booleans())
def test_marks_add_up_exactly_and_stop_at_nothing_unless_they_may_fall_below(given: list[Decimal], free: bool) -> None:
    policy = TotalPolicy(pass_mark=Decimal(75), allow_negative_total=free)
    whole = total([SlotMark(mark=mark, max_mark=Decimal(1)) for mark in given], policy)
    exact = sum(map(Fraction, given), Fraction(0))
    assert Fraction(whole.mark) == (exact if free else max(exact, Fraction(0)))
    assert whole.max_mark == len(given)
    assert whole.certainty_mark is None


def test_a_negative_mark_costs_what_others_earned_before_the_floor_is_laid() -> None:
    assert total(slots(("1", "1"), ("-0.25", "1")), HALF).mark == Decimal("0.75")
    assert total(slots(("0.25", "1"), ("-1", "1")), HALF).mark == 0


@pytest.mark.parametrize(
    ("mark", "most", "pass_mark", "passed"),
    [
        ("2", "3", "66.6666", True),
        ("2", "3", "66.6667", False),
        ("3", "4", "75", True),
        ("2.999999", "4", "75", False),
        ("0.749999", "1", "75", False),
        ("0", "1", "0", True),
        ("0", "0", "0", True),
        ("0", "0", "0.0001", False),
        ("1", "1", "100", True),
    ],
)
def test_a_paper_is_passed_where_the_exact_share_reaches_the_pass_mark(
    mark: str, most: str, pass_mark: str, passed: bool
) -> None:
    """74.9999 % is not 75 %, whatever it is rounded to where it is shown."""
    assert total(slots((mark, most)), TotalPolicy(pass_mark=Decimal(pass_mark))).passed is passed


@given(st.lists(marks.map(abs), min_size=1, max_size=20), st.decimals(0, 100, places=4))
def test_passing_is_reaching_the_pass_mark_in_percent(given: list[Decimal], pass_mark: Decimal) -> None:
    whole = total([SlotMark(mark=mark, max_mark=Decimal(10)) for mark in given], TotalPolicy(pass_mark=pass_mark))
    assert whole.percent == 100 * Fraction(whole.mark) / Fraction(whole.max_mark)
    assert whole.passed == (100 * Fraction(whole.mark) >= Fraction(pass_mark) * Fraction(whole.max_mark))


def certain() -> list[SlotMark]:
    return [
        SlotMark(mark=Decimal(1), max_mark=Decimal(1), certainty_mark=Decimal(3)),
        SlotMark(mark=Decimal(1), max_mark=Decimal(1), certainty_mark=Decimal(1)),
        SlotMark(mark=Decimal(0), max_mark=Decimal(1), certainty_mark=Decimal(0)),
        SlotMark(mark=Decimal(0), max_mark=Decimal(1)),
    ]


def test_the_mark_by_certainty_stands_beside_the_official_one() -> None:
    whole = total(certain(), HALF)
    assert whole == Total(mark=Decimal(2), max_mark=Decimal(4), certainty_mark=Decimal(4), passed=True)


def test_where_certainty_is_official_it_counts_out_of_the_most_it_can_earn() -> None:
    whole = total(certain(), TotalPolicy(pass_mark=Decimal(50), cbm_official=True))
    assert whole == Total(mark=Decimal(4), max_mark=Decimal(12), certainty_mark=Decimal(4), passed=False)
    assert whole.percent == Fraction(100, 3)
    blank = total(slots(("0", "1")), TotalPolicy(pass_mark=Decimal(50), cbm_official=True))
    assert blank == Total(mark=Decimal(0), max_mark=Decimal(3), certainty_mark=None, passed=False)


def test_a_mark_by_certainty_has_the_same_floor() -> None:
    sure_and_wrong = [SlotMark(mark=Decimal(0), max_mark=Decimal(1), certainty_mark=Decimal(-6))]
    assert total(sure_and_wrong, HALF).certainty_mark == 0
    assert total(sure_and_wrong, TotalPolicy(pass_mark=Decimal(50), allow_negative_total=True)).certainty_mark == -6

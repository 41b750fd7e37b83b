"""Marking by certainty: its factors, that honesty pays best, and the table that tells how well it was judged."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.question_bank.certainty import (
    HIGHEST_FACTOR,
    Calibration,
    Certainty,
    Judgement,
    calibration,
    certainty_fraction,
    with_certainty,
)
from domain.question_bank.scoring import Score

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
LEVELS = tuple(Certainty)
RIGHT, WRONG = Score(fraction=Fraction(1), correct=True), Score(fraction=Fraction(0), correct=False)
fractions = st.fractions(-1, 1)
certainties = st.none() | st.sampled_from(Certainty)


@pytest.mark.skipif(not VECTORS.exists(), reason="the examples are not beside the repository")
def test_it_agrees_with_the_published_examples() -> None:
    examples = json.loads(VECTORS.read_text())["cbm"]
    assert examples
    for example in examples:
        certainty = LEVELS[example["c"] - 1]
        assert certainty_fraction(Fraction(example["f"]), certainty) == Fraction(example["mark"])


@pytest.mark.parametrize(
    ("certainty", "right", "wrong"),
    [(None, 1, 0), (Certainty.LOW, 1, 0), (Certainty.MID, 2, -2), (Certainty.HIGH, 3, -6)],
)
def test_certainty_raises_what_is_won_and_what_is_lost(certainty: Certainty | None, right: int, wrong: int) -> None:
    assert certainty_fraction(Fraction(1), certainty) == right
    assert certainty_fraction(Fraction(1, 3), certainty) == Fraction(right, 3)
    assert certainty_fraction(Fraction(0), certainty) == wrong


def test_what_is_hardly_anything_is_wrong_and_so_is_less_than_nothing() -> None:
    edge = Fraction(5, 10**8)
    assert certainty_fraction(edge, Certainty.HIGH) == -6
    assert certainty_fraction(edge + Fraction(1, 10**12), Certainty.HIGH) > 0
    assert certainty_fraction(Fraction(-1, 2), Certainty.MID) == -2
    assert certainty_fraction(Fraction(-1), None) == 0


@given(fractions, certainties)
def test_a_mark_by_certainty_stays_in_its_bounds(fraction: Fraction, certainty: Certainty | None) -> None:
    assert -6 <= certainty_fraction(fraction, certainty) <= HIGHEST_FACTOR == 3


@given(fractions, fractions, certainties)
def test_a_better_answer_never_earns_less(one: Fraction, other: Fraction, certainty: Certainty | None) -> None:
    assert certainty_fraction(min(one, other), certainty) <= certainty_fraction(max(one, other), certainty)


@given(certainties)
def test_a_blank_answer_earns_nothing_however_sure(certainty: Certainty | None) -> None:
    assert with_certainty(WRONG, certainty, answered=False) == WRONG
    assert with_certainty(WRONG, Certainty.HIGH, answered=True).fraction == -6


def test_the_mark_by_certainty_stands_beside_the_plain_one() -> None:
    by_certainty = with_certainty(RIGHT, Certainty.HIGH, answered=True)
    assert by_certainty == Score(fraction=Fraction(3), correct=True)
    assert by_certainty.mark(Decimal("0.5")) == Decimal("1.5")
    assert RIGHT.mark(Decimal("0.5")) == Decimal("0.5")


@given(st.fractions(0, 1))
def test_saying_truthfully_how_sure_one_is_pays_best(chance: Fraction) -> None:
    """The expected mark is highest for the certainty whose row of the table holds the chance of being right."""
    expected = {
        level: chance * certainty_fraction(Fraction(1), level) + (1 - chance) * certainty_fraction(Fraction(0), level)
        for level in Certainty
    }
    for row in calibration([]):
        if row.fits_from <= chance <= row.fits_to:
            assert expected[row.certainty] == max(expected.values())


def test_the_table_counts_each_certainty_and_judges_it() -> None:
    answers = [(Certainty.HIGH, RIGHT), (Certainty.HIGH, WRONG), (None, RIGHT), (Certainty.LOW, RIGHT)]
    low, mid, high = calibration(answers)
    assert (low.answered, low.right, low.judgement) == (2, 2, Judgement.UNDERCONFIDENT)
    assert low.right_share == 1
    assert mid == Calibration(
        certainty=Certainty.MID,
        answered=0,
        right=0,
        right_share=None,
        judgement=None,
        fits_from=Fraction(2, 3),
        fits_to=Fraction(4, 5),
    )
    assert (high.answered, high.right, high.right_share) == (2, 1, Fraction(1, 2))
    assert high.judgement is Judgement.OVERCONFIDENT


def test_a_share_within_its_row_fits() -> None:
    (_, mid, high) = calibration(
        [*((Certainty.MID, each) for each in (RIGHT, RIGHT, RIGHT, WRONG)), (Certainty.HIGH, RIGHT)]
    )
    assert mid.judgement is high.judgement is Judgement.FITTING


def test_a_partly_right_answer_counts_partly_and_a_costly_one_as_wrong() -> None:
    half, costly = Score(fraction=Fraction(1, 2), correct=False), Score(fraction=Fraction(-1), correct=False)
    (low, _, _) = calibration([(None, half), (None, costly)])
    assert (low.right, low.right_share) == (0, Fraction(1, 4))


@given(st.lists(st.tuples(certainties, fractions.map(lambda f: Score(fraction=f, correct=f == 1)))))
def test_every_answer_stands_in_one_row(answers: list[tuple[Certainty | None, Score]]) -> None:
    rows = calibration(answers)
    assert [row.certainty for row in rows] == list(Certainty)
    assert sum(row.answered for row in rows) == len(answers)
    assert sum(row.right for row in rows) == sum(plain.correct for _, plain in answers)
    assert rows == calibration(answers[::-1])

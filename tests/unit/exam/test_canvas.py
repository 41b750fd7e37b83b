"""Statistics as Canvas has them: of those who answered, of the whole population, and in groups."""

from __future__ import annotations

import math
import statistics as textbook

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exam.canvas import Answered, Group, canvas_item, canvas_total, groups_of, point_biserial
from domain.exam.statistics import Column, spread

TOP, MIDDLE, BOTTOM = Group.TOP, Group.MIDDLE, Group.BOTTOM


def answered(totals: list[int], chosen: list[str], correct: str = "A") -> Answered:
    return Answered(
        totals=totals,
        groups=groups_of(totals),
        marks=[int(each == correct) for each in chosen],
        correct=[each == correct for each in chosen],
        chosen=[(each,) for each in chosen],
    )


def test_an_item_of_which_one_was_left_blank() -> None:
    """Three of four answered, with totals of 3, 2 and 2: two chose A, which is right, and one B."""
    found = canvas_item(answered([3, 2, 2], ["A", "A", "B"]), ["A", "B", "C"])
    assert (found.answered, found.correct) == (3, 2)
    assert found.difficulty == pytest.approx(2 / 3)
    assert found.variance == pytest.approx(2 / 9)
    assert found.sd == pytest.approx(math.sqrt(2) / 3)
    figures = [option.point_biserial for option in found.options]
    assert figures == [pytest.approx(0.5), pytest.approx(-0.5), None]
    assert [(option.choice_id, option.count) for option in found.options] == [("A", 2), ("B", 1), ("C", 0)]


def test_the_totals_of_a_population() -> None:
    totals = [3, 2, 1, 1]
    table = [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    spreads = [spread(Column(marks=marks, totals=totals, max_marks=4)) for marks in table]
    found = canvas_total(totals, spreads, groups_of(totals))
    assert found.variance == 0.6875
    assert found.sd == pytest.approx(0.8291561975888499)
    assert found.alpha == pytest.approx(6 / 11)
    assert (found.top, found.middle, found.bottom) == (1, 3, 0)


@pytest.mark.parametrize("items", [[[3, 2, 1, 1]], []])
def test_one_item_has_no_alpha(items: list[list[int]]) -> None:
    spreads = [spread(Column(marks=marks, totals=marks, max_marks=4)) for marks in items]
    assert canvas_total([3, 2, 1, 1], spreads, []).alpha is None


def test_totals_that_are_all_the_same_have_no_alpha() -> None:
    spreads = [spread(Column(marks=marks, totals=[1, 1], max_marks=2)) for marks in ([0, 1], [1, 0])]
    assert canvas_total([1, 1], spreads, []).alpha is None


def test_nobody_has_no_variance() -> None:
    assert canvas_total([], [], []).variance is None
    assert canvas_item(answered([], []), ["A"]).difficulty is None


@pytest.mark.parametrize(
    ("totals", "groups"),
    [
        ([], []),
        ([5], [MIDDLE]),
        ([5, 5], [TOP, TOP]),
        ([3, 3, 0, 0], [TOP, TOP, MIDDLE, MIDDLE]),
        (list(range(10)), [BOTTOM] * 3 + [MIDDLE] * 4 + [TOP] * 3),
        ([9, 8, 7, 7, 7, 5, 4, 3, 2, 1], [TOP] * 5 + [MIDDLE] * 2 + [BOTTOM] * 3),
        ([9, 8, 7, 6, 5, 4, 3, 3, 3, 1], [TOP] * 3 + [MIDDLE] * 6 + [BOTTOM]),
    ],
)
def test_groups_are_the_best_and_the_worst_27_percent_and_who_is_level_goes_up(
    totals: list[int], groups: list[Group]
) -> None:
    assert groups_of(totals) == groups


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_a_group_never_holds_a_lower_total_than_the_one_below_it(totals: list[int]) -> None:
    groups = groups_of(totals)
    ranked = sorted(zip(totals, groups, strict=True))
    assert [group for _, group in ranked] == sorted(groups, reverse=True)
    assert len(dict(ranked)) == len(set(ranked))
    if len(totals) > 1:
        assert groups.count(TOP) >= len(totals) - (73 * len(totals) + 50) // 100


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_point_biserial_is_the_correlation_with_having_chosen(attempts: list[tuple[bool, int]]) -> None:
    chosen, totals = [float(took) for took, _ in attempts], [total for _, total in attempts]
    found = point_biserial([total for took, total in attempts if took], totals)
    if len(set(chosen)) == 1 or len(set(totals)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(textbook.correlation(chosen, totals), abs=1e-12)


def test_options_are_counted_group_by_group_and_of_several_choices_each_counts() -> None:
    totals = list(range(10))
    chosen = [("A",), ("A", "B"), (), ("B",), ("B",), ("A",), ("C",), ("A",), ("A", "B"), ("A", "B")]
    given_by = Answered(
        totals=totals,
        groups=groups_of(totals),
        marks=[0] * 10,
        correct=[each == ("A", "B") for each in chosen],
        chosen=chosen,
    )
    found = canvas_item(given_by, ["A", "B"])
    counts = {option.choice_id: (option.count, option.top, option.middle, option.bottom) for option in found.options}
    assert counts == {"A": (6, 3, 1, 2), "B": (5, 2, 2, 1), "C": (1, 0, 1, 0)}
    assert (found.correct, found.top, found.middle, found.bottom) == (3, 2, 0, 1)
    assert all(option.count == option.top + option.middle + option.bottom for option in found.options)

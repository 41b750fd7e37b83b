"""Statistics of tests and items: held against their definitions, written out with other means."""

from __future__ import annotations

import math
import statistics as textbook
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.exam.canvas import canvas_total, groups_of
from domain.exam.statistics import (
    Analysis,
    Column,
    ItemStatistics,
    TotalStatistics,
    analyse,
    item_statistics,
    spread,
    total_statistics,
)

CLOSE = 1e-9
Table = list[list[int]]

tables: st.SearchStrategy[Table] = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 4), min_size=width, max_size=width), min_size=4, max_size=15)
)


def close(found: float | None, right: float | Fraction | None) -> bool:
    """Equal but for the rounding of floats, and None only where the other is."""
    if found is None or right is None:
        return found is None and right is None
    return math.isclose(found, right, rel_tol=CLOSE, abs_tol=CLOSE)


def column(table: Table, number: int) -> list[int]:
    return [row[number] for row in table]


def totals_of(table: Table) -> list[int]:
    return [sum(row) for row in table]


def correlation(ones: Sequence[int], others: Sequence[int]) -> float | None:
    if len(set(ones)) == 1 or len(set(others)) == 1:
        return None
    return textbook.correlation(ones, others)


def highest_covariance(ones: Sequence[int], others: Sequence[int]) -> float:
    return textbook.covariance(sorted(ones), sorted(others))


@given(tables, st.booleans())
def test_an_item_is_what_the_definitions_say(table: Table, drawn: bool) -> None:
    """Held against the whole totals if it is drawn at random, against the others' marks if it is not."""
    found = analyse(table, [4] * len(table[0]), drawn=range(len(table[0])) if drawn else ()).items
    for number, item in enumerate(found):
        own, totals = column(table, number), totals_of(table)
        others = totals if drawn else [total - mark for total, mark in zip(totals, own, strict=True)]
        index, highest = correlation(own, others), highest_covariance(own, others)
        assert item.attempts == len(table)
        assert close(item.facility, textbook.mean(own) / 4)
        assert close(item.sd, textbook.stdev(own))
        assert close(item.covariance, textbook.covariance(own, others))
        assert close(item.max_covariance, highest)
        assert close(item.discrimination_index, None if index is None else 100 * index)
        efficiency = None if not highest else 100 * textbook.covariance(own, others) / highest
        assert close(item.discriminative_efficiency, efficiency)


@given(tables)
def test_the_totals_are_what_the_definitions_say(table: Table) -> None:
    found, totals = analyse(table, [4] * len(table[0])).total, totals_of(table)
    assert found.attempts == len(table)
    assert close(found.mean, textbook.mean(totals))
    assert close(found.median, textbook.median(totals))
    assert close(found.sd, textbook.stdev(totals))
    assert close(found.skewness, skewness(totals))
    assert close(found.kurtosis, kurtosis(totals))


def skewness(values: Sequence[int]) -> float | None:
    """k3 / k2^1.5 with k3 = n/((n−1)(n−2))·Σd³ and k2 = Σd²/(n−1)."""
    count, mean = len(values), Fraction(sum(values), len(values))
    k2 = sum(((each - mean) ** 2 for each in values), Fraction(0)) / (count - 1)
    k3 = sum(((each - mean) ** 3 for each in values), Fraction(0)) * count / ((count - 1) * (count - 2))
    return float(k3) / float(k2) ** 1.5 if k2 else None


def kurtosis(values: Sequence[int]) -> Fraction | None:
    """k4 / k2² with k4 = n/((n−1)(n−2)(n−3))·((n+1)Σd⁴ − 3(n−1)/n·(Σd²)²)."""
    count, mean = len(values), Fraction(sum(values), len(values))
    second = sum(((each - mean) ** 2 for each in values), Fraction(0))
    fourth = sum(((each - mean) ** 4 for each in values), Fraction(0))
    k4 = Fraction(count, (count - 1) * (count - 2) * (count - 3)) * (
        (count + 1) * fourth - Fraction(3 * (count - 1), count) * second**2
    )
    return k4 / (second / (count - 1)) ** 2 if second else None


@given(tables)
def test_consistency_is_alpha_in_percent_and_the_errors_follow_from_it(table: Table) -> None:
    found, width, totals = analyse(table).total, len(table[0]), totals_of(table)
    if width < 2 or len(set(totals)) == 1:
        assert (found.consistency, found.error_ratio, found.standard_error) == (None, None, None)
        return
    parts = sum(textbook.variance(column(table, number)) for number in range(width))
    right = 100 * width / (width - 1) * (1 - parts / textbook.variance(totals))
    assert close(found.consistency, right)
    assert found.error_ratio is not None
    # A root of next to nothing loses half of its digits in the book's floats.
    assert math.isclose(found.error_ratio, 100 * math.sqrt(max(0.0, 1 - right / 100)), rel_tol=1e-6, abs_tol=1e-4)
    assert close(found.standard_error, found.error_ratio * textbook.stdev(totals) / 100)


@given(tables)
def test_alpha_is_the_same_of_a_sample_and_of_a_population(table: Table) -> None:
    totals = totals_of(table)
    spreads = [spread(Column(marks=column(table, each), totals=totals, max_marks=0)) for each in range(len(table[0]))]
    alpha = canvas_total(totals, spreads, groups_of(totals)).alpha
    consistency = analyse(table).total.consistency
    assert close(consistency, None if alpha is None else 100 * alpha)


@given(st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3), min_size=4, max_size=12))
def test_of_right_and_wrong_consistency_is_kr_20(table: Table) -> None:
    totals = totals_of(table)
    assume(len(set(totals)) > 1)
    shares = [Fraction(sum(column(table, each)), len(table)) for each in range(3)]
    kr20 = Fraction(3, 2) * (1 - sum(p * (1 - p) for p in shares) / textbook.pvariance(map(Fraction, totals)))
    assert close(analyse(table).total.consistency, 100 * kr20)


def test_a_published_example_of_alpha() -> None:
    """Four persons and three items, as in the documentation of R: 0.545."""
    assert close(analyse([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 0, 0]]).total.consistency, Fraction(600, 11))


@given(tables)
def test_effective_weights_are_parts_of_a_whole(table: Table) -> None:
    """The root of the covariance with the totals; an item that works against them has none."""
    found, totals = analyse(table).items, totals_of(table)
    with_total = [textbook.covariance(column(table, number), totals) for number in range(len(found))]
    roots = [math.sqrt(max(0.0, each)) for each in with_total]
    for item, covariance, root in zip(found, with_total, roots, strict=True):
        if covariance < -CLOSE or sum(roots) < 1e-4:
            assert item.effective_weight is None
        elif covariance > CLOSE:
            assert item.effective_weight is not None
            assert math.isclose(item.effective_weight, 100 * root / sum(roots), rel_tol=1e-6)
    told = [item.effective_weight for item in found if item.effective_weight is not None]
    assert not told or math.isclose(math.fsum(told), 100)


@given(tables)
def test_neither_the_order_of_attempts_nor_the_unit_of_marks_matters(table: Table) -> None:
    tenths = [[Decimal(mark) / 10 for mark in row] for row in sorted(table, reverse=True)]
    plain, small = analyse(table, [4] * len(table[0])), analyse(tenths, [Decimal("0.4")] * len(table[0]))
    for before, after in zip(plain.items, small.items, strict=True):
        assert before.facility == after.facility
        assert close(after.discrimination_index, before.discrimination_index)
        assert close(after.discriminative_efficiency, before.discriminative_efficiency)
        assert close(after.sd, None if before.sd is None else before.sd / 10)
    assert (plain.total.skewness, plain.total.consistency) == (small.total.skewness, small.total.consistency)


@given(tables)
def test_indices_stay_within_a_hundred(table: Table) -> None:
    for item in analyse(table).items:
        for figure in (item.discrimination_index, item.discriminative_efficiency):
            assert figure is None or figure <= 100 + CLOSE
        assert item.discrimination_index is None or item.discrimination_index >= -100 - CLOSE


def test_a_drawn_question_is_held_against_whole_totals() -> None:
    marks, totals = [1, 0, 1, 0], [3, 2, 2, 1]
    assert item_statistics(marks, totals).discrimination_index == 0
    drawn = item_statistics(marks, totals, drawn=True)
    assert close(drawn.discrimination_index, 100 * textbook.correlation(marks, totals))
    assert drawn.drawn


def test_a_table_with_only_some_questions_drawn() -> None:
    table = [[1, 0, 2], [0, 1, 1], [1, 1, 0], [0, 0, 2]]
    fixed, drawn = analyse(table), analyse(table, drawn=[1])
    assert fixed.items[0] == drawn.items[0]
    assert drawn.items[1].covariance == pytest.approx(textbook.covariance([0, 1, 1, 0], [3, 2, 2, 2]))
    assert fixed.total == drawn.total


def test_numbers_of_every_kind_mean_the_same_and_a_blank_earns_nothing() -> None:
    spellings: list[list[list[int | float | Decimal | Fraction | None]]] = [
        [[0.1, 1], [0.2, None], [0.7, 1]],
        [[Decimal("0.1"), 1.0], [Decimal("0.2"), 0], [Decimal("0.7"), Decimal(1)]],
        [[Fraction(1, 10), 1], [Fraction(1, 5), 0], [Fraction(7, 10), 1]],
    ]
    first, *others = [analyse(table) for table in spellings]
    assert all(each == first for each in others)
    assert first.total.mean == 1


def test_an_item_by_itself_is_what_it_is_in_the_table() -> None:
    table: list[list[int | None]] = [[1, 0, 2], [0, 1, 1], [1, None, 0], [0, 0, 2]]
    whole = analyse(table, [1, 1, 2])
    alone = item_statistics([0, 1, None, 0], [3, 2, 1, 2])
    assert whole.items[1].discrimination_index == alone.discrimination_index is not None
    totals = total_statistics([3, 2, 1, 2], [[1, 0, 1, 0], [0, 1, None, 0], [2, 1, 0, 2]])
    assert totals == whole.total


def test_what_cannot_be_divided_by_is_not_told() -> None:
    """Nobody can earn anything; everybody earns the same; the others are all the same; everything is the same."""
    worthless = item_statistics([0, 0, 0], [1, 2, 3], 0)
    assert worthless.facility is None
    assert worthless.sd == 0
    assert (worthless.discrimination_index, worthless.discriminative_efficiency) == (None, None)
    alike = item_statistics([1, 1, 1], [1, 2, 3])
    assert (alike.facility, alike.discrimination_index, alike.discriminative_efficiency) == (1.0, None, None)
    alone = item_statistics([0, 1, 1], [0, 1, 1])
    assert (alone.discrimination_index, alone.discriminative_efficiency) == (None, None)
    same = analyse([[1, 0], [1, 0], [1, 0], [1, 0]])
    assert [item.effective_weight for item in same.items] == [None, None]
    assert (same.total.sd, same.total.skewness, same.total.kurtosis, same.total.consistency) == (0, None, None, None)


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        ([], TotalStatistics(attempts=0)),
        ([3], TotalStatistics(attempts=1, mean=3, median=3)),
        ([3, 5], TotalStatistics(attempts=2, mean=4, median=4, sd=math.sqrt(2))),
        ([3, 4, 5], TotalStatistics(attempts=3, mean=4, median=4, sd=1, skewness=0)),
        (
            [1, 2, 3, 4],
            TotalStatistics(attempts=4, mean=2.5, median=2.5, sd=math.sqrt(5 / 3), skewness=0, kurtosis=-1.2),
        ),
    ],
)
def test_few_attempts_tell_little(totals: list[int], told: TotalStatistics) -> None:
    assert total_statistics(totals) == told


def test_a_single_attempt_tells_of_an_item_what_was_earned() -> None:
    assert item_statistics([1], [3], 2) == ItemStatistics(attempts=1, facility=0.5)
    assert item_statistics([], [], 2) == ItemStatistics(attempts=0)
    assert analyse([], [1]) == Analysis(total=TotalStatistics(attempts=0), items=(ItemStatistics(attempts=0),))


@pytest.mark.parametrize(("efficiency", "dubious"), [(14.999, True), (15.0, False), (-3.0, True), (None, False)])
def test_an_item_is_dubious_below_fifteen_percent(efficiency: float | None, dubious: bool) -> None:
    assert ItemStatistics(attempts=10, discriminative_efficiency=efficiency).is_dubious is dubious


def test_a_table_with_a_gap_is_refused() -> None:
    with pytest.raises(ValueError, match="every row has a mark"):
        analyse([[1, 0], [1]])
    with pytest.raises(ValueError, match="every row has a mark"):
        analyse([[1, 0]], [1])
    with pytest.raises(ValueError, match="every mark belongs to a total"):
        item_statistics([1, 0], [1])


def test_totals_that_their_items_do_not_add_up_to_have_no_imaginary_error() -> None:
    assert total_statistics([0, 1000], [[0, 1], [0, 1]]).error_ratio == 0

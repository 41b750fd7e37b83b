"""Statistics of tests and items as Moodle computes them, with n−1 throughout.

`analyse` takes a plain table of marks: one row per attempt, one number per item, None for a blank (which earns 0).

    found = analyse([[1, 0, 1], [1, None, 0], [0.5, 1, 1]], max_marks=[1, 1, 1])
    found.total.consistency, found.items[0].facility, found.items[2].discrimination_index

`item_statistics` and `total_statistics` are the parts of it, for one item and for the totals. Numbers may be int,
float, Decimal or Fraction; a float is taken for the decimal number that it is written as. Sums are exact, and only what
is told is a float: facility from 0 to 1, sd, covariances, mean and median in marks, skewness and kurtosis as they are,
everything else in percent as Moodle has it. What cannot be computed, because its divisor is 0 or there are too few
attempts, is None.

Sources: Moodle, `question/classes/statistics/questions/calculator.php` and `mod/quiz/report/statistics/classes/
calculator.php`; https://docs.moodle.org/dev/Quiz_statistics_calculations.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from operator import mul, sub
from typing import Final, TypeAlias

Number: TypeAlias = int | float | Decimal | Fraction

DUBIOUS_BELOW: Final = 15.0
"""An item whose discriminative efficiency, in percent, is less than this is dubious."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The marks of one item and the totals of the same attempts, all in whole units; a mark has `unit` of them.

    `max_marks` is the sum of what each of the attempts could have earned here. A question that is `drawn` at random for
    some attempts only is held against whole totals, all others against what is left of the totals without them.
    """

    marks: Sequence[int]
    totals: Sequence[int]
    max_marks: int
    unit: int = 1
    drawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatistics:
    """One item. `covariance` is with the other marks of the attempts, `max_covariance` what it could at most be."""

    attempts: int
    drawn: bool = False
    facility: float | None = None
    sd: float | None = None
    covariance: float | None = None
    max_covariance: float | None = None
    discrimination_index: float | None = None
    discriminative_efficiency: float | None = None
    effective_weight: float | None = None

    @property
    def is_dubious(self) -> bool:
        efficiency = self.discriminative_efficiency
        return efficiency is not None and efficiency < DUBIOUS_BELOW


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalStatistics:
    """The totals of all attempts. `consistency` is the coefficient of internal consistency: 100 times Cronbach's α."""

    attempts: int
    mean: float | None = None
    median: float | None = None
    sd: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    consistency: float | None = None
    error_ratio: float | None = None
    standard_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A test and its items, in the order of the columns of the table."""

    total: TotalStatistics
    items: tuple[ItemStatistics, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """n² times variance and covariance of an item, in squared units: whole numbers, whatever divides them later."""

    attempts: int
    variance: int
    with_total: int


def analyse(
    rows: Sequence[Sequence[Number | None]], max_marks: Sequence[Number] | None = None, *, drawn: Collection[int] = ()
) -> Analysis:
    """A whole table. The highest mark of an item is 1 unless told; `drawn` are columns (from 0) of random questions.

    Refuses rows of different lengths with ValueError.
    """
    width = len(rows[0]) if rows else len(max_marks or ())
    highest = [1] * width if max_marks is None else list(max_marks)
    if any(len(row) != width for row in [*rows, highest]):
        raise ValueError("every row has a mark for every item, and every item its highest mark")
    unit, whole = _in_units([*rows, highest])
    table, tops = whole[:-1], whole[-1]
    totals = [sum(row) for row in table]
    columns = [
        Column(
            marks=[row[number] for row in table],
            totals=totals,
            max_marks=tops[number] * len(table),
            unit=unit,
            drawn=number in drawn,
        )
        for number in range(width)
    ]
    spreads = [spread(column) for column in columns]
    weights = effective_weights(spreads)
    return Analysis(
        total=statistics_of_totals(totals, spreads, unit),
        items=tuple(
            replace(statistics_of_item(column), effective_weight=weight)
            for column, weight in zip(columns, weights, strict=True)
        ),
    )


def item_statistics(
    marks: Sequence[Number | None], totals: Sequence[Number], max_mark: Number = 1, *, drawn: bool = False
) -> ItemStatistics:
    """One item by its marks and the totals of the same attempts. Its effective weight takes all items to tell."""
    if len(marks) != len(totals):
        raise ValueError("every mark belongs to a total")
    unit, (own, whole, (top,)) = _in_units([marks, totals, [max_mark]])
    return statistics_of_item(Column(marks=own, totals=whole, max_marks=top * len(own), unit=unit, drawn=drawn))


def total_statistics(totals: Sequence[Number], items: Sequence[Sequence[Number | None]] = ()) -> TotalStatistics:
    """The totals. Consistency and what follows from it need the marks of every item, in the order of the totals."""
    unit, (whole, *columns) = _in_units([totals, *items])
    spreads = [spread(Column(marks=marks, totals=whole, max_marks=0)) for marks in columns]
    return statistics_of_totals(whole, spreads, unit)


def statistics_of_item(column: Column) -> ItemStatistics:
    """What a column comes to."""
    count = len(column.marks)
    told = ItemStatistics(
        attempts=count, drawn=column.drawn, facility=sum(column.marks) / column.max_marks if column.max_marks else None
    )
    if count < 2:
        return told
    others = column.totals if column.drawn else list(map(sub, column.totals, column.marks))
    own_variance = _covariance(column.marks, column.marks)
    variance = _covariance(others, others)
    covariance = _covariance(column.marks, others)
    highest = _covariance(sorted(column.marks), sorted(others))
    whole = count * (count - 1) * column.unit**2
    return replace(
        told,
        sd=math.sqrt(own_variance / whole),
        covariance=covariance / whole,
        max_covariance=highest / whole,
        discrimination_index=_correlation(covariance, own_variance, variance),
        discriminative_efficiency=100 * covariance / highest if highest else None,
    )


def spread(column: Column) -> Spread:
    """What the totals and the weights need to know of an item."""
    return Spread(
        attempts=len(column.marks),
        variance=_covariance(column.marks, column.marks),
        with_total=_covariance(column.marks, column.totals),
    )


def effective_weights(items: Sequence[Spread]) -> list[float | None]:
    """Which part of the spread of the totals each item makes up, in percent; None of one that works against the others.

    Together they are 100, unless none of the items does anything.
    """
    roots = [None if item.attempts < 2 or item.with_total < 0 else math.sqrt(item.with_total) for item in items]
    whole = math.fsum(root for root in roots if root is not None)
    return [None if root is None or not whole else 100 * root / whole for root in roots]


def statistics_of_totals(totals: Sequence[int], items: Sequence[Spread], unit: int = 1) -> TotalStatistics:
    """What totals in units come to; `items` are all that they are made of, each asked in every attempt."""
    count = len(totals)
    if not count:
        return TotalStatistics(attempts=0)
    ordered = sorted(totals)
    told = TotalStatistics(
        attempts=count,
        mean=sum(totals) / (count * unit),
        median=(ordered[(count - 1) // 2] + ordered[count // 2]) / (2 * unit),
    )
    if count < 2:
        return told
    variance = _covariance(totals, totals)
    sd = math.sqrt(variance / (count * (count - 1) * unit**2))
    told = replace(told, sd=sd, skewness=_skewness(totals), kurtosis=_kurtosis(totals))
    if len(items) < 2 or not variance:
        return told
    part = Fraction(sum(item.variance for item in items), variance)
    consistency = Fraction(len(items), len(items) - 1) * (1 - part)
    error = math.sqrt(max(Fraction(0), 1 - consistency))
    return replace(told, consistency=float(100 * consistency), error_ratio=100 * error, standard_error=error * sd)


def _skewness(totals: Sequence[int]) -> float | None:
    """k3 / k2^1.5 by the k-statistics of the totals."""
    count = len(totals)
    second, third = _moment(totals, 2), _moment(totals, 3)
    if count < 3 or not second:
        return None
    k2 = Fraction(count, count - 1) * second
    k3 = Fraction(count**2, (count - 1) * (count - 2)) * third
    return math.copysign(math.sqrt(k3**2 / k2**3), k3)


def _kurtosis(totals: Sequence[int]) -> float | None:
    """k4 / k2² by the k-statistics of the totals."""
    count = len(totals)
    second, fourth = _moment(totals, 2), _moment(totals, 4)
    if count < 4 or not second:
        return None
    k2 = Fraction(count, count - 1) * second
    k4 = Fraction(count**2, (count - 1) * (count - 2) * (count - 3)) * (
        (count + 1) * fourth - 3 * (count - 1) * second**2
    )
    return float(k4 / k2**2)


def _moment(values: Sequence[int], power: int) -> Fraction:
    """The mean of a power of what lies between the values and their mean."""
    count, whole = len(values), sum(values)
    apart: int = sum((count * value - whole) ** power for value in values)
    return Fraction(apart, count ** (power + 1))


def _covariance(ones: Sequence[int], others: Sequence[int]) -> int:
    """n² times the covariance of a population: exact, so that what is nothing is 0."""
    products: int = sum(map(mul, ones, others))
    return len(ones) * products - sum(ones) * sum(others)


def _correlation(covariance: int, variance: int, other: int) -> float | None:
    """In percent; None where one of the two does not vary."""
    if not variance or not other:
        return None
    return math.copysign(100 * math.sqrt(covariance**2 / (variance * other)), covariance)


def _in_units(rows: Iterable[Sequence[Number | None]]) -> tuple[int, list[list[int]]]:
    """How many units a mark has, and every number in units: the smallest that make all of them whole."""
    exact = [[_exact(value) for value in row] for row in rows]
    unit = math.lcm(*{value.denominator for row in exact for value in row})
    return unit, [[value.numerator * (unit // value.denominator) for value in row] for row in exact]


def _exact(value: Number | None) -> Fraction:
    return Fraction(float.__repr__(value)) if isinstance(value, float) else Fraction(value or 0)

"""Statistics of tests and items as Canvas computes them: of the population, and of those who answered.

Sources: Canvas LMS, `app/models/quizzes/quiz_statistics/item_analysis/{item,summary}.rb`. Totals are whole units, of
which a mark has `unit`. One thing is otherwise: a blank earns nothing in the variance of an item that α is made of, so
that α is Cronbach's, and KR-20 where every mark is 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final

from domain.exam.statistics import Spread

_PERCENT_IN_TOP: Final = 27
_PERCENT_ABOVE_BOTTOM: Final = 73


class Group(IntEnum):
    """The best 27 of a hundred attempts, the worst 27, and those between; whoever is level goes up."""

    TOP = 0
    MIDDLE = 1
    BOTTOM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Attempts of one item that are not blank, each by its total, its group, its mark, and what was chosen."""

    totals: Sequence[int]
    groups: Sequence[Group]
    marks: Sequence[int]
    correct: Sequence[bool]
    chosen: Sequence[tuple[str, ...]]
    unit: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionStatistics:
    """An option: how many chose it, in all and in each group, and how that goes with the totals."""

    choice_id: str
    count: int
    top: int
    middle: int
    bottom: int
    point_biserial: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasItem:
    """An item among those who answered it. `difficulty` is the share that is right; `top` and so on count the right."""

    answered: int
    correct: int
    difficulty: float | None
    variance: float | None
    sd: float | None
    top: int
    middle: int
    bottom: int
    options: tuple[OptionStatistics, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasTotal:
    """The totals of all attempts, and how many are in each group."""

    variance: float | None
    sd: float | None
    alpha: float | None
    top: int
    middle: int
    bottom: int


def groups_of(totals: Sequence[int]) -> list[Group]:
    """The group of every attempt."""
    ranked = sorted(totals)
    count = len(ranked)
    # Of a single attempt there is no top.
    from_top, from_middle = (
        ranked[place] if (place := _rounded(percent * count)) < count else math.inf
        for percent in (_PERCENT_ABOVE_BOTTOM, _PERCENT_IN_TOP)
    )
    return [Group.TOP if each >= from_top else Group.MIDDLE if each >= from_middle else Group.BOTTOM for each in totals]


def canvas_total(totals: Sequence[int], items: Sequence[Spread], groups: Sequence[Group], unit: int = 1) -> CanvasTotal:
    """The totals; `items` are all that they are made of."""
    variance = _variance(totals)
    alpha = None
    if len(items) > 1 and variance:
        part = Fraction(sum(item.variance for item in items), len(totals) ** 2) / variance
        alpha = float(Fraction(len(items), len(items) - 1) * (1 - part))
    top, middle, bottom = _counts(groups)
    told = None if variance is None else float(variance / unit**2)
    return CanvasTotal(variance=told, sd=_root(told), alpha=alpha, top=top, middle=middle, bottom=bottom)


def canvas_item(answered: Answered, choice_ids: Iterable[str] = ()) -> CanvasItem:
    """One item; `choice_ids` are all that could be chosen, chosen or not."""
    right = [group for group, correct in zip(answered.groups, answered.correct, strict=True) if correct]
    count = len(answered.totals)
    variance = _variance(answered.marks)
    told = None if variance is None else float(variance / answered.unit**2)
    top, middle, bottom = _counts(right)
    return CanvasItem(
        answered=count,
        correct=len(right),
        difficulty=len(right) / count if count else None,
        variance=told,
        sd=_root(told),
        top=top,
        middle=middle,
        bottom=bottom,
        options=_options(answered, choice_ids),
    )


def point_biserial(chosen: Sequence[int], totals: Sequence[int]) -> float | None:
    """How choosing an option goes with the totals; `chosen` are the totals of those who did, among all `totals`.

    (M_chosen − M_other) / σ · √(p(1−p)); None where one side is empty or the totals are all the same.
    """
    count, side = len(totals), len(chosen)
    variance = _variance(totals)
    if side in (0, count) or not variance:
        return None
    # With both means over one divisor, what is left under the root is a fraction of whole numbers.
    apart = count * sum(chosen) - side * sum(totals)
    return math.copysign(math.sqrt(Fraction(apart**2, count**2 * side * (count - side)) / variance), apart)


def _options(answered: Answered, choice_ids: Iterable[str]) -> tuple[OptionStatistics, ...]:
    by_choice: dict[str, list[int]] = {each: [] for each in choice_ids}
    for number, chosen in enumerate(answered.chosen):
        for each in chosen:
            by_choice.setdefault(each, []).append(number)
    return tuple(_option(answered, choice_id, numbers) for choice_id, numbers in by_choice.items())


def _option(answered: Answered, choice_id: str, numbers: Sequence[int]) -> OptionStatistics:
    top, middle, bottom = _counts(answered.groups[number] for number in numbers)
    return OptionStatistics(
        choice_id=choice_id,
        count=len(numbers),
        top=top,
        middle=middle,
        bottom=bottom,
        point_biserial=point_biserial([answered.totals[number] for number in numbers], answered.totals),
    )


def _counts(groups: Iterable[Group]) -> list[int]:
    counts = [0, 0, 0]
    for group in groups:
        counts[group] += 1
    return counts


def _variance(values: Sequence[int]) -> Fraction | None:
    """Of the population, in squared units."""
    count = len(values)
    if not count:
        return None
    return Fraction(count * sum(value * value for value in values) - sum(values) ** 2, count**2)


def _root(variance: float | None) -> float | None:
    return None if variance is None else math.sqrt(variance)


def _rounded(hundredths: int) -> int:
    """To the next whole number, a half upwards."""
    return (hundredths + 50) // 100

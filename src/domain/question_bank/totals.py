"""What the marks of a whole paper come to, and whether it is passed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.question_bank.certainty import HIGHEST_FACTOR

_PERCENT_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalPolicy:
    """What a paper says about its total. `pass_mark` is in percent.

    `cbm_official` makes the mark by certainty the one that counts, out of the most that certainty can earn.
    """

    pass_mark: Decimal
    allow_negative_total: bool = False
    cbm_official: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMark:
    """The mark of one question, and the one by certainty where the paper asks for certainty; a blank one is 0."""

    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The official mark out of `max_mark`, exactly summed, and the mark by certainty beside it where there is one."""

    mark: Decimal
    max_mark: Decimal
    certainty_mark: Decimal | None
    passed: bool

    @property
    def percent(self) -> Fraction:
        """Exact; nothing out of nothing is 0."""
        return _percent(self.mark, self.max_mark)


def total(slots: Iterable[SlotMark], policy: TotalPolicy) -> Total:
    """Add up a paper. A negative total is raised to 0 unless the paper allows it, at the end and not mark by mark.

    It is passed where 100 · mark ÷ max mark reaches the pass mark, compared without rounding.
    """
    every = tuple(slots)
    plain = _floored(_sum(slot.mark for slot in every), policy)
    best = _sum(slot.max_mark for slot in every)
    by_certainty = _by_certainty(every, policy)
    if policy.cbm_official:
        plain, best = by_certainty or Decimal(0), best * HIGHEST_FACTOR
    passed = _percent(plain, best) >= Fraction(policy.pass_mark)
    return Total(mark=plain, max_mark=best, certainty_mark=by_certainty, passed=passed)


def percent_of(share: Fraction) -> Decimal:
    """In percent, rounded once, half to even, at the second decimal place."""
    return Decimal(round(share * 100 * 10**_PERCENT_PLACES)).scaleb(-_PERCENT_PLACES)


def _by_certainty(slots: tuple[SlotMark, ...], policy: TotalPolicy) -> Decimal | None:
    marks = [slot.certainty_mark for slot in slots if slot.certainty_mark is not None]
    return _floored(_sum(marks), policy) if marks else None


def _floored(mark: Decimal, policy: TotalPolicy) -> Decimal:
    return mark if policy.allow_negative_total else max(mark, Decimal(0))


def _sum(marks: Iterable[Decimal]) -> Decimal:
    """Exact: marks have six decimal places at most, and 28 digits are more than any sum of them needs."""
    return sum(marks, Decimal(0))


def _percent(mark: Decimal, max_mark: Decimal) -> Fraction:
    return 100 * Fraction(mark) / Fraction(max_mark) if max_mark else Fraction(0)

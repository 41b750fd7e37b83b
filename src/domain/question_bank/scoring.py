"""The one scoring function: a question with its key, a response and a policy give an exact mark.

Every kind of question has a rule of its own behind the same entry, and a blank answer earns nothing under each of them.
Sources of the policies for several right options: Canvas (right minus wrong), edX (every decision, halves) and Moodle
(weighted, with fractions per choice; adjacent pairs of an order).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.numeric import meets
from domain.question_bank.questions import KeyedQuestion, Response
from domain.question_bank.wording import as_compared

_NOTHING, _ALL = Fraction(0), Fraction(1)
_MARK_PLACES = 6


class MultiplePolicy(StrEnum):
    """How a question with several right options is marked."""

    ALL_OR_NOTHING = "all_or_nothing"
    RIGHT_MINUS_WRONG = "right_minus_wrong"
    EVERY_DECISION = "every_decision"
    HALVES = "halves"
    WEIGHTED = "weighted"


class OrderingPolicy(StrEnum):
    """How an order is marked: as a whole, or by the pairs of neighbours that follow each other as they should."""

    EXACT = "exact"
    ADJACENT_PAIRS = "adjacent_pairs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPolicy:
    """What a paper says about marks. `penalty` (0..1) is what a wrong single choice costs.

    `guess_neutral` replaces it by 1/(m−1), at which blind guessing among m options gains nothing on average.
    `none_allowed` makes the blank answer of `every_decision` an answer like any other.
    """

    penalty: Decimal = Decimal(0)
    guess_neutral: bool = False
    multiple: MultiplePolicy = MultiplePolicy.ALL_OR_NOTHING
    none_allowed: bool = False
    ordering: OrderingPolicy = OrderingPolicy.EXACT

    def __post_init__(self) -> None:
        if not 0 <= self.penalty <= 1:
            raise ValueError(f"a penalty lies in 0..1, not {self.penalty}")


STANDARD = ScoringPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`fraction` of the full mark, exact, and whether the answer is wholly right.

    The fraction lies in −1..1 where one choice is asked for, in 0..1 elsewhere.
    """

    fraction: Fraction
    correct: bool

    def mark(self, max_mark: Decimal) -> Decimal:
        """The mark out of `max_mark`, rounded once, half to even, at the sixth decimal place."""
        return _mark(self.fraction.numerator, self.fraction.denominator, max_mark)


@lru_cache(maxsize=1_024)
def _mark(numerator: int, denominator: int, max_mark: Decimal) -> Decimal:
    """The same few marks are given again and again."""
    millionths = round(Fraction(numerator, denominator) * Fraction(max_mark) * 10**_MARK_PLACES)
    return Decimal(millionths).scaleb(-_MARK_PLACES)


_BLANK = Score(fraction=_NOTHING, correct=False)


def score(question: KeyedQuestion, response: Response, policy: ScoringPolicy = STANDARD) -> Score:
    """Mark one response. Whether it fits its question is told by `refuse_unfit`; what does not fit earns nothing."""
    return _RULES[question.kind](question, response, policy)


def _one_choice(question: KeyedQuestion, response: Response, policy: ScoringPolicy) -> Score:
    if len(response.choice_ids) != 1:
        return _BLANK
    (chosen,) = response.choice_ids
    right = chosen in question.key.correct
    weights = question.key.weights
    if weights is not None:
        fraction = Fraction(weights.get(chosen, Decimal(int(right))))
        return Score(fraction=max(-_ALL, min(fraction, _ALL)), correct=right)
    return Score(fraction=_ALL if right else -_penalty(question, policy), correct=right)


def _penalty(question: KeyedQuestion, policy: ScoringPolicy) -> Fraction:
    if policy.guess_neutral:
        return Fraction(1, max(len(question.choice_ids) - 1, 1))
    return Fraction(policy.penalty)


@dataclass(frozen=True, slots=True)
class _Selection:
    """How a selection compares with the key: `options` choices, `due` of them right; what was met and what was not."""

    options: int
    due: int
    hits: int
    slips: int

    @property
    def errors(self) -> int:
        return self.due - self.hits + self.slips


def _several_choices(question: KeyedQuestion, response: Response, policy: ScoringPolicy) -> Score:
    chosen, right = set(response.choice_ids), set(question.key.correct)
    blank_counts = policy.none_allowed and policy.multiple is MultiplePolicy.EVERY_DECISION
    if not chosen and not blank_counts:
        return _BLANK
    if policy.multiple is MultiplePolicy.WEIGHTED:
        fraction = _weighted(question, chosen)
    else:
        selection = _Selection(len(question.choice_ids), len(right), len(chosen & right), len(chosen - right))
        fraction = _SELECTION_RULES[policy.multiple](selection)
    return Score(fraction=fraction, correct=chosen == right)


def _all_or_nothing(selection: _Selection) -> Fraction:
    return _NOTHING if selection.errors else _ALL


def _right_minus_wrong(selection: _Selection) -> Fraction:
    return max(_NOTHING, Fraction(selection.hits - selection.slips, max(selection.due, 1)))


def _every_decision(selection: _Selection) -> Fraction:
    return max(_NOTHING, Fraction(selection.options - selection.errors, max(selection.options, 1)))


def _halves(selection: _Selection) -> Fraction:
    """Half for one error of three or more decisions, a quarter for two of five or more, and never without a hit.

    Without the last condition one wrong tick where a single option is right would earn a quarter, more than a blank.
    """
    if not selection.errors:
        return _ALL
    if not selection.hits:
        return _NOTHING
    if selection.errors == 1 and selection.options >= 3:
        return Fraction(1, 2)
    if selection.errors == 2 and selection.options >= 5:
        return Fraction(1, 4)
    return _NOTHING


def _weighted(question: KeyedQuestion, chosen: set[str]) -> Fraction:
    """The sum of the fractions of the chosen options; without fractions ±1/C, as right minus wrong."""
    right, weights = question.key.correct, question.key.weights
    share = Fraction(1, max(len(right), 1))
    if weights is None:
        total = sum((share if choice in right else -share for choice in chosen), _NOTHING)
    else:
        total = sum((Fraction(weights.get(choice, Decimal(0))) for choice in chosen), _NOTHING)
    return max(_NOTHING, min(total, _ALL))


def _number(question: KeyedQuestion, response: Response, _: ScoringPolicy) -> Score:
    """The first band that holds the number decides; with 0.9 for a wide band before 1 for a narrow one, 0.9 it is."""
    number = response.numeric_value
    if number is None:
        return _BLANK
    met = (band for band in question.key.bands if meets(number, band))
    return _partly(next((Fraction(band.fraction) for band in met), _NOTHING))


def _short_text(question: KeyedQuestion, response: Response, _: ScoringPolicy) -> Score:
    written = as_compared(response.text or "")
    found = bool(written) and any(as_compared(text) == written for text in question.key.accepted)
    return _partly(_ALL if found else _NOTHING)


def _pairs(question: KeyedQuestion, response: Response, _: ScoringPolicy) -> Score:
    """The share of the prompts that were given their own choice; one left open is one that was not."""
    key, given = question.key.pairs, dict(response.pairs)
    if not given or not key:
        return _BLANK
    return _partly(Fraction(sum(given.get(prompt) == choice for prompt, choice in key.items()), len(key)))


def _order(question: KeyedQuestion, response: Response, policy: ScoringPolicy) -> Score:
    key, given = question.key.correct, response.order
    if not given:
        return _BLANK
    if given == key:
        return _partly(_ALL)
    due = _neighbours(key)
    if policy.ordering is OrderingPolicy.EXACT or sorted(given) != sorted(key):
        return _BLANK
    return _partly(Fraction(len(due & _neighbours(given)), len(due)))


def _neighbours(order: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(order))


def _partly(fraction: Fraction) -> Score:
    bounded = max(_NOTHING, min(fraction, _ALL))
    return Score(fraction=bounded, correct=bounded == _ALL)


_SELECTION_RULES: Mapping[MultiplePolicy, Callable[[_Selection], Fraction]] = {
    MultiplePolicy.ALL_OR_NOTHING: _all_or_nothing,
    MultiplePolicy.RIGHT_MINUS_WRONG: _right_minus_wrong,
    MultiplePolicy.EVERY_DECISION: _every_decision,
    MultiplePolicy.HALVES: _halves,
}
_RULES: Mapping[QuestionKind, Callable[[KeyedQuestion, Response, ScoringPolicy], Score]] = {
    QuestionKind.SINGLE: _one_choice,
    QuestionKind.TRUE_FALSE: _one_choice,
    QuestionKind.MULTIPLE: _several_choices,
    QuestionKind.NUMERIC: _number,
    QuestionKind.SHORT_TEXT: _short_text,
    QuestionKind.MATCHING: _pairs,
    QuestionKind.ORDERING: _order,
}

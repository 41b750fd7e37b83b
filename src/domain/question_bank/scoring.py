"""The one scoring function: a question with its key, a response and a policy give an exact mark.

Every kind of question has a rule of its own behind the same entry. Sources of the policies for several right options:
Canvas (right minus wrong), edX (every decision, halves) and Moodle (weighted, with fractions per choice).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import KeyedQuestion, Response

_NOTHING, _ALL = Fraction(0), Fraction(1)
_MARK_PLACES = 6


class MultiplePolicy(StrEnum):
    """How a question with several right options is marked."""

    ALL_OR_NOTHING = "all_or_nothing"
    RIGHT_MINUS_WRONG = "right_minus_wrong"
    EVERY_DECISION = "every_decision"
    HALVES = "halves"
    WEIGHTED = "weighted"


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

    def __post_init__(self) -> None:
        if not 0 <= self.penalty <= 1:
            raise ValueError(f"a penalty lies in 0..1, not {self.penalty}")


STANDARD = ScoringPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`fraction` of the full mark, exact (−1..1, for several right options 0..1), and whether the answer is right."""

    fraction: Fraction
    correct: bool

    def mark(self, max_mark: Decimal) -> Decimal:
        """The mark out of `max_mark`, rounded once, half to even, at the sixth decimal place."""
        millionths = round(self.fraction * Fraction(max_mark) * 10**_MARK_PLACES)
        return Decimal(millionths).scaleb(-_MARK_PLACES)


def score(question: KeyedQuestion, response: Response, policy: ScoringPolicy = STANDARD) -> Score:
    """Mark one response; a blank one earns nothing. Refuses (KeyError) a kind that has no rule, see `SCORED_KINDS`."""
    return _RULES[question.kind](question, response, policy)


def _one_choice(question: KeyedQuestion, response: Response, policy: ScoringPolicy) -> Score:
    if not response.choice_ids:
        return Score(fraction=_NOTHING, correct=False)
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
        return Score(fraction=_NOTHING, correct=False)
    if policy.multiple is MultiplePolicy.WEIGHTED:
        fraction = _weighted(question, chosen)
    else:
        selection = _Selection(len(question.choice_ids), len(right), len(chosen & right), len(chosen - right))
        fraction = _SELECTION_RULES[policy.multiple](selection)
    return Score(fraction=fraction, correct=chosen == right)


def _all_or_nothing(selection: _Selection) -> Fraction:
    return _NOTHING if selection.errors else _ALL


def _right_minus_wrong(selection: _Selection) -> Fraction:
    return max(_NOTHING, Fraction(selection.hits - selection.slips, selection.due))


def _every_decision(selection: _Selection) -> Fraction:
    return Fraction(selection.options - selection.errors, selection.options)


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
    share = Fraction(1, len(right))
    if weights is None:
        total = sum((share if choice in right else -share for choice in chosen), _NOTHING)
    else:
        total = sum((Fraction(weights.get(choice, Decimal(0))) for choice in chosen), _NOTHING)
    return max(_NOTHING, min(total, _ALL))


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
}
SCORED_KINDS = frozenset(_RULES)

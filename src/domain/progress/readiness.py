"""How likely a student would pass the exam of a package today.

Topics are treated as independent, so the intervals are somewhat narrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import ceil, fsum

from domain.progress.beta import beta_binomial
from domain.progress.calibration import Outcomes, calibrate
from domain.progress.evidence import PackageEvidence
from domain.progress.expected_paper import expected_paper
from domain.progress.weak_areas import Belief, beliefs

LEAST_COVERAGE = Fraction(3, 5)
SHOWN_AGAIN = timedelta(hours=24)
CHANCE_DECIMALS = 3
SCORE_DECIMALS = 1
_LOW_TAIL, _HIGH_TAIL = 0.1, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicForecast:
    """So many questions of a topic, and what is believed of the student there."""

    questions: int
    belief: Belief


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How a paper would go: the chance to pass, the expected number of right answers, and the middle 80 % of it."""

    p_pass: float
    expected: float
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The outlook on a paper of so many questions, of which `need` must be right; None: not enough is known.

    `coverage`: the part of the paper, from 0 to 1, in whose topics there is enough evidence. `uncalibrated`: chances
    that were shown about the package did not come true as they said.
    """

    questions: int
    need: int
    coverage: float
    outlook: Outlook | None
    uncalibrated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """An outlook as it was shown to a student, to be held against what becomes of it."""

    user_id: str
    id: str
    exam_package_id: str
    shown_at: datetime
    p_pass: float
    expected: float
    lowest: int
    highest: int
    need: int
    questions: int
    coverage: float

    def says_the_same_as(self, other: Prediction) -> bool:
        return self._numbers() == other._numbers()

    def _numbers(self) -> tuple[float, ...]:
        return (
            self.p_pass,
            self.expected,
            self.lowest,
            self.highest,
            self.need,
            self.questions,
            self.coverage,
        )


def questions_needed(pass_mark: Decimal, questions: int) -> int:
    """ceil(pass fraction · N), computed exactly; `pass_mark` is a percentage."""
    return ceil(Fraction(pass_mark) * questions / 100)


def convolve(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """The distribution of the sum of two independent counts."""
    total = [0.0] * (len(first) + len(second) - 1)
    for place, chance in enumerate(first):
        reach = slice(place, place + len(second))
        total[reach] = [sofar + chance * other for sofar, other in zip(total[reach], second, strict=True)]
    return total


def distribution(topics: Iterable[TopicForecast]) -> list[float]:
    """P(S = 0), …, P(S = N) of the number of right answers: the exact convolution of a beta-binomial per topic.

    Topics are taken in an order of their own, so that the order in which they come makes no difference to any digit.
    """
    ordered = sorted(topics, key=lambda topic: (topic.questions, topic.belief.a, topic.belief.b))
    chances = [1.0]
    for topic in ordered:
        chances = convolve(beta_binomial(topic.questions, topic.belief.a, topic.belief.b), chances)
    return chances


def foresee(topics: Sequence[TopicForecast], need: int) -> Outlook:
    """P(S ≥ need), E(S) = Σ n·a/(a + b), and the quantiles of 10 % and 90 % of S."""
    chances = distribution(topics)
    p_pass = 1.0 if need <= 0 else min(1.0, fsum(chances[need:]))
    return Outlook(
        p_pass=p_pass,
        expected=fsum(topic.questions * topic.belief.mean for topic in topics),
        lowest=_quantile(chances, _LOW_TAIL),
        highest=_quantile(chances, _HIGH_TAIL),
    )


def assess(package: PackageEvidence, outcomes: Iterable[Outcomes] = ()) -> Readiness:
    """The outlook of a student, unless topics with enough evidence are less than 60 % of the paper.

    `outcomes`: what became of the chances that were shown about the package before.
    """
    paper = expected_paper(package)
    believed = beliefs(package)
    topics = [
        TopicForecast(questions=count, belief=believed[topic_id])
        for topic_id, count in paper.questions.items()
        if count
    ]
    need = questions_needed(package.pass_mark, paper.total)
    coverage = _coverage(topics)
    return Readiness(
        questions=paper.total,
        need=need,
        coverage=float(coverage),
        outlook=foresee(topics, need) if coverage >= LEAST_COVERAGE else None,
        uncalibrated=calibrate(outcomes).is_uncalibrated,
    )


def rounded(readiness: Readiness) -> Readiness:
    """As it is shown: chances to a thousandth, scores to a tenth. More digits would promise more than is known."""
    outlook = readiness.outlook
    return replace(
        readiness,
        coverage=round(readiness.coverage, CHANCE_DECIMALS),
        outlook=outlook
        and replace(
            outlook,
            p_pass=round(outlook.p_pass, CHANCE_DECIMALS),
            expected=round(outlook.expected, SCORE_DECIMALS),
        ),
    )


def _coverage(topics: Sequence[TopicForecast]) -> Fraction:
    total = sum(topic.questions for topic in topics)
    founded = sum(topic.questions for topic in topics if topic.belief.is_founded)
    return Fraction(founded, total) if total else Fraction(0)


def _quantile(chances: Sequence[float], p: float) -> int:
    """The least count that is not exceeded with at least this chance."""
    return next((count for count, reached in enumerate(accumulate(chances)) if reached >= p), len(chances) - 1)

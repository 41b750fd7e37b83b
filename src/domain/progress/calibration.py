"""Whether the chances that students were shown came true.

Brier score: Brier 1950. Calibration slope: the b of logit P(passed) = a + b · logit(p), fitted by maximum likelihood
(Cox 1958); 1 is right, below 1 the predictions were too extreme, above 1 too timid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, log, log1p
from typing import TypeAlias

from domain.progress.intervals import wilson

ENOUGH_PAIRS = 200
LEAST_SLOPE, MOST_SLOPE = 0.8, 1.2
_BANDS = 10
_NEAREST = 0.0005  # half of the last digit that is shown: a chance of 0 or 1 has no logit
_STEPS = 50
_CLOSE = 1e-9
_Points: TypeAlias = Sequence[tuple[float, int, int]]  # logit of the chance, how many, how many of them passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Predictions that said the same chance to pass: how many there were, and how many of these students passed."""

    p_pass: float
    count: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Predictions from `low` until below `high` (the last includes 1): their mean, the share that passed, and its 95 %
    interval. `predicted` and `observed` are None where there were none.
    """

    low: float
    high: float
    count: int
    predicted: float | None
    observed: float | None
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Chances held against outcomes. `slope` is None where the outcomes do not determine one."""

    pairs: int
    passed: int
    brier: float | None
    slope: float | None
    bands: tuple[Band, ...]

    @property
    def is_uncalibrated(self) -> bool:
        """Whether readers have to be told that the chances are not what they seem."""
        if self.pairs < ENOUGH_PAIRS or self.slope is None:
            return False
        return not LEAST_SLOPE <= self.slope <= MOST_SLOPE


def calibrate(outcomes: Iterable[Outcomes]) -> Calibration:
    """The whole report of all pairs of chance and outcome."""
    groups = sorted((group for group in outcomes if group.count > 0), key=lambda group: (group.p_pass, group.passed))
    pairs = sum(group.count for group in groups)
    return Calibration(
        pairs=pairs,
        passed=sum(group.passed for group in groups),
        brier=fsum(_squares(group) for group in groups) / pairs if pairs else None,
        slope=calibration_slope(groups),
        bands=tuple(
            _band(number, [group for group in groups if band_of(group.p_pass) == number]) for number in range(_BANDS)
        ),
    )


def band_of(p_pass: float) -> int:
    """Which tenth a chance lies in, from 0; 1 itself lies in the last."""
    return min(_BANDS - 1, int(p_pass * _BANDS + _CLOSE))


def calibration_slope(groups: Sequence[Outcomes]) -> float | None:
    """By Newton's method on the log-likelihood, which is concave; a step that leads down is taken by halves.

    None where all chances are the same or chances tell outcomes apart.
    """
    points = [(_logit(group.p_pass), group.count, group.passed) for group in groups]
    a, b = 0.0, 1.0
    slope: float | None = None
    for _ in range(_STEPS):
        step = _newton_step(points, a, b)
        if step is None:
            return None
        moved = _climb(points, (a, b), step)
        done = max(abs(moved[0] - a), abs(moved[1] - b)) < _CLOSE
        a, b = moved
        if done:
            slope = b
            break
    return slope


def _climb(points: _Points, place: tuple[float, float], step: tuple[float, float]) -> tuple[float, float]:
    """Where the step leads, or the half of it, or the quarter, whichever is no lower than where it begins."""
    least = _log_likelihood(points, *place) - _CLOSE
    part, reached = 1.0, (place[0] + step[0], place[1] + step[1])
    while _log_likelihood(points, *reached) < least and part > _CLOSE:
        part /= 2.0
        reached = place[0] + part * step[0], place[1] + part * step[1]
    return reached


def _log_likelihood(points: _Points, a: float, b: float) -> float:
    return fsum(passed * (a + b * x) - count * _log_1_plus_exp(a + b * x) for x, count, passed in points)


def _log_1_plus_exp(x: float) -> float:
    return max(x, 0.0) + log1p(exp(-abs(x)))


def _newton_step(points: _Points, a: float, b: float) -> tuple[float, float] | None:
    """The inverse of the information matrix times the score; None where the matrix is singular."""
    score_a = score_b = aa = ab = bb = 0.0
    for x, count, passed in points:
        p = exp(-_log_1_plus_exp(-(a + b * x)))
        residual, information = passed - count * p, count * p * (1.0 - p)
        score_a += residual
        score_b += residual * x
        aa += information
        ab += information * x
        bb += information * x * x
    determinant = aa * bb - ab * ab
    if determinant <= _CLOSE * max(aa * bb, _CLOSE):
        return None
    return (bb * score_a - ab * score_b) / determinant, (aa * score_b - ab * score_a) / determinant


def _band(number: int, groups: Sequence[Outcomes]) -> Band:
    count = sum(group.count for group in groups)
    passed = sum(group.passed for group in groups)
    lowest, highest = wilson(passed, count)
    return Band(
        low=number / _BANDS,
        high=(number + 1) / _BANDS,
        count=count,
        predicted=fsum(group.p_pass * group.count for group in groups) / count if count else None,
        observed=passed / count if count else None,
        lowest=lowest,
        highest=highest,
    )


def _squares(group: Outcomes) -> float:
    p, failed = group.p_pass, group.count - group.passed
    return group.passed * (1.0 - p) ** 2 + failed * p * p


def _logit(p: float) -> float:
    p = min(1.0 - _NEAREST, max(_NEAREST, p))
    return log(p / (1.0 - p))

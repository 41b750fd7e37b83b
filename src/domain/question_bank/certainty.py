"""Certainty-based marking: how sure somebody was raises what a right answer earns and what a wrong one costs.

The factors are those of A. Gardner-Medwin (University College London), as in Moodle: saying truthfully how sure one is
pays best. They stand in a mark of their own beside the plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from domain.question_bank.scoring import Score

_NEGLIGIBLE = Fraction(5, 10**8)
"""A fraction up to this is a wrong answer."""


class Certainty(StrEnum):
    """How sure somebody is of an answer: 1, 2 or 3; who does not say is taken to be least sure."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class _Stake:
    """What is at stake: times the fraction of a right answer, and in place of the fraction of a wrong one.

    From `pays_from` on, as a share of right answers, this certainty earns more than the one below it.
    """

    right: int
    wrong: int
    pays_from: Fraction
    pays_to: Fraction


_STAKES: Mapping[Certainty, _Stake] = {
    Certainty.LOW: _Stake(1, 0, Fraction(0), Fraction(2, 3)),
    Certainty.MID: _Stake(2, -2, Fraction(2, 3), Fraction(4, 5)),
    Certainty.HIGH: _Stake(3, -6, Fraction(4, 5), Fraction(1)),
}
HIGHEST_FACTOR = max(stake.right for stake in _STAKES.values())


def certainty_fraction(fraction: Fraction, certainty: Certainty | None) -> Fraction:
    """What an answer of this plain fraction earns, in full marks: −6 to 3. A blank answer earns 0 without asking."""
    stake = _STAKES[certainty or Certainty.LOW]
    return fraction * stake.right if fraction > _NEGLIGIBLE else Fraction(stake.wrong)


def with_certainty(plain: Score, certainty: Certainty | None, *, answered: bool) -> Score:
    """The score by certainty beside the plain one; `correct` is what the answer is, however sure somebody was of it."""
    fraction = certainty_fraction(plain.fraction, certainty) if answered else Fraction(0)
    return Score(fraction=fraction, correct=plain.correct)


class Judgement(StrEnum):
    """How the share of right answers compares with the certainty that was claimed for them."""

    UNDERCONFIDENT = "underconfident"
    FITTING = "fitting"
    OVERCONFIDENT = "overconfident"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One row of the calibration table: the answers that were given with one certainty.

    `right_share` is the mean of their plain fractions, a negative one taken as 0; it and `judgement` are None without
    answers. The certainty fits a share from `fits_from` to `fits_to`.
    """

    certainty: Certainty
    answered: int
    right: int
    right_share: Fraction | None
    judgement: Judgement | None
    fits_from: Fraction
    fits_to: Fraction


def calibration(answers: Iterable[tuple[Certainty | None, Score]]) -> tuple[Calibration, ...]:
    """The calibration table of plain scores, a row for each certainty, the lowest first; without the blank answers."""
    given: dict[Certainty, list[Score]] = {certainty: [] for certainty in Certainty}
    for certainty, plain in answers:
        given[certainty or Certainty.LOW].append(plain)
    return tuple(_row(certainty, scores) for certainty, scores in given.items())


def _row(certainty: Certainty, scores: list[Score]) -> Calibration:
    stake, total = _STAKES[certainty], sum((max(score.fraction, Fraction(0)) for score in scores), Fraction(0))
    share = total / len(scores) if scores else None
    return Calibration(
        certainty=certainty,
        answered=len(scores),
        right=sum(score.correct for score in scores),
        right_share=share,
        judgement=None if share is None else _judged(share, stake),
        fits_from=stake.pays_from,
        fits_to=stake.pays_to,
    )


def _judged(share: Fraction, stake: _Stake) -> Judgement:
    if share < stake.pays_from:
        return Judgement.OVERCONFIDENT
    return Judgement.UNDERCONFIDENT if share > stake.pays_to else Judgement.FITTING

"""Whether chances came true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.beta import beta_binomial
from domain.progress.calibration import Outcomes, band_of, calibrate, calibration_slope
from domain.progress.evidence import TopicEvidence
from domain.progress.intervals import wilson
from domain.progress.readiness import TopicForecast, foresee
from domain.progress.weak_areas import believe

CHANCES = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
PAIRS = st.lists(st.tuples(CHANCES, st.booleans()), max_size=60)


def grouped(pairs: Iterable[tuple[float, bool]]) -> list[Outcomes]:
    counted, passed = Counter[float](), Counter[float]()
    for chance, success in pairs:
        counted[chance] += 1
        passed[chance] += success
    return [Outcomes(p_pass=chance, count=count, passed=passed[chance]) for chance, count in counted.items()]


def drawn(truth: float, pairs: int, seed: int = 7) -> list[Outcomes]:
    """Predictions whose logit is `1 / truth` of the true one's: the slope that describes them is `truth`."""
    chance = Random(seed)
    found = []
    for _ in range(pairs):
        said = round(chance.uniform(0.02, 0.98), 3)
        true = 1 / (1 + exp(-truth * log(said / (1 - said))))
        found.append((said, chance.random() < true))
    return grouped(found)


@given(PAIRS)
def test_the_brier_score_is_the_mean_squared_error(pairs: list[tuple[float, bool]]) -> None:
    found = calibrate(grouped(pairs))
    assert (found.pairs, found.passed) == (len(pairs), sum(success for _, success in pairs))
    if pairs:
        expected = sum((chance - success) ** 2 for chance, success in pairs) / len(pairs)
        assert found.brier == pytest.approx(expected, abs=1e-12)
        assert 0.0 <= expected <= 1.0
    else:
        assert (found.brier, found.slope, found.is_uncalibrated) == (None, None, False)


@given(PAIRS)
def test_every_pair_stands_in_the_band_of_its_chance(pairs: list[tuple[float, bool]]) -> None:
    bands = calibrate(grouped(pairs)).bands
    assert [(band.low, band.high) for band in bands] == [(n / 10, (n + 1) / 10) for n in range(10)]
    for number, band in enumerate(bands):
        within = [(c, s) for c, s in pairs if round(c * 1000) // 100 == number or (c == 1.0 and number == 9)]
        assert band.count == len(within)
        if within:
            assert band.predicted == pytest.approx(sum(c for c, _ in within) / len(within))
            assert band.observed == pytest.approx(sum(s for _, s in within) / len(within))
        else:
            assert (band.predicted, band.observed) == (None, None)
        assert (band.lowest, band.highest) == wilson(sum(s for _, s in within), len(within))


@pytest.mark.parametrize(("chance", "band"), [(0.0, 0), (0.099, 0), (0.1, 1), (0.3, 3), (0.7, 7), (0.999, 9), (1.0, 9)])
def test_a_band_begins_at_its_tenth_and_the_last_one_includes_certainty(chance: float, band: int) -> None:
    assert band_of(chance) == band


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_makes_no_difference(pairs: list[tuple[float, bool]], chance: object) -> None:
    groups = grouped(pairs)
    shuffled = sorted(groups, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert calibrate(shuffled) == calibrate(groups)


@pytest.mark.parametrize("truth", [0.4, 0.7, 1.0, 1.5])
def test_the_slope_tells_how_much_too_extreme_chances_were(truth: float) -> None:
    assert calibration_slope(drawn(truth, 4_000)) == pytest.approx(truth, abs=0.1)


@pytest.mark.parametrize(
    ("truth", "pairs", "uncalibrated"),
    [(1.0, 4_000, False), (0.4, 4_000, True), (1.6, 4_000, True), (0.2, 199, False), (0.2, 200, True)],
)
def test_two_hundred_pairs_and_a_slope_far_from_one_are_called_uncalibrated(
    truth: float, pairs: int, uncalibrated: bool
) -> None:
    assert calibrate(drawn(truth, pairs)).is_uncalibrated is uncalibrated


@given(st.lists(st.tuples(st.integers(20, 980).map(lambda t: t / 1000), st.booleans()), min_size=30, max_size=80))
def test_at_the_slope_no_other_line_is_more_likely(pairs: list[tuple[float, bool]]) -> None:
    slope = calibration_slope(grouped(pairs))
    if slope is None:
        return
    best = profile(pairs, slope)
    assert best >= profile(pairs, slope + 0.05) - 1e-9
    assert best >= profile(pairs, slope - 0.05) - 1e-9


def profile(pairs: Sequence[tuple[float, bool]], slope: float) -> float:
    """The log-likelihood with this slope, at the best intercept, which halving an interval finds."""
    points = [(slope * log(chance / (1 - chance)), success) for chance, success in pairs]
    low, high = -500.0, 500.0
    for _ in range(200):
        middle = (low + high) / 2
        excess = sum(success - 1 / (1 + exp(min(700.0, -(middle + x)))) for x, success in points)
        low, high = (middle, high) if excess > 0 else (low, middle)
    return sum(-softplus(-(low + x)) if success else -softplus(low + x) for x, success in points)


def softplus(x: float) -> float:
    return x + log(1 + exp(-x)) if x > 0 else log(1 + exp(x))


@pytest.mark.parametrize(
    "pairs",
    [
        [(0.5, True), (0.5, False)] * 200,
        [(0.2, False), (0.8, True)] * 200,
        [(0.2, True), (0.8, True)] * 200,
        [(0.0, False), (1.0, True)] * 200,
    ],
    ids=["one chance", "told apart", "all passed", "certain"],
)
def test_where_outcomes_determine_no_slope_none_is_told(pairs: list[tuple[float, bool]]) -> None:
    found = calibrate(grouped(pairs))
    assert found.slope is None
    assert not found.is_uncalibrated


def test_readiness_of_simulated_students_comes_true() -> None:
    """Students whose abilities are spread as the prior says answer 12 questions and then sit an exam of 20."""
    chance = Random(4711)
    pairs = []
    for _ in range(6_000):
        ability = chance.betavariate(2.0, 2.0)
        right = float(sum(chance.random() < ability for _ in range(12)))
        belief = believe(0.5, TopicEvidence(answers=12, total=right, effective=12.0, earned=right))
        said = foresee([TopicForecast(questions=20, belief=belief)], 12).p_pass
        pairs.append((round(said, 3), sum(chance.random() < ability for _ in range(20)) >= 12))
    found = calibrate(grouped(pairs))
    assert found.slope == pytest.approx(1.0, abs=0.1)
    assert not found.is_uncalibrated
    for band in found.bands:
        if band.count >= 100 and band.predicted is not None and band.observed is not None:
            assert band.observed == pytest.approx(band.predicted, abs=0.06)


def test_overconfident_readiness_is_found_out() -> None:
    """The same students, judged as though their answers were certain."""
    chance = Random(4711)
    pairs = []
    for _ in range(2_000):
        ability = chance.betavariate(2.0, 2.0)
        right = sum(chance.random() < ability for _ in range(12))
        said = sum(beta_binomial(20, 1e4 * (right + 0.5), 1e4 * (12.5 - right))[12:])
        pairs.append((min(1.0, round(said, 3)), sum(chance.random() < ability for _ in range(20)) >= 12))
    assert calibrate(grouped(pairs)).is_uncalibrated

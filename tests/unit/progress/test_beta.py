"""The beta and beta-binomial distributions, held against other ways to compute them."""

from __future__ import annotations

import json
from fractions import Fraction
from math import comb, exp, fsum, lgamma, log
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.beta import beta_binomial, beta_cdf, beta_quantile

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
WHOLE = st.integers(1, 60)
PARAMETERS = st.floats(0.3, 3_000.0)
PLACES = st.floats(0.0, 1.0)
# Of these 1 − x is exact: a rounded one is another place, where the function is another by as much as it is steep.
EXACT_PLACES = st.integers(0, 1 << 20).map(lambda k: k / (1 << 20))


@pytest.fixture
def vectors() -> dict[str, list[dict[str, Any]]]:
    if not VECTORS.is_file():
        pytest.skip("the vectors are not beside the checkout")
    found: dict[str, list[dict[str, Any]]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def test_the_published_values_are_met(vectors: dict[str, list[dict[str, Any]]]) -> None:
    for case in vectors["beta_cdf"]:
        assert beta_cdf(case["x"], case["a"], case["b"]) == pytest.approx(case["cdf"], abs=1e-9), case


@given(WHOLE, WHOLE, st.fractions(0, 1, max_denominator=1000))
def test_with_whole_parameters_it_is_a_binomial_tail(a: int, b: int, x: Fraction) -> None:
    """I_x(a, b) = P(Bin(a + b − 1, x) ≥ a), computed exactly (DLMF 8.17.5)."""
    n = a + b - 1
    tail = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(float(x), a, b) == pytest.approx(float(tail), abs=1e-11)


@pytest.mark.parametrize("a", [1.3, 2.5, 4.0, 17.25, 140.5])
@pytest.mark.parametrize("b", [1.7, 3.5, 9.75, 88.0])
@pytest.mark.parametrize("x", [0.02, 0.3, 0.5, 0.75, 0.97])
def test_with_any_parameters_it_is_the_integral_of_the_density(a: float, b: float, x: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(integral(x, a, b), abs=1e-9)


def integral(x: float, a: float, b: float) -> float:
    """Simpson's rule twice, extrapolated (Richardson), after t = u⁴, which makes the density smooth at 0."""
    rough, fine = simpson(x, a, b, 2_000), simpson(x, a, b, 4_000)
    return fine + (fine - rough) / 15


def simpson(x: float, a: float, b: float, steps: int) -> float:
    scale = lgamma(a + b) - lgamma(a) - lgamma(b)
    width = float(x**0.25) / steps

    def density(u: float) -> float:
        return 4 * u**3 * exp(scale + 4 * (a - 1) * log(u) + (b - 1) * log(1 - u**4)) if u else 0.0

    weights = (1 if i in (0, steps) else 4 if i % 2 else 2 for i in range(steps + 1))
    return width / 3 * fsum(weight * density(i * width) for i, weight in enumerate(weights))


@given(EXACT_PLACES, PARAMETERS, PARAMETERS)
def test_both_sides_add_up_to_one(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) + beta_cdf(1.0 - x, b, a) == pytest.approx(1.0, abs=1e-10)


@given(PLACES, PLACES, PARAMETERS, PARAMETERS)
def test_it_grows_from_0_to_1(x: float, y: float, a: float, b: float) -> None:
    low, high = sorted((x, y))
    assert 0.0 <= beta_cdf(low, a, b) <= beta_cdf(high, a, b) + 1e-11 <= 1.0 + 1e-11
    assert (beta_cdf(0.0, a, b), beta_cdf(1.0, a, b)) == (0.0, 1.0)


@given(st.floats(0.01, 0.99), st.floats(0.8, 6_000.0), st.floats(0.4, 6_000.0))
def test_a_quantile_is_where_its_probability_is_reached(p: float, a: float, b: float) -> None:
    x = beta_quantile(p, a, b)
    assert 0.0 < x < 1.0
    assert beta_cdf(x, a, b) == pytest.approx(p, abs=1e-8)


@given(st.integers(0, 60), WHOLE, WHOLE)
def test_with_whole_parameters_the_chances_are_these_fractions(n: int, a: int, b: int) -> None:
    """C(n, k) · B(k + a, n − k + b) / B(a, b) by Pólya's urn: binomial coefficients only."""
    chances = beta_binomial(n, a, b)
    assert len(chances) == n + 1
    for k, chance in enumerate(chances):
        exact = Fraction(comb(k + a - 1, k) * comb(n - k + b - 1, n - k), comb(n + a + b - 1, n))
        assert chance == pytest.approx(float(exact), abs=1e-12)


@given(st.integers(0, 500), PARAMETERS, PARAMETERS)
def test_the_chances_of_every_count_add_up_to_one(n: int, a: float, b: float) -> None:
    chances = beta_binomial(n, a, b)
    assert fsum(chances) == pytest.approx(1.0, abs=1e-9)
    assert fsum(k * chance for k, chance in enumerate(chances)) == pytest.approx(n * a / (a + b), abs=1e-6)

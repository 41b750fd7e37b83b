"""The beta and beta-binomial distributions, to about twelve digits."""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p

_MOST_STEPS = 10_000  # about the square root of the larger parameter is needed: enough for a hundred million answers
_SMALLEST = 1e-300
_PRECISION = 1e-15
_CLOSE = 1e-12
_HALVINGS = 200


def log_beta(a: float, b: float) -> float:
    """ln B(a, b)."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b): how likely a Beta(a, b) quantity is at most x.

    By its continued fraction (DLMF 8.17.22) on the side where that converges fast; the other side is the symmetry
    I_x(a, b) = 1 − I_{1−x}(b, a) (DLMF 8.17.4).
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = exp(a * log(x) + b * log1p(-x) - log_beta(a, b))
    if x < (a + 1.0) / (a + b + 2.0):
        return min(1.0, front * _continued_fraction(x, a, b) / a)
    return max(0.0, 1.0 - front * _continued_fraction(1.0 - x, b, a) / b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by Newton's method within a bracket that is halved wherever Newton leaves it."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    for _ in range(_HALVINGS):
        error = beta_cdf(x, a, b) - p
        low, high = (low, x) if error > 0.0 else (x, high)
        guess = x - error / _density(x, a, b)
        guess = guess if low < guess < high else (low + high) / 2.0
        done, x = abs(guess - x) < _CLOSE, guess
        if done:
            break
    return x


def beta_binomial(n: int, a: float, b: float) -> list[float]:
    """P(X = 0), …, P(X = n) of n answers that are right with a common probability which is Beta(a, b) (Skellam 1948).

    P(X = k) = C(n, k) · B(k + a, n − k + b) / B(a, b), by the ratio of each to the one before: no large numbers cancel,
    however certain the probability is.
    """
    logarithm = fsum(log((b + i) / (a + b + i)) for i in range(n))
    chances = [exp(logarithm)]
    for k in range(n):
        logarithm += log((n - k) / (k + 1.0) * (k + a) / (n - k - 1.0 + b))
        chances.append(exp(logarithm))
    return chances


def _density(x: float, a: float, b: float) -> float:
    return max(_SMALLEST, exp((a - 1.0) * log(x) + (b - 1.0) * log1p(-x) - log_beta(a, b)))


def _continued_fraction(x: float, a: float, b: float) -> float:
    """DLMF 8.17.22 evaluated from its front (Lentz 1976, as modified by Thompson and Barnett 1986)."""
    numerator, denominator = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = denominator
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        denominator = 1.0 / _not_zero(1.0 + even * denominator)
        numerator = _not_zero(1.0 + even / numerator)
        value *= denominator * numerator
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        denominator = 1.0 / _not_zero(1.0 + odd * denominator)
        numerator = _not_zero(1.0 + odd / numerator)
        change = denominator * numerator
        value *= change
        if abs(change - 1.0) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST

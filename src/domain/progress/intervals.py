"""Intervals around a share that was counted."""

from __future__ import annotations

from math import sqrt

_Z_95 = 1.959963984540054  # the standard normal quantile of 0.975


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """The score interval at 95 % (Wilson 1927): where the true share lies, given `hits` of `trials`.

    Meant for public shares, which need an interval and no prior. Without trials it is all of 0..1.
    """
    if trials <= 0:
        return 0.0, 1.0
    share, z2 = hits / trials, _Z_95 * _Z_95
    centre = share + z2 / (2.0 * trials)
    margin = _Z_95 * sqrt(share * (1.0 - share) / trials + z2 / (4.0 * trials * trials))
    scale = 1.0 + z2 / trials
    lowest = 0.0 if hits <= 0 else (centre - margin) / scale
    highest = 1.0 if hits >= trials else (centre + margin) / scale
    return max(0.0, lowest), min(1.0, highest)

"""The interval around a share that was counted."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.progress.intervals import wilson

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "estimators.json"
COUNTS = st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_the_published_values_are_met() -> None:
    for case in json.loads(VECTORS.read_text(encoding="utf-8"))["wilson95"]:
        assert wilson(case["k"], case["n"]) == pytest.approx((case["lo"], case["hi"]), abs=1e-9), case


@given(COUNTS)
def test_its_ends_are_where_the_score_test_just_refuses(counts: tuple[int, int]) -> None:
    """Wilson's definition: |share − p| = z · sqrt(p(1 − p) / n) at both ends."""
    hits, trials = counts
    for end in wilson(hits, trials):
        if 0.0 < end < 1.0:
            assert abs(hits / trials - end) == pytest.approx(
                1.959963984540054 * sqrt(end * (1 - end) / trials), abs=1e-9
            )


@given(COUNTS)
def test_it_holds_the_share_and_stays_between_0_and_1(counts: tuple[int, int]) -> None:
    hits, trials = counts
    low, high = wilson(hits, trials)
    assert 0.0 <= low <= hits / trials <= high <= 1.0


def test_without_trials_nothing_is_excluded() -> None:
    assert wilson(0, 0) == (0.0, 1.0)

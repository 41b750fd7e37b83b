"""Bursts against a direct model of the rule: a count, and when it was last raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.auth.throttling import Admission, Attempts, Burst
from tests.support.auth_builders import NOW

SECOND = timedelta(seconds=1)


@dataclass
class Model:
    """What the protocol says, in milliseconds."""

    limit: int
    window: int
    count: int = 0
    last: int = 0

    def ask(self, now: int) -> int:
        """Zero where the act is allowed, else the seconds to wait."""
        if self.count == 0 or now - self.last >= self.window:
            self.count, self.last = 1, now
            return 0
        if self.count >= self.limit:
            return -(-(self.last + self.window - now) // 1000)
        self.count, self.last = self.count + 1, now
        return 0


@given(
    limit=st.integers(1, 5),
    window=st.integers(1, 60),
    pauses=st.lists(st.integers(0, 70_000) | st.sampled_from([9_999, 10_000, 10_001]), max_size=40),
)
def test_a_burst_decides_as_the_protocol_does(limit: int, window: int, pauses: list[int]) -> None:
    burst = Burst(name="door", limit=limit, window=timedelta(seconds=window))
    model, counter, elapsed = Model(limit, window * 1000), Attempts.none("a", NOW), 0
    for pause in pauses:
        elapsed += pause
        now = NOW + timedelta(milliseconds=elapsed)
        counter = burst.current(counter, now)
        refused = burst.admits(counter, now) is Admission.REFUSED
        waiting = burst.left(counter, now).seconds if refused else 0
        assert waiting == model.ask(elapsed)
        counter = counter if refused else burst.taken(counter, now)


def test_acts_that_are_refused_do_not_prolong_the_wait() -> None:
    burst = Burst(name="door", limit=1, window=10 * SECOND)
    counter = burst.taken(Attempts.none("a", NOW), NOW)
    assert burst.left(burst.current(counter, NOW + 9 * SECOND), NOW + 9 * SECOND).seconds == 1
    later = NOW + 10 * SECOND
    assert burst.admits(burst.current(counter, later), later) is Admission.ADMITTED


def test_every_act_that_counts_prolongs_the_burst() -> None:
    burst = Burst(name="door", limit=2, window=10 * SECOND)
    counter = burst.taken(Attempts.none("a", NOW), NOW)
    counter = burst.taken(burst.current(counter, NOW + 9 * SECOND), NOW + 9 * SECOND)
    later = NOW + 18 * SECOND
    assert burst.admits(burst.current(counter, later), later) is Admission.REFUSED
    assert burst.left(counter, later).acts == 0

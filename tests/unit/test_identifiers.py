"""Identifiers sort by time, and nobody can guess the next one."""

from __future__ import annotations

import pickle
import secrets
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.system.clock import TimeOrderedIds
from domain.identifiers import could_be_id

_MILLISECOND: Final = 1_000_000
_NOW: Final = 1_763_785_713_000 * _MILLISECOND


@given(steps=st.lists(st.integers(-3, 3), min_size=1, max_size=300))
def test_a_later_identifier_sorts_after_an_earlier_one_whatever_the_clock_does(steps: list[int]) -> None:
    now = _NOW
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now)
        ids, made = TimeOrderedIds(), []
        for step in steps:
            now += step * _MILLISECOND
            made.append(ids.new("evt"))
    assert made == sorted(set(made))
    assert all(could_be_id(each) for each in made)


@pytest.mark.parametrize("step", [0, _MILLISECOND])
def test_each_of_very_many_has_chance_of_its_own(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Also where the system is asked again for more of it."""
    now, asked = _NOW, []
    whole = secrets.token_bytes

    def counted(size: int) -> bytes:
        asked.append(size)
        return whole(size)

    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(secrets, "token_bytes", counted)
    ids, ends = TimeOrderedIds(), []
    for _ in range(2_000):
        ends.append(ids.new("evt")[-6:])
        now += step
    assert len(set(ends)) >= 1_990  # 30 bits by chance
    assert sum(asked) >= 2_000 * 4
    assert len(asked) <= 20


def test_generators_do_not_share_their_chance() -> None:
    first = TimeOrderedIds()
    first.new("evt")
    second = pickle.loads(pickle.dumps(first))
    assert len({ids.new("evt")[-12:] for ids in (first, second, TimeOrderedIds()) for _ in range(100)}) == 300

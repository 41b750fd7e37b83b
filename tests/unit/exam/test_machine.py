"""Any history of exams on dictionaries: lazy is eager, and both are what is written down of the rules."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test as run_machine

from tests.support.exam_machine import Exams
from tests.support.exam_model import VECTORS
from tests.support.exam_stores import ExamsInMemory
from tests.support.exam_worlds import World
from tests.support.postgres import SettableClock


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_any_history_of_exams_ends_as_the_matrix_says_whenever_the_sweeper_comes() -> None:
    with asyncio.Runner() as runner:

        class Here(Exams):
            def __init__(self) -> None:
                clock = SettableClock()
                lazy = World("lazy", ExamsInMemory(clock), swept=False)
                super().__init__(runner, clock, [lazy, World("swept", ExamsInMemory(clock), swept=True)])

        run_machine(Here, settings=settings(stateful_step_count=30))

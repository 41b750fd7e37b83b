"""Any history of exams: dictionaries and the real database do the same, whenever the sweeper comes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test as run_machine

from adapters.postgres.database import Database
from tests.support.exam_machine import Exams
from tests.support.exam_model import VECTORS
from tests.support.exam_stores import ExamsInMemory, exams_on_postgres
from tests.support.exam_worlds import World
from tests.support.postgres import ClonedDatabase, SettableClock


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors are not beside the checkout")
def test_any_history_of_exams_is_the_same_everywhere(module_database: ClonedDatabase) -> None:
    with asyncio.Runner() as runner:
        database = Database(module_database.urls.app, pool_min=3, pool_max=3)
        runner.run(database.open())

        class Here(Exams):
            def __init__(self) -> None:
                module_database.empty()
                clock = SettableClock()
                lazy = World("lazy", ExamsInMemory(clock), swept=False)
                real = World("real", exams_on_postgres(module_database, database, clock), swept=True)
                super().__init__(runner, clock, [lazy, real])

        try:
            run_machine(Here, settings=settings(stateful_step_count=10))
        finally:
            runner.run(database.close())

"""What pgbench is given are the statements of the product, with a value for each of their parameters."""

from __future__ import annotations

from typing import cast

import psycopg
import pytest

from benchmarks import scripts
from benchmarks.content import STUDENTS
from benchmarks.limit import statement


class _Answers:
    """A database that has seen one answer."""

    def execute(self, _: str) -> _Answers:
        return self

    def fetchone(self) -> tuple[str]:
        return ("{}",)


def test_every_parameter_of_a_measured_statement_has_a_value() -> None:
    connection = cast(psycopg.Connection, _Answers())
    every = [
        scripts.read_paper("one", STUDENTS),
        scripts.list_papers(),
        scripts.list_packages(),
        scripts.answer(connection, STUDENTS),
        scripts.heartbeat(),
        scripts.exam_answer(),
        scripts.refresh(),
        scripts.login(),
    ]
    for script in every:
        assert "%(" not in script.render()


def test_a_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="limit"):
        statement("enrollment/packages", "list_packages", text="null", after="null")

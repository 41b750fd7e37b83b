"""Whether a student is there: by the last sign of life, and only while the session is active."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exam.connection import Connection, connection
from domain.exam.sessions import ExamStatus
from tests.support.exam_builders import START

_BEST_FIRST = [Connection.CONNECTED, Connection.UNSTABLE, Connection.LOST]
seconds = st.integers(-3600, 3600).map(lambda number: START + timedelta(seconds=number))


@pytest.mark.parametrize(
    ("silent", "expected"),
    [
        (0, Connection.CONNECTED),
        (30, Connection.CONNECTED),
        (30.000001, Connection.UNSTABLE),
        (90, Connection.UNSTABLE),
        (90.000001, Connection.LOST),
        (-5, Connection.CONNECTED),
    ],
)
def test_the_longer_nothing_was_heard_the_worse(silent: float, expected: Connection) -> None:
    now = START + timedelta(seconds=silent)
    assert connection(ExamStatus.ACTIVE, START, None, now) is expected
    assert connection(ExamStatus.ACTIVE, START - timedelta(hours=1), START, now) is expected


@given(status=st.sampled_from(ExamStatus), beat=seconds, now=seconds)
def test_nobody_is_waited_for_where_the_session_is_not_active(status: ExamStatus, beat: object, now: object) -> None:
    found = connection(status, START, beat, now)  # type: ignore[arg-type]
    assert (found is Connection.NONE) is (status is not ExamStatus.ACTIVE)


@given(first=seconds, second=seconds, now=seconds)
def test_another_sign_of_life_never_makes_it_worse(first: object, second: object, now: object) -> None:
    alone = connection(ExamStatus.ACTIVE, first, None, now)  # type: ignore[arg-type]
    both = connection(ExamStatus.ACTIVE, first, second, now)  # type: ignore[arg-type]
    assert _BEST_FIRST.index(both) <= _BEST_FIRST.index(alone)


def test_a_session_that_was_never_heard_of_has_no_connection() -> None:
    assert connection(ExamStatus.ACTIVE, None, None, START) is Connection.NONE

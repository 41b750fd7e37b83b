"""The error map: total over SQLSTATEs, blind to messages, and honest about what is in doubt."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from adapters.postgres.database import Database
from adapters.postgres.errors import is_collision, refusal_for
from domain.errors import DomainError, OutcomeUnknown, StoreConflict, StoreRejectedInput, StoreUnavailable

_LIKELY = (
    "22001 22003 22021 22P05 54000 54001 23505 23503 23514 40001 40P01 53100 53300 57014 57P01 57P03 08006 08P01"
    " 55P03 25P02 25P03 42601 42P01 42501 XX000"
)
states = st.from_regex(r"[0-9A-Z]{5}", fullmatch=True) | st.sampled_from(_LIKELY.split())
EXPECTED: dict[str, type[DomainError]] = {
    "22": StoreRejectedInput,
    "54": StoreRejectedInput,
    "23": StoreConflict,
    "40": StoreUnavailable,
    "53": StoreUnavailable,
    "57": StoreUnavailable,
    "08": StoreUnavailable,
}
OTHERS = dict.fromkeys(("55P03", "25P03", "25P04", "25006", "58030"), StoreUnavailable)


def with_state(state: str, message: str = "") -> psycopg.Error:
    error = psycopg.errors.lookup(state)(message) if state in _known() else psycopg.DatabaseError(message)
    error.sqlstate = state
    return error


def _known() -> set[str]:
    classes = (value for value in vars(psycopg.errors).values() if isinstance(value, type))
    return {state for found in classes if isinstance(state := getattr(found, "sqlstate", None), str)}


@given(state=states, message=st.text())
def test_the_sqlstate_alone_decides(state: str, message: str) -> None:
    refusal = refusal_for(with_state(state, message), {})
    assert type(refusal) is EXPECTED.get(state[:2], OTHERS.get(state, type(None)))


@given(state=states)
def test_503_always_says_when_to_come_back(state: str) -> None:
    refusal = refusal_for(with_state(state), {})
    if isinstance(refusal, StoreUnavailable):
        assert refusal.retry_after_seconds == 1


@given(state=states)
def test_a_connection_lost_at_commit_leaves_the_outcome_unknown_whatever_the_error_says(state: str) -> None:
    assert isinstance(refusal_for(with_state(state), {}, in_doubt=True), OutcomeUnknown)


@pytest.mark.parametrize("error", [PoolTimeout("x"), TooManyRequests("x"), PoolClosed("x")])
def test_without_a_connection_nothing_can_have_happened(error: Exception) -> None:
    assert isinstance(refusal_for(error, {}, in_doubt=True), StoreUnavailable)


@pytest.mark.parametrize("error", [psycopg.OperationalError("x"), psycopg.errors.ConnectionTimeout("x")])
def test_a_connection_that_breaks_before_commit_is_unavailability(error: Exception) -> None:
    assert isinstance(refusal_for(error, {}), StoreUnavailable)


@pytest.mark.parametrize(
    "error", [psycopg.DataError("x"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), RecursionError()]
)
def test_what_cannot_be_written_is_malformed_input(error: Exception) -> None:
    assert isinstance(refusal_for(error, {}), StoreRejectedInput)


@pytest.mark.parametrize(
    "error", [ValueError(), KeyError("x"), psycopg.ProgrammingError("x"), psycopg.InterfaceError()]
)
def test_defects_stay_visible(error: Exception) -> None:
    assert refusal_for(error, {}) is None


def test_only_collisions_are_worth_another_attempt() -> None:
    assert {state for state in _known() if is_collision(with_state(state))} == {"40001", "40P01"}


HOSTILE = [
    ("select %(x)s::text as x", "nul\0byte"),
    ("select %(x)s::text as x", "lone \ud800 surrogate"),
    ("select %(x)s::int as x", 2**40),
    ("select %(x)s::bigint as x", 2**70),
    ("select %(x)s::timestamptz as x", "10000000-01-01"),
    ("select %(x)s::timestamptz as x", "12026-01-01"),
    ("select %(x)s::jsonb as x", {"a": "\0"}),
    ("select 1 / %(x)s as x", 0),
    ("select %(x)s::numeric(4, 2) as x", 1e9),
    ("select repeat('x', %(x)s) as x", 2**30 + 1),
]


@pytest.mark.parametrize(("query", "value"), HOSTILE)
async def test_real_hostile_values_are_refused_as_malformed(database: Database, query: str, value: object) -> None:
    with pytest.raises(StoreRejectedInput):
        await database.fetch_one(query.encode().decode(), {"x": value})


@given(value=st.text() | st.integers() | st.floats() | st.binary() | st.recursive(st.text(), st.lists))
async def test_no_value_makes_an_unexplained_error(database: Database, value: object) -> None:
    """Any text, number or nesting either comes back or is refused."""
    try:
        await database.fetch_one("select %(x)s::jsonb as x", {"x": {"it": value}})
    except StoreRejectedInput:
        return

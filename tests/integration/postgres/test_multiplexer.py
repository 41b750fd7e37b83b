"""Single statements over shared connections answer as they do over the pool, whatever their neighbours do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any, Final, LiteralString

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from adapters.postgres import database as database_module
from adapters.postgres.database import Database
from domain.errors import OutcomeUnknown, StoreConflict, StoreRejectedInput
from tests.support.postgres import ClonedDatabase
from tests.support.sharing import (
    ADD,
    COUNT,
    READ,
    WAYS,
    add,
    count,
    end_whoever,
    make_things,
    numbers,
    read,
    shared,
    sharing_store,
    warm,
)

MANY: Final = 200


@pytest.fixture(params=WAYS)
async def sharing(
    request: pytest.FixtureRequest, cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """A store that carries single statements out in either way, with the things `a` to `e`."""
    monkeypatch.setattr(database_module, "MULTIPLEX", True)
    make_things(cloned.superuser, *"abcde")
    database = Database(
        cloned.urls.app,
        pool_min=1,
        pool_max=4,
        deadline_seconds=20.0,
        pool_timeout_seconds=20.0,
        multiplex=request.param == "multiplexer",
    )
    await database.open()
    await warm(database)
    yield database
    await database.close()


class Colour(StrEnum):
    RED = "red"


_VALUES: Final[Mapping[LiteralString, tuple[LiteralString, st.SearchStrategy[Any]]]] = {
    "text": ("text", st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)),
    "number": ("bigint", st.integers(-(2**63), 2**63 - 1)),
    "flag": ("bool", st.booleans()),
    "exact": ("numeric", st.decimals(allow_nan=False, allow_infinity=False, places=4)),
    "rough": ("float8", st.floats(allow_nan=False)),
    "instant": ("timestamptz", st.datetimes(timezones=st.just(UTC))),
    "span": ("interval", st.timedeltas(timedelta(days=-9000), timedelta(days=9000))),
    "blob": ("bytea", st.binary(max_size=40)),
    "list_of_numbers": ("int[]", st.lists(st.integers(-9, 9), max_size=5)),
    "list_of_texts": ("text[]", st.lists(st.text(st.characters(categories=["L", "P"]), max_size=5), max_size=5)),
    "document": ("jsonb", st.dictionaries(st.text(st.characters(categories=["L"])), st.integers(-9, 9)).map(Jsonb)),
    "plain_document": ("jsonb", st.dictionaries(st.sampled_from("abc"), st.none() | st.booleans())),
    "raw_document": ("jsonb", st.sampled_from([b"[1, 2]", b'{"a": "\xc3\xa4%"}', b"null"]).map(msgspec.Raw)),
    "colour": ("text", st.just(Colour.RED)),
}
_EVERYTHING: Final = "select " + ", ".join(f"%({name})s::{kind} as {name}" for name, (kind, _) in _VALUES.items())


@given(values=st.fixed_dictionaries({name: st.none() | values for name, (_, values) in _VALUES.items()}))
async def test_every_value_comes_as_it_does_from_the_pool(sharing: Database, values: dict[str, Any]) -> None:
    row = await sharing.read_one(_EVERYTHING, values)
    assert row == await sharing.fetch_one(_EVERYTHING, values)
    assert row is not None
    assert {name: type(value) for name, value in row.items()} == {
        name: type(None) if row[name] is None else type(row[name]) for name in _VALUES
    }
    assert row == await sharing.write_one(_EVERYTHING, values)


async def test_a_percent_sign_is_one_with_and_without_parameters(sharing: Database) -> None:
    assert await sharing.read_one("select '%' as sign, 7 % 4 as rest") == {"sign": "%", "rest": 3}
    with_some = await sharing.read_one("select '%%' as sign, 7 %% %(by)s::int as rest", {"by": 4})
    assert with_some == {"sign": "%", "rest": 3}


async def test_a_statement_that_is_composed_is_carried_out_too(sharing: Database) -> None:
    query = sql.SQL("select n from {} where id = %(id)s").format(sql.Identifier("things"))
    assert await sharing.read_one(query, {"id": "a"}) == {"n": 0}


async def test_only_the_first_row_is_told_and_no_row_is_none(sharing: Database) -> None:
    assert await sharing.read_one("select n from generate_series(1, 3) n") == {"n": 1}
    assert await read(sharing, "nothing") is None
    assert await count(sharing, "nothing") is None


async def test_everybody_gets_their_own_row(sharing: Database) -> None:
    query = "select %(n)s::int as n, repeat('x', %(n)s::int) as body"
    rows = await asyncio.gather(*(sharing.read_one(query, {"n": n}) for n in range(MANY)))
    assert rows == [{"n": n, "body": "x" * n} for n in range(MANY)]
    added = await asyncio.gather(*(add(sharing, f"thing-{n}", n=n, text="x" * n) for n in range(MANY)))
    assert added == [{"id": f"thing-{n}", "n": n, "size": n} for n in range(MANY)]


async def test_changes_of_one_row_all_count(sharing: Database) -> None:
    rows = await asyncio.gather(*(count(sharing, "abcde"[n % 5]) for n in range(MANY)))
    told = Counter((row["id"], row["n"]) for row in rows if row)
    assert told == Counter((thing, n) for thing in "abcde" for n in range(1, MANY // 5 + 1))
    assert await numbers(sharing) == dict.fromkeys("abcde", MANY // 5)


# What one caller may want: the statement, what is special about its values, and what it is refused with.
_WANTED: Final[Mapping[str, tuple[LiteralString, Mapping[str, Any], type[Exception] | None]]] = {
    "count": (COUNT, {"id": "a"}, None),
    "add": (ADD, {}, None),
    "add a thing that is there": (ADD, {"id": "b"}, StoreConflict),
    "add a number that is too large": (ADD, {"n": 1000}, StoreConflict),
    "add a number that is none": (ADD, {"n": "many"}, StoreRejectedInput),
    "add a child of nobody": (ADD, {"parent": "nobody"}, StoreConflict),
    "add a text that nobody can write": (ADD, {"text": "\ud800"}, StoreRejectedInput),
    "add a text with an end in it": (ADD, {"text": "a\0b"}, StoreRejectedInput),
    "forget a parameter": ("select %(forgotten)s::text as it", {}, psycopg.ProgrammingError),
    "ask a table that is not there": ("select %(id)s from nowhere", {}, psycopg.errors.UndefinedTable),
}


async def carry_out(database: Database, wish: str, place: int) -> Mapping[str, Any] | None:
    query, values, _ = _WANTED[wish]
    params = {"id": f"new-{place}", "n": 0, "parent": None, "text": "y" * place, **values}
    return await database.write_one(query, params, key=params["id"])


@given(wishes=st.lists(st.sampled_from(sorted(_WANTED)), min_size=1, max_size=90))
async def test_each_gets_what_it_would_get_alone(sharing: Database, wishes: list[str]) -> None:
    """Whoever fails is told why; whoever shared a group with them is answered, and counted once."""
    await sharing.fetch_all("delete from things where id like 'new-%%' returning id", {})
    before = (await numbers(sharing))["a"]
    if before > 800:
        await sharing.fetch_one("update things set n = 0 where id = 'a' returning id")
        before = 0
    outcomes = await asyncio.gather(
        *(carry_out(sharing, wish, place) for place, wish in enumerate(wishes)), return_exceptions=True
    )
    for place, (wish, outcome) in enumerate(zip(wishes, outcomes, strict=True)):
        refusal = _WANTED[wish][2]
        if refusal is not None:
            assert isinstance(outcome, refusal)
        elif wish == "add":
            assert outcome == {"id": f"new-{place}", "n": 0, "size": place}
    counted = [
        outcome["n"]
        for wish, outcome in zip(wishes, outcomes, strict=True)
        if wish == "count" and isinstance(outcome, dict)
    ]
    assert len(counted) == wishes.count("count")
    assert sorted(counted) == list(range(before + 1, before + 1 + len(counted)))
    after = await numbers(sharing)
    assert after["a"] == before + len(counted)
    assert {name for name in after if name.startswith("new-")} == {
        f"new-{place}" for place, wish in enumerate(wishes) if wish == "add"
    }


@given(wishes=st.lists(st.sampled_from(["read", "divide", "overflow", "nothing"]), min_size=1, max_size=90))
async def test_readers_are_answered_each_for_itself(sharing: Database, wishes: list[str]) -> None:
    queries: Mapping[str, LiteralString] = {
        "read": READ,
        "divide": "select 1 / n as n from things where id = %(id)s",
        "overflow": "select (%(id)s || '9999999999')::int as n",
        "nothing": "select from things where id = %(id)s and n < 0",
    }
    outcomes = await asyncio.gather(
        *(sharing.read_one(queries[wish], {"id": "c"}) for wish in wishes), return_exceptions=True
    )
    for wish, outcome in zip(wishes, outcomes, strict=True):
        if wish in ("divide", "overflow"):
            assert isinstance(outcome, StoreRejectedInput)
        else:
            assert outcome == ({"id": "c", "n": 0, "body": None} if wish == "read" else None)


async def test_a_value_that_cannot_be_represented_harms_its_reader_only(sharing: Database) -> None:
    far = "select 'infinity'::timestamptz as at"
    outcomes = await asyncio.gather(
        read(sharing, "a"), sharing.read_one(far), read(sharing, "b"), return_exceptions=True
    )
    assert isinstance(outcomes[1], StoreRejectedInput)
    assert [row["id"] for row in (outcomes[0], outcomes[2]) if isinstance(row, dict)] == ["a", "b"]
    written = await asyncio.gather(count(sharing, "a"), sharing.write_one(far), return_exceptions=True)
    assert written[0] == {"id": "a", "n": 1}
    assert isinstance(written[1], StoreRejectedInput)


async def test_nothing_is_told_before_it_is_committed(sharing: Database, cloned: ClonedDatabase) -> None:
    """The commit itself takes its time, and whoever looks when the answer comes finds what was done."""
    begun = time.monotonic()
    with psycopg.connect(cloned.urls.app, autocommit=True) as other:
        row, neighbour = await asyncio.gather(add(sharing, "slow"), count(sharing, "a"))
        found = other.execute("select id from things where id in ('slow', 'a') and (id, n) <> ('a', 0)").fetchall()
    assert time.monotonic() - begun >= 0.3
    assert (row, neighbour) == ({"id": "slow", "n": 0, "size": 0}, {"id": "a", "n": 1})
    assert sorted(found) == [("a",), ("slow",)]


async def test_one_that_fails_at_the_commit_fails_alone(sharing: Database) -> None:
    calls = [
        count(sharing, "a"),
        add(sharing, "orphan", parent="nobody"),
        count(sharing, "b"),
        add(sharing, "x", parent="a"),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(outcomes[1], StoreConflict)
    assert await numbers(sharing) == {"a": 1, "b": 1, "c": 0, "d": 0, "e": 0, "x": 0}


async def test_a_row_that_is_held_keeps_only_those_waiting_who_want_it(
    sharing: Database, cloned: ClonedDatabase
) -> None:
    with psycopg.connect(cloned.urls.app) as holder:
        holder.execute("select from things where id = 'a' for update")
        begun = time.monotonic()
        blocked = [asyncio.create_task(count(sharing, "a")) for _ in range(2)]
        others = await asyncio.gather(*(count(sharing, "bcde"[n % 4]) for n in range(100)))
        assert time.monotonic() - begun < 1.5
        assert all(others)
        assert not any(task.done() for task in blocked)
        holder.commit()
        assert sorted(row["n"] for row in await asyncio.gather(*blocked) if row) == [1, 2]


async def test_a_circle_of_waiting_is_broken_and_everybody_is_answered(
    sharing: Database, cloned: ClonedDatabase
) -> None:
    """A unit of work holds `b` and wants `a`; a group has `a` already and wants `b`."""
    async with await psycopg.AsyncConnection.connect(cloned.urls.app) as unit:
        await unit.execute("update things set n = n + 1 where id = 'b'")
        group = asyncio.gather(count(sharing, "a"), count(sharing, "b"))
        await asyncio.sleep(0.03)
        try:
            await unit.execute("update things set n = n + 1 where id = 'a'")
            await unit.commit()
            kept = 1
        except psycopg.errors.DeadlockDetected:
            await unit.rollback()
            kept = 0
        assert all(await group)
    assert await numbers(sharing) == {"a": 1 + kept, "b": 1 + kept, "c": 0, "d": 0, "e": 0}


async def test_large_statements_and_large_rows_pass_both_ways(sharing: Database) -> None:
    """Far more than a socket takes at once, in both directions at the same time."""
    query = "select %(n)s::int as n, repeat(%(body)s::text, 2) as body"
    rows = await asyncio.gather(*(sharing.read_one(query, {"n": n, "body": "ä" * 300_000}) for n in range(40)))
    assert [(row["n"], row["body"] == "ä" * 600_000) for row in rows if row] == [(n, True) for n in range(40)]


@given(delays=st.lists(st.integers(0, 6), min_size=1, max_size=120))
async def test_callers_that_go_away_take_nobody_along(sharing: Database, delays: list[int]) -> None:
    """At any moment, before or after their statement went out; the rows of those who stay are their own."""

    async def leave(place: int, turns: int) -> object:
        call = asyncio.create_task(sharing.read_one("select %(n)s::int as n", {"n": place}))
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns == 6:
            return await call
        call.cancel()
        return None

    outcomes = await asyncio.gather(*(leave(place, turns) for place, turns in enumerate(delays)))
    assert outcomes == [{"n": place} if turns == 6 else None for place, turns in enumerate(delays)]


async def test_what_a_caller_that_went_away_had_sent_is_done_once_or_not_at_all(sharing: Database) -> None:
    stay: list[asyncio.Task[Mapping[str, Any] | None]] = []
    leave: list[asyncio.Task[Mapping[str, Any] | None]] = []
    for place in range(200):
        call = asyncio.create_task(count(sharing, "a"))
        (stay if place % 3 else leave).append(call)
        await asyncio.sleep(0)
        if place % 3 == 0:
            call.cancel()
    rows = await asyncio.gather(*stay)
    await asyncio.gather(*leave, return_exceptions=True)
    async with asyncio.timeout(2):
        while sharing.running:
            await asyncio.sleep(0.01)
    assert len({row["n"] for row in rows if row}) == len(stay)
    assert len(stay) <= (await numbers(sharing))["a"] <= 200


async def test_a_change_of_the_schema_costs_nobody_an_answer(sharing: Database, cloned: ClonedDatabase) -> None:
    everything = "select * from things where id = %(id)s"
    assert await sharing.read_one(everything, {"id": "a"}) == {"id": "a", "n": 0, "parent": None, "body": None}
    with cloned.administration() as administration:
        administration.execute("alter table things add more int default 3")
    for _ in range(3):
        rows = await asyncio.gather(*(sharing.read_one(everything, {"id": thing}) for thing in "abc"))
        assert [row and (row["id"], row["more"]) for row in rows] == [("a", 3), ("b", 3), ("c", 3)]


async def test_a_statement_whose_backend_is_ended_has_an_unknown_outcome_if_it_writes(
    sharing: Database, cloned: ClonedDatabase
) -> None:
    call = asyncio.create_task(sharing.write_one("select pg_sleep(2)::text as of_this_test"))
    await end_whoever(cloned.superuser, "%of_this_test")
    with pytest.raises(OutcomeUnknown):
        await call
    assert await count(sharing, "a") == {"id": "a", "n": 1}


@pytest.fixture
async def multiplexed(cloned: ClonedDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A store that shares connections, with the things `a` to `e`."""
    async with sharing_store(cloned, monkeypatch) as store:
        yield store


async def test_what_is_shared_is_told_in_figures(multiplexed: Database) -> None:
    assert shared(multiplexed, "connections") == 0
    await warm(multiplexed)
    await asyncio.gather(*(count(multiplexed, "a") for _ in range(9)), add(multiplexed, "a"), return_exceptions=True)
    figures = {name: shared(multiplexed, name) for name in ("connections", "waiting", "sent_again", "handed_on")}
    assert figures == {"connections": 2, "waiting": 0, "sent_again": 9, "handed_on": 1}
    assert (shared(multiplexed, "groups"), shared(multiplexed, "members")) == (3, 12)
    await multiplexed.close()
    assert shared(multiplexed, "connections") == 0


async def test_members_of_a_group_take_hold_of_rows_in_one_order(multiplexed: Database) -> None:
    """Whoever came first: so that two processes with the same people never wait for each other in a circle."""
    await warm(multiplexed)
    marked = "update things set n = n + 1 where id = %(id)s returning clock_timestamp() as at"
    rows = await asyncio.gather(*(multiplexed.write_one(marked, {"id": thing}, key=thing) for thing in "ecbda"))
    times = [row["at"] for row in rows if row]
    assert [times["ecbda".index(thing)] for thing in "abcde"] == sorted(times)


async def test_a_statement_that_is_out_of_date_is_prepared_anew(multiplexed: Database, cloned: ClonedDatabase) -> None:
    everything = "select * from things where id = %(id)s"
    await multiplexed.read_one(everything, {"id": "a"})
    with cloned.administration() as administration:
        administration.execute("alter table things add more int default 3")
    now = {"id": "a", "n": 0, "parent": None, "body": None, "more": 3}
    for _ in range(5):
        assert await multiplexed.read_one(everything, {"id": "a"}) == now
    assert await multiplexed.read_one("deallocate all") is None
    for _ in range(5):
        assert await multiplexed.read_one(everything, {"id": "a"}) == now
    assert shared(multiplexed, "handed_on") == 2

"""Rows become entities and entities become parameters, and come back as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NewType

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.connections import connection_options
from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record

_SELECT = """
select %(name)s::text as name, %(colour)s::text as colour, %(mark)s::numeric as mark, %(at)s::timestamptz as at,
       %(ended_at)s::timestamptz as ended_at, %(tags)s::text[] as tags, %(parts)s::jsonb as parts,
       %(main)s::jsonb as main, %(extra)s::jsonb as extra, %(hash)s::bytea as hash, 'ignored' as without_field
"""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    text: str
    weight: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    colour: Colour
    mark: Decimal
    at: datetime
    ended_at: datetime | None
    tags: tuple[str, ...]
    parts: tuple[Part, ...]
    main: Part | None
    extra: Mapping[str, object]
    hash: bytes


ChoiceId = NewType("ChoiceId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    id: ChoiceId
    colours: frozenset[Colour]
    aliases: tuple[str, ...] | None


def text(size: int = 20) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=size)


marks = st.decimals(min_value=-1000, max_value=1000, places=4, allow_nan=False)
instants = st.integers(946_684_800_000_000, 4_102_444_800_000_000).map(lambda us: _EPOCH + timedelta(microseconds=us))
parts = st.builds(Part, text=text(), weight=marks)
things = st.builds(
    Thing,
    name=text(),
    colour=st.sampled_from(Colour),
    mark=marks,
    at=instants,
    ended_at=st.none() | instants,
    tags=st.lists(text(), max_size=4).map(tuple),
    parts=st.lists(parts, max_size=3).map(tuple),
    main=st.none() | parts,
    extra=st.dictionaries(text(5), text() | st.booleans() | st.integers(-(2**53), 2**53), max_size=3),
    hash=st.binary(max_size=32),
)


@given(thing=things)
async def test_an_entity_comes_back_from_its_row_as_it_was(database: Database, thing: Thing) -> None:
    row = await database.fetch_one(_SELECT, record(thing))
    assert row is not None
    assert entity(row, Thing) == thing


async def test_empty_tuples_are_empty_arrays_or_documents_by_their_type(database: Database) -> None:
    thing = Thing(
        name="", colour=Colour.RED, mark=Decimal(0), at=datetime(2030, 1, 1, tzinfo=UTC), ended_at=None, tags=(),
        parts=(), main=None, extra={}, hash=b"",
    )  # fmt: skip
    rows = await database.fetch_all(_SELECT, record(thing))
    assert entities(rows, Thing) == (thing,)


def test_fields_may_be_named_types_sets_and_optional_arrays() -> None:
    assert record(Choice(id=ChoiceId("A"), colours=frozenset(Colour), aliases=None)) == {
        "id": "A",
        "colours": ["blue", "red"],
        "aliases": None,
    }


def test_a_row_that_breaks_its_type_is_a_defect_not_a_value() -> None:
    with pytest.raises(msgspec.ValidationError):
        entity({"text": "x", "weight": "heavy"}, Part)


async def test_raw_json_is_stored_as_it_came(database: Database) -> None:
    row = await database.fetch_one("select %(raw)s::jsonb as it", {"raw": msgspec.Raw(b'{"a": [1, 2.50]}')})
    assert row == {"it": {"a": [1, 2.5]}}


async def test_a_dictionary_is_json(database: Database) -> None:
    row = await database.fetch_one("select %(it)s as it", {"it": {"a": Decimal("1.50"), "c": Colour.BLUE}})
    assert row == {"it": {"a": "1.50", "c": "blue"}}


async def test_times_are_utc_whatever_the_server_prefers(database: Database) -> None:
    row = await database.fetch_one("select now() as now")
    assert row is not None
    assert row["now"].tzinfo is UTC


async def test_json_settings_do_not_leak_into_other_users_of_psycopg(database: Database) -> None:
    await database.fetch_one("select 1")
    assert connection_options(5)["context"] is not psycopg.adapters

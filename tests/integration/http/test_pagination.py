"""Walking a list page by page shows every item once, and a cursor cannot be bent."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.pagination import Paging, Scalar, make_cursor
from entrypoints.http.refusals import InvalidCursor
from tests.support.http import assert_problem, build_app, client_of
from tests.support.sample_area import ROWS, sample_area

_TIMES = st.integers(946_684_800, 4_102_444_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=100)
_NUMBERS = st.integers(-(2**63), 2**63 - 1)
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(sample_area())) as client:
        yield client


@pytest.mark.parametrize("limit", [1, 7, 20, 44, 45, 46, 100])
async def test_following_the_cursor_shows_every_item_once_in_order(client: httpx.AsyncClient, limit: int) -> None:
    seen: list[str] = []
    url: str | None = f"/items?limit={limit}&topicId=a%26b"
    while url is not None:
        response = await client.get(url)
        body = response.json()
        assert len(body["items"]) <= limit
        assert body["total"] == 45
        seen += [item["id"] for item in body["items"]]
        link = response.links.get("next", {}).get("url")
        assert (link is None) == (body["nextCursor"] is None)
        if link is not None:
            query = parse_qs(urlsplit(link).query)
            assert query == {"limit": [str(limit)], "topicId": ["a&b"], "cursor": [body["nextCursor"]]}
        url = link
    assert seen == [row.id for row in ROWS]


async def test_twenty_items_are_shown_unless_told_otherwise(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/items")).json()["items"]) == 20


async def test_a_cursor_that_was_changed_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/items?limit=2")).json()["nextCursor"]
    for position in range(len(cursor)):
        bent = cursor[:position] + ("A" if cursor[position] != "A" else "B") + cursor[position + 1 :]
        assert_problem(await client.get("/items", params={"cursor": bent}), 422, "request.invalid_cursor")


@pytest.mark.parametrize("cursor", ["", "x", "AQ", "!!!!", "é", "A" * 900, "eyJhIjoxfQ=="])
async def test_a_cursor_that_we_did_not_make_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    assert_problem(await client.get("/items", params={"cursor": cursor}), 422, "request.invalid_cursor")


async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient) -> None:
    cursor = make_cursor("/other", (ROWS[0].created_at, ROWS[0].id))
    assert_problem(await client.get("/items", params={"cursor": cursor}), 422, "request.invalid_cursor")


@given(st.tuples(_TIMES, _TEXTS, _NUMBERS, _DECIMALS))
def test_a_cursor_returns_the_key_that_it_was_made_of(key: tuple[Scalar, ...]) -> None:
    paging = Paging(20, make_cursor("/x", key), "/x")
    assert paging.after(datetime, str, int, Decimal) == key


@pytest.mark.parametrize(
    ("key", "type_"),
    [
        (("a\x00b",), str),
        (("a" * 501,), str),
        ((2**63,), int),
        ((datetime(1999, 12, 31, tzinfo=UTC),), datetime),
        ((datetime(9999, 12, 31, tzinfo=UTC),), datetime),
        ((Decimal("Infinity"),), Decimal),
        ((1,), str),
        ((1, 2), int),
        ((), int),
    ],
)
def test_even_a_well_made_cursor_holds_only_what_the_list_can_use(key: tuple[Scalar, ...], type_: type[Scalar]) -> None:
    with pytest.raises(InvalidCursor):
        Paging(20, make_cursor("/x", key), "/x").after(type_)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_no_cursor(payload: bytes) -> None:
    cursor = base64.urlsafe_b64encode(payload).decode()
    with pytest.raises(InvalidCursor):
        Paging(20, cursor, "/x").after(str)


def test_the_key_is_packed_compactly() -> None:
    """A cursor stays well under what a URL bears."""
    assert len(make_cursor("/x", (datetime(2026, 1, 1, tzinfo=UTC), "q_" + "0" * 26))) < 90
    assert msgspec.msgpack.decode(b"\x91\x01") == [1]

"""Whatever is sent, the answer is never a 500, and every error is a problem document."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.http import assert_problem, build_app, client_of
from tests.support.sample_area import sample_area

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=30)
    | st.sampled_from(["A", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\x00", "\ud800", "1e400"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["title", "itemCount", "choices", "choiceId", "weight", "opensAt", "labels", "snapshot"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
_CONTENT_TYPES = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data", "application/json; x"]
) | st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=20)
_PATH_BYTES = st.binary(max_size=40)
_PATHS = ["/items", "/items/optional", "/large"]
_METHODS = ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """One application for all examples, as one server has to bear them all."""
    async with client_of(build_app(sample_area())) as client:
        yield client


def check(response: httpx.Response) -> None:
    assert response.status_code < 500
    if response.status_code >= 400:
        assert_problem(response, response.status_code, response.json()["code"])


@given(body=st.binary(max_size=200), content_type=_CONTENT_TYPES, path=st.sampled_from(_PATHS))
async def test_arbitrary_bytes_never_break_the_server(
    client: httpx.AsyncClient, body: bytes, content_type: str, path: str
) -> None:
    check(await client.post(path, content=body, headers={"content-type": content_type}))


@given(document=_JSON, as_field=st.booleans())
async def test_arbitrary_json_never_breaks_the_server(
    client: httpx.AsyncClient, document: object, as_field: bool
) -> None:
    content = {"title": "a", "snapshot": document} if as_field else document
    check(await client.post("/items", content=json.dumps(content), headers={"content-type": "application/json"}))


@given(path=_PATH_BYTES, query=st.binary(max_size=40), method=st.sampled_from(_METHODS))
async def test_arbitrary_addresses_never_break_the_server(
    client: httpx.AsyncClient, path: bytes, query: bytes, method: str
) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in path), "".join(f"%{byte:02x}" for byte in query)
    url = httpx.URL(f"http://ace.test/items/{escaped[0]}?cursor={escaped[1]}&limit={escaped[1]}")
    response = await client.request(method, url)
    if method == "HEAD":
        assert response.status_code < 500
    else:
        check(response)

"""Whatever is sent, the answer is never a 500, and every error is a problem document."""

from __future__ import annotations

import asyncio
import json

import httpx
from hypothesis import given, settings
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


def ask(method: str, url: str | httpx.URL, **options: object) -> httpx.Response:
    async def one() -> httpx.Response:
        async with client_of(build_app(sample_area())) as client:
            return await client.request(method, url, **options)  # type: ignore[arg-type]

    return asyncio.run(one())


def check(response: httpx.Response) -> None:
    assert response.status_code < 500
    if response.status_code >= 400:
        assert_problem(response, response.status_code, response.json()["code"])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), _CONTENT_TYPES, st.sampled_from(["/items", "/items/optional", "/large"]))
def test_arbitrary_bytes_never_break_the_server(body: bytes, content_type: str, path: str) -> None:
    check(ask("POST", path, content=body, headers={"content-type": content_type}))


@settings(max_examples=100, deadline=None)
@given(_JSON, st.booleans())
def test_arbitrary_json_never_breaks_the_server(document: object, as_field: bool) -> None:
    content = {"title": "a", "snapshot": document} if as_field else document
    body = json.dumps(content).encode()
    check(ask("POST", "/items", content=body, headers={"content-type": "application/json"}))


@settings(max_examples=100, deadline=None)
@given(_PATH_BYTES, st.binary(max_size=40), st.sampled_from(["GET", "HEAD", "PUT", "OPTIONS", "DELETE"]))
def test_arbitrary_addresses_never_break_the_server(path: bytes, query: bytes, method: str) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in path), "".join(f"%{byte:02x}" for byte in query)
    response = ask(method, httpx.URL(f"http://ace.test/items/{escaped[0]}?cursor={escaped[1]}&limit={escaped[1]}"))
    if method == "HEAD":
        assert response.status_code < 500
    else:
        check(response)

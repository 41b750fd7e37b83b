"""What cannot be the address of anything never reaches the router."""

from __future__ import annotations

from typing import Any

import pytest

from entrypoints.http.exchange import Exchange, enter
from entrypoints.http.middleware.paths import Paths


async def _status(path: str, raw_path: bytes = b"/", query: bytes = b"") -> int:
    """200 where the request went on to the router."""
    found: list[int] = []

    async def router(scope: Any, receive: Any, send: Any) -> None:
        found.append(200)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    scope: Any = {"path": path, "raw_path": raw_path, "query_string": query}
    exchange = Exchange(request_id="r", ip="", https=False, method="GET", started=0, request_headers={})
    enter(scope, exchange)
    await Paths(router)(scope, None, send)  # type: ignore[arg-type]
    (status,) = found
    return status


@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
async def test_no_control_character_is_in_an_address(code: int) -> None:
    assert await _status(f"/items/a{chr(code)}b") == 404


@pytest.mark.parametrize("path", ["//", "//items", "/items//a", "/items/a//", "///items"])
async def test_two_slashes_are_not_one(path: str) -> None:
    assert await _status(path) == 404


@pytest.mark.parametrize("path", ["/items/a b", "/items/zoë", "/items/\u00a0", "/items/\u200b", "/items/\ufffd", "/"])
async def test_other_characters_may_be_whether_or_not_they_can_be_seen(path: str) -> None:
    assert await _status(path) == 200


@pytest.mark.parametrize(
    ("raw_path", "query", "status"),
    [
        (b"/a%2fb", b"", 404),
        (b"/a%5Cb", b"", 404),
        (b"/a%20b", b"", 200),
        (b"/a", b"q=%00", 422),
        (b"/a", b"q=" + b"a" * 8_000, 400),
        (b"/a", b"q=%2f", 200),
    ],
)
async def test_what_is_encoded_is_looked_at_where_it_matters(raw_path: bytes, query: bytes, status: int) -> None:
    assert await _status("/a/b", raw_path, query) == status


async def test_a_path_has_a_limit() -> None:
    assert (await _status("/" + "a" * 1_999), await _status("/" + "a" * 2_000)) == (200, 404)

"""ETags: 304 for what the client has, 412 for a change to what it has not seen."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.http import assert_problem, build_app, client_of
from tests.support.sample_area import sample_area


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(sample_area())) as client:
        yield client


async def test_versioned_content_carries_its_version(client: httpx.AsyncClient) -> None:
    response = await client.get("/items/itm_1")
    assert response.headers["etag"] == '"7"'
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.json()["id"] == "itm_1"


@pytest.mark.parametrize("tag", ['"7"', 'W/"7"', '"1", "7"', '"1",W/"7"', "*"])
async def test_what_the_client_has_is_not_sent_again(client: httpx.AsyncClient, tag: str) -> None:
    response = await client.get("/items/itm_1", headers={"if-none-match": tag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == '"7"'
    assert (await client.head("/items/itm_1", headers={"if-none-match": tag})).status_code == 304


@pytest.mark.parametrize("tag", ['"8"', "7", "", "nonsense", '"'])
async def test_anything_else_is_sent(client: httpx.AsyncClient, tag: str) -> None:
    assert (await client.get("/items/itm_1", headers={"if-none-match": tag})).status_code == 200


async def test_content_without_a_version_is_tagged_by_its_bytes(client: httpx.AsyncClient) -> None:
    tag = (await client.get("/hashed")).headers["etag"]
    assert (await client.get("/hashed", headers={"if-none-match": tag})).status_code == 304


async def replace(client: httpx.AsyncClient, if_match: str | None) -> httpx.Response:
    headers = {} if if_match is None else {"if-match": if_match}
    return await client.put("/items/itm_1", json={"title": "New"}, headers=headers)


async def test_the_tag_of_a_question_with_many_versions_is_a_version(client: httpx.AsyncClient) -> None:
    """Of version 10,000 on it has eleven digits. What is refused here is that it is another one."""
    for tag in ('"10000000001"', '"9223372036854775807"'):
        assert_problem(await replace(client, tag), 412, "sample.outdated")


@pytest.mark.parametrize("tag", [None, "*", '"7"', '"5", "7"'])
async def test_the_version_that_was_seen_may_be_changed(client: httpx.AsyncClient, tag: str | None) -> None:
    assert (await replace(client, tag)).status_code == 200


async def test_another_version_is_refused_with_the_current_one(client: httpx.AsyncClient) -> None:
    response = await replace(client, '"6"')
    assert_problem(response, 412, "sample.outdated")
    assert response.headers["etag"] == '"7"'


@pytest.mark.parametrize(
    "tag", ['W/"7"', "7", '"abc"', '"007"', "", '"-1"', '"' + "9" * 20 + '"', '"' + "9" * 5000 + '"']
)
async def test_a_tag_that_is_no_version_of_ours_matches_nothing(client: httpx.AsyncClient, tag: str) -> None:
    response = await replace(client, tag)
    assert_problem(response, 412, "request.stale_version")
    assert response.json()["title"] == "If-Match names no version of this content"

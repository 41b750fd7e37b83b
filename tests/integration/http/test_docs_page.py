"""The API page comes from this server alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.http import build_app, client_of


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app()) as client:
        yield client


async def test_everything_that_the_page_loads_is_served_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in page.headers["content-security-policy"]
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/docs/")
        file = await client.get(address)
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, no-cache"
        again = await client.get(address, headers={"if-none-match": file.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_the_page_holds_no_inline_script(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert re.findall(r"<script(?![^>]* src=)", page.text) == []
    assert " on" not in " ".join(re.findall(r"<[^>]+>", page.text))


async def test_scripts_and_styles_say_what_they_are(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs/start.js")).headers["content-type"] == "text/javascript; charset=utf-8"
    assert (await client.get("/docs/swagger-ui.css")).headers["content-type"] == "text/css; charset=utf-8"
    assert (await client.get("/docs/favicon-32x32.png")).headers["content-type"] == "image/png"


async def test_redoc_leads_to_the_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/redoc")
    assert (response.status_code, response.headers["location"]) == (308, "/docs")

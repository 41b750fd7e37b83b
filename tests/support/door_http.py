"""Browsers and programs at the better-auth door, and what they find in its answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from entrypoints.http.app import Application
from tests.support.auth_builders import PASSWORD
from tests.support.auth_http import browser

BASE: Final = "/api/auth"
ADA: Final = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD}
SECRET: Final = re.compile(r"[A-Za-z0-9]{32}")
CLEARED: Final = [
    f"better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    for name in ("session_token", "session_data", "dont_remember")
]


class Caller:
    """Somebody at the door; a browser says from which page it asks."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, /, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        return await self.client.post(f"{BASE}{path}", **options)

    async def get(self, path: str, /, **options: Any) -> httpx.Response:
        return await self.client.get(f"{BASE}{path}", **options)

    async def sign_up(self, **changes: Any) -> httpx.Response:
        return await self.post("/sign-up/email", ADA | changes)

    async def sign_in(self, **changes: Any) -> httpx.Response:
        return await self.post("/sign-in/email", {"email": ADA["email"], "password": PASSWORD} | changes)

    async def session(self, query: str = "", **options: Any) -> Any:
        """What get-session says, None where there is none."""
        answer = await self.get(f"/get-session{query}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def caller_at(app: Application, base_url: str = "http://ace.test") -> AsyncIterator[Caller]:
    """A browser that nobody has signed in with."""
    async with browser(app, base_url) as client:
        client.headers["origin"] = base_url
        yield Caller(client)


def set_cookies(answer: httpx.Response) -> list[str]:
    """The lines that set or clear cookies, in their order."""
    return answer.headers.get_list("set-cookie")


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, str] = answer.json()
    assert list(body) == ["message", "code"]
    return body["code"]

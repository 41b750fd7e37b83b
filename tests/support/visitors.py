"""People who come to the whole application by browser, each from an address of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx

from entrypoints.http.app import Application
from tests.support.auth_http import browser
from tests.support.whole_site import PASSWORD, WholeSite

# With this setting a test says by a header from where a request comes.
FROM_ANYWHERE: Final[dict[str, Any]] = {"trusted_proxies": ("127.0.0.1/32", "10.0.0.0/8")}
_numbers = count(1)


@dataclass
class Visitor:
    """A person at a portal, with a browser that keeps cookies and pages that send the CSRF token."""

    client: httpx.AsyncClient
    email: str
    portal: str = "student"
    password: str = PASSWORD

    async def post(self, verb: str, **body: Any) -> httpx.Response:
        """Asks a route of the portal, as our page does."""
        return await self.client.post(f"/{self.portal}/auth/{verb}", json=body, headers=self._csrf)

    async def delete(self, verb: str) -> httpx.Response:
        return await self.client.delete(f"/{self.portal}/auth/{verb}", headers=self._csrf)

    async def register(self, **more: Any) -> httpx.Response:
        return await self.post("register", **{"email": self.email, "password": self.password} | more)

    async def sign_in(self, **more: Any) -> httpx.Response:
        return await self.post("login", **{"email": self.email, "password": self.password} | more)

    async def me(self) -> httpx.Response:
        return await self.client.get(f"/{self.portal}/auth/me")

    @property
    def _csrf(self) -> dict[str, str]:
        return {"x-csrf-token": str(self.client.cookies.get("ace_csrf", ""))}

    @property
    def access(self) -> str:
        return str(self.client.cookies["ace_access"])

    @property
    def refresh(self) -> str:
        return str(self.client.cookies["ace_refresh"])


def address() -> str:
    """One that nobody came from yet."""
    number = next(_numbers)
    return f"198.18.{number >> 8}.{number & 255}"


def visitor(
    site: WholeSite, email: str | None = None, portal: str = "student", ip: str | None = None
) -> AbstractAsyncContextManager[Visitor]:
    """Somebody new, who has not registered yet; or with an address somebody known, at another device."""
    return visitor_at(site.app, email, portal, ip)


@asynccontextmanager
async def visitor_at(
    app: Application, email: str | None = None, portal: str = "student", ip: str | None = None
) -> AsyncIterator[Visitor]:
    """The same at an application that a test has made."""
    async with browser(app) as client:
        client.headers["x-forwarded-for"] = ip or address()
        yield Visitor(client, email or f"visitor{next(_numbers)}@example.org", portal)


@asynccontextmanager
async def student(site: WholeSite) -> AsyncIterator[Visitor]:
    """Somebody who has just registered."""
    async with visitor(site) as person:
        registered = await person.register()
        assert registered.status_code == 201, registered.text
        yield person


async def elsewhere(site: WholeSite) -> None:
    """Every request of the site's own client comes from an address of its own from now on."""

    async def from_another(request: httpx.Request) -> None:
        request.headers["x-forwarded-for"] = address()

    site.client.event_hooks = {"request": [from_another]}


async def everybody_signs_in_again(site: WholeSite) -> None:
    """The people of the site, after their sessions have ended."""
    for person in site.tokens:
        portal = person if person in {"instructor", "admin"} else "student"
        body = {"email": f"{person}@example.org", "password": PASSWORD, "delivery": "body"}
        answer = await site.client.post(f"/{portal}/auth/login", json=body)
        site.tokens[person] = answer.json()["accessToken"]

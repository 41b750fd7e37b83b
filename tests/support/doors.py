"""Devices at each door: a browser at the portal, one at the better-auth door, an app at the practice platform's.

One person may come with several of them. Whatever the door, a device can ask the API as a student.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from entrypoints.http.app import Application
from tests.support.auth_http import browser
from tests.support.visitors import address
from tests.support.whole_site import PASSWORD

BASE: Final = "/api/auth"
TOKEN: Final = "better-auth.session_token"
SITE: Final = "http://ace.test"
# With these settings the door's own address is that of the tests' clients.
AT_HOME: Final[dict[str, Any]] = {"public_url": SITE}
_numbers = count(1)


@dataclass
class Device(ABC):
    """Something with which a person comes to one of the doors."""

    client: httpx.AsyncClient
    email: str
    password: str = PASSWORD

    @abstractmethod
    async def register(self) -> httpx.Response: ...

    @abstractmethod
    async def sign_in(self) -> httpx.Response: ...

    @property
    @abstractmethod
    def proof(self) -> Mapping[str, str]:
        """The headers that a request of this device needs at the API."""

    @abstractmethod
    async def is_known_at_its_door(self) -> bool:
        """Whether its own door still knows the session."""

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Asks the API."""
        headers = {**self.proof, **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def is_in(self) -> bool:
        """Whether it is signed in, about which the API and its own door agree."""
        at_the_api = (await self.ask("GET", "/student/auth/me")).status_code == 200
        assert await self.is_known_at_its_door() is at_the_api
        return at_the_api

    async def sessions(self) -> list[dict[str, Any]]:
        answer = await self.ask("GET", "/student/auth/sessions")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def session_id(self) -> str:
        (current,) = (item["id"] for item in await self.sessions() if item["current"])
        return str(current)

    async def user_id(self) -> str:
        return str((await self.ask("GET", "/student/auth/me")).json()["user"]["id"])


@dataclass
class PortalDevice(Device):
    """A browser at the students' portal, whose pages send the CSRF token."""

    async def register(self) -> httpx.Response:
        return await self.client.post("/student/auth/register", json=self._credentials, headers=self.proof)

    async def sign_in(self) -> httpx.Response:
        return await self.client.post("/student/auth/login", json=self._credentials, headers=self.proof)

    @property
    def proof(self) -> Mapping[str, str]:
        return {"x-csrf-token": str(self.client.cookies.get("ace_csrf", ""))}

    async def is_known_at_its_door(self) -> bool:
        """By whether it could be refreshed; the first use of a token, so it is."""
        return (await self.ask("POST", "/student/auth/refresh")).status_code == 200

    @property
    def _credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}


@dataclass
class DoorDevice(Device):
    """A browser at the better-auth door. Like every browser it says from which origin its page is."""

    origin: str = SITE

    async def register(self) -> httpx.Response:
        return await self.post("/sign-up/email", name="Ada", email=self.email, password=self.password)

    async def sign_in(self) -> httpx.Response:
        return await self.post("/sign-in/email", email=self.email, password=self.password)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"{BASE}{path}", json=body, headers=self.proof)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"{BASE}{path}", headers=self.proof)

    async def session(self) -> Any:
        """What the door says of the session, None where there is none."""
        answer = await self.get("/get-session")
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def proof(self) -> Mapping[str, str]:
        return {"origin": self.origin}

    @property
    def cookie(self) -> str:
        """The signed cookie as it travels."""
        return str(self.client.cookies[TOKEN])

    async def is_known_at_its_door(self) -> bool:
        return await self.session() is not None


@dataclass
class PlatformDevice(Device):
    """An app at the practice platform's door, which keeps its tokens itself."""

    tokens: dict[str, str] = field(default_factory=dict)

    async def register(self) -> httpx.Response:
        name = f"u{next(_numbers)}x{self.email.partition('@')[0]}"[:30]
        body = {"email": self.email, "password": self.password, "username": name}
        return self._kept(await self.client.post("/api/v1/auth/signup", json=body))

    async def sign_in(self) -> httpx.Response:
        body = {"email": self.email, "password": self.password}
        return self._kept(await self.client.post("/api/v1/auth/login", json=body))

    @property
    def proof(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.tokens.get('access_token', 'none')}"}

    async def is_known_at_its_door(self) -> bool:
        return (await self.ask("GET", "/api/v1/auth/me")).status_code == 200

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            self.tokens = {name: answer.json()[name] for name in ("access_token", "refresh_token")}
        return answer


DOORS: Final[Mapping[str, type[Device]]] = {
    "portal": PortalDevice,
    "better-auth": DoorDevice,
    "practice platform": PlatformDevice,
}


@asynccontextmanager
async def device_at(app: Application, door: str, email: str | None = None, **more: Any) -> AsyncIterator[Any]:
    """A device at a door, of somebody new or with an address of somebody known. Nobody has signed in with it yet."""
    async with browser(app, more.pop("base_url", SITE)) as client:
        client.headers["x-forwarded-for"] = address()
        yield DOORS[door](client, email or f"comer{next(_numbers)}@example.org", **more)


@asynccontextmanager
async def devices_of(app: Application, *doors: str, email: str | None = None) -> AsyncIterator[list[Any]]:
    """One person with a device at each of these doors, signed in through all; registered with the first of them."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(device_at(app, doors[0], email))
        entered = await first.register() if email is None else await first.sign_in()
        assert entered.is_success, entered.text
        devices = [first]
        for door in doors[1:]:
            device = await stack.enter_async_context(device_at(app, door, first.email))
            entered = await device.sign_in()
            assert entered.is_success, entered.text
            devices.append(device)
        yield devices

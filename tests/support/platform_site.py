"""A client of the practice platform, as it talks to the door: bodies in its words, a token in a header, no cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from tests.support.auth_http import browser
from tests.support.http import told_in_detail
from tests.support.visitors import address
from tests.support.whole_site import PASSWORD, WholeSite

API: Final = "/api/v1"
_numbers = count(1)


@dataclass
class PlatformClient:
    """Somebody at the door; `tokens` is what the last sign-in answered."""

    client: httpx.AsyncClient
    name: str
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.bearer | options.pop("headers", {})
        return await self.client.request(method, f"{API}{path}", headers=headers, **options)

    async def get(self, path: str, **query: Any) -> Any:
        """The answer to a request that has to be granted."""
        answer = await self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.ask("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and code of a refusal."""
        answer = await self.ask(method, path, **options)
        return answer.status_code, told_in_detail(answer)

    async def sign_up(self) -> None:
        self.tokens = {}
        self.tokens = await self.post("/auth/signup", email=self.email, password=PASSWORD, username=self.name)

    async def sign_in(self, named: str | None = None) -> None:
        self.tokens = {}
        self.tokens = await self.post("/auth/login", email=named or self.email, password=PASSWORD)

    async def quiz(self, exam_type: str = "sums", **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.get("/questions/quiz", exam_type=exam_type, **query)
        return found


def letter(question: dict[str, Any], ending: str = "b") -> str:
    """The letter of the option whose text ends so; in the questions of the whole site `b` is right."""
    options: dict[str, dict[str, str]] = question["options"]
    return next(letter for letter, option in options.items() if option["text"].endswith(ending))


def submission(quiz: dict[str, Any], ending: str = "b", **more: Any) -> dict[str, Any]:
    """The body that hands in a quiz, every question answered alike."""
    answers = [{"question_id": each["id"], "user_answer": letter(each, ending)} for each in quiz["questions"]]
    return {"exam_type": quiz["exam_type"], "total_questions": len(answers), "answers": answers} | more


@asynccontextmanager
async def platform_client(site: WholeSite) -> AsyncIterator[PlatformClient]:
    """Somebody new, from an address of their own, who has signed up."""
    async with browser(site.app) as client:
        client.headers["x-forwarded-for"] = address()
        person = PlatformClient(client, f"pat{next(_numbers)}")
        await person.sign_up()
        yield person

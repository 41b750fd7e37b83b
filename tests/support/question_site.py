"""Questions over HTTP for tests: people who write and review them, banks to write in, and bodies of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from application.auth.registering import NewUser
from domain.auth.people import Role
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import PASSWORD, WholeSite, whole_site_of

QUESTIONS: Final = "/instructor/questions"
# Occurs in whatever a student must not see of a question, and nowhere else.
KEY: Final = "sentinel-of-the-key"
_WHY: Final = {"text": f"{KEY} why", "format": "markdown"}

ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "single": {
        "choices": [
            {"text": "21", "explanation": {"text": f"{KEY} A"}},
            {"text": "443", "correct": True, "weight": "1", "explanation": _WHY},
            {"text": "none of these", "pinned": True},
        ]
    },
    "multiple": {
        "choices": [
            {"text": "80", "correct": True, "weight": "0.5"},
            {"text": "443", "correct": True, "weight": "0.5", "explanation": _WHY},
            {"text": "22", "weight": "-0.25"},
        ]
    },
    "true_false": {"choices": [{"text": "yes", "correct": True, "explanation": _WHY}, {"text": "no"}]},
    "numeric": {
        "choices": [],
        "bands": [{"answer": "271828", "tolAbs": "0.5"}, {"answer": "271828", "tolRel": "0.05", "fraction": "0.5"}],
    },
    "short_text": {"choices": [], "accepted": [f"{KEY} text", "HTTPS"]},
    "matching": {
        "choices": [{"text": "80"}, {"text": "443"}, {"text": "22"}, {"text": "53"}],
        "prompts": [
            {"text": "HTTP", "choiceId": "A"},
            {"text": "HTTPS", "choiceId": "B"},
            {"text": "SSH", "choiceId": "C"},
            {"text": "DNS", "choiceId": "D"},
        ],
    },
    "ordering": {
        "choices": [{"text": word, "explanation": _WHY} for word in ("physical", "link", "network", "transport")]
    },
}


@dataclass
class QuestionSite:
    """The whole application, with a bank to write in: `sums`, from which the students' package draws."""

    whole: WholeSite
    bank: str
    topic: str

    def draft(self, kind: str = "single", **differences: Any) -> dict[str, Any]:
        """A complete question of this kind."""
        return {
            "questionBankId": self.bank,
            "kind": kind,
            "stem": "Which port does HTTPS use?",
            "explanation": {"text": f"{KEY} in general"},
            "topicId": self.topic,
            "difficultyId": "dif_easy",
            "tags": ["ports"],
            "points": "2.50",
            **ANSWERS[kind],
            **differences,
        }

    async def ask(self, method: str, path: str, person: str | None, **options: Any) -> httpx.Response:
        return await self.whole.ask(method, path, person, **options)

    async def create(self, person: str = "instructor", kind: str = "single", **differences: Any) -> dict[str, Any]:
        """A question that was written just now."""
        created = await self.ask("POST", QUESTIONS, person, json=self.draft(kind, **differences))
        assert created.status_code == 201, created.text
        question: dict[str, Any] = created.json()
        return question

    async def published(self, kind: str = "single", **differences: Any) -> dict[str, Any]:
        """A question of an instructor that an administrator published."""
        question = await self.create(kind=kind, **differences)
        return await self.step(question, "publish", "admin")

    async def step(
        self, question: dict[str, Any], step: str, person: str = "instructor", **body: Any
    ) -> dict[str, Any]:
        """A step that is taken."""
        answer = await self.try_step(question, step, person, **body)
        assert answer.status_code == 200, answer.text
        after: dict[str, Any] = answer.json()
        return after

    async def try_step(
        self, question: dict[str, Any], step: str, person: str = "instructor", **body: Any
    ) -> httpx.Response:
        portal = "admin" if step in {"approve", "request-changes"} else "instructor"
        return await self.ask("POST", f"/{portal}/questions/{question['id']}/{step}", person, json=body)

    async def read(self, question: dict[str, Any], what: str = "", person: str = "instructor") -> dict[str, Any]:
        answer = await self.ask("GET", f"{QUESTIONS}/{question['id']}{what}", person)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def add_bank(self, name: str, *, visibility: str = "visible", owner: str | None = None) -> str:
        """Another bank, of somebody or of the school."""
        self.whole.database.keeper.execute(
            "insert into question_banks (id, slug, title, visibility, owner_id, created_at, updated_at)"
            " values (%(id)s, %(name)s, %(name)s, %(visibility)s, %(owner)s, now(), now())",
            {"id": f"qbk_{name}", "name": name, "visibility": visibility, "owner": owner},
        )
        return f"qbk_{name}"

    def person(self, name: str) -> str:
        """The id of somebody who is signed in."""
        user_id: str = self.value("select id from users where email = %s", f"{name}@example.org")
        return user_id

    def value(self, query: str, *parameters: object) -> Any:
        row = self.whole.database.keeper.execute(query.encode(), parameters).fetchone()
        return row and row[0]

    async def audited(self, question: dict[str, Any], action: str) -> list[dict[str, Any]]:
        """The rows of the audit log about a question, as an administrator reads them, the latest first."""
        log = await self.ask("GET", f"/admin/audit-log?subject={question['id']}&action=question.{action}", "admin")
        items: list[dict[str, Any]] = log.json()["items"]
        return items


@asynccontextmanager
async def question_site_of(database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    """Beside those of the whole site: `colleague`, another instructor."""
    async with whole_site_of(database) as whole:
        new = NewUser(
            role=Role.INSTRUCTOR, email="colleague@example.org", password=PASSWORD, name="C", email_verified=True
        )
        await whole.container.ensure_user()(new)
        sent = {"email": new.email, "password": PASSWORD, "delivery": "body"}
        signed_in = await whole.client.post("/instructor/auth/login", json=sent)
        whole.tokens["colleague"] = signed_in.json()["accessToken"]
        keeper = whole.database.keeper
        bank, topic = keeper.execute(
            "select question_bank_id, id from question_topics order by id limit 1"
        ).fetchone() or ("", "")
        yield QuestionSite(whole, bank, topic)

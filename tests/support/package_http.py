"""Exam packages as tests make them over HTTP, and what the audit log says of them."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx

from tests.support.whole_site import WholeSite

_NUMBERS = count(1)
OFFERED, MANAGED, REVISED = "/exam-packages", "/admin/exam-packages", "/instructor/exam-packages"


async def made(site: WholeSite, **fields: Any) -> dict[str, Any]:
    """A new package of an administrator's making."""
    slug = f"package-{next(_NUMBERS)}"
    answer = await site.ask("POST", MANAGED, "admin", json={"slug": slug, "title": slug.title(), **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def added(site: WholeSite, package: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A new tier of the package."""
    answer = await site.ask("POST", f"{MANAGED}/{package['id']}/tiers", "admin", json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def change(site: WholeSite, package: dict[str, Any], person: str = "admin", **fields: Any) -> httpx.Response:
    portal = {"admin": MANAGED, "instructor": REVISED}[person]
    headers = fields.pop("headers", {})
    return await site.ask("PATCH", f"{portal}/{package['id']}", person, json=fields, headers=headers)


async def bank_with_topic(site: WholeSite) -> tuple[str, str]:
    bank = await site.ask("POST", "/instructor/question-banks", "admin", json={"title": f"Bank {next(_NUMBERS)}"})
    body = {"questionBankId": bank.json()["id"], "name": "Routing"}
    topic = await site.ask("POST", "/instructor/question-topics", "admin", json=body)
    assert topic.status_code == 201, topic.text
    return bank.json()["id"], topic.json()["id"]


def audited(site: WholeSite, subject: str) -> list[tuple[Any, ...]]:
    query = "select action, actor_id is not null, before, after from audit_log where subject = %s order by id"
    return site.database.keeper.execute(query, [subject]).fetchall()


def pointers(answer: httpx.Response) -> list[str]:
    return [fault["pointer"] for fault in answer.json()["errors"]]

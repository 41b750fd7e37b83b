"""How a template marks, how that is changed, and what its sessions come to; and what is published, told to staff."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.postgres import ClonedDatabase
from tests.support.question_site import question_site_of
from tests.support.template_site import FULL, TEMPLATES, USUAL, answered_wrongly, made, step
from tests.support.whole_site import WholeSite


@pytest.fixture(scope="module")
async def whole_site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    """With `colleague`, a second instructor."""
    async with question_site_of(module_database) as site:
        yield site.whole


async def test_no_total_is_below_zero_wherever_it_is_told(whole_site: WholeSite) -> None:
    """The loss stands with its answer; the summary and the history tell the same sum."""
    site = whole_site
    template = await made(site, title="Harsh", count=3, scoring={"penalty": "1"})
    await step(site, template, "publish")
    begun = await site.ask("POST", "/practice-sessions", "student", json={"templateId": template["id"]})
    session = begun.json()
    assert (await answered_wrongly(site, session, 1))["mark"] == "-1"
    summary = (await site.ask("GET", f"/practice-sessions/{session['id']}/summary", "student")).json()
    history = (await site.ask("GET", "/student/progress", "student")).json()["practiceSessions"]
    (score,) = [each for each in history if each["id"] == session["id"]]
    for told in (summary, *summary["topics"], score):
        assert (told["mark"], told["percent"]) in {("0", "0"), ("0", None)}
    assert (summary["maxMark"], score["maxMark"], score["percent"]) == ("1", "1", "0")


async def test_of_how_a_template_marks_only_what_is_named_changes(whole_site: WholeSite) -> None:
    """As with everything else in it; null is the package's own way again, and then the rest is the usual."""
    template = await made(whole_site, scoring=FULL["scoring"])

    async def changed(scoring: dict[str, Any] | None) -> Any:
        answer = await whole_site.ask("PATCH", f"{TEMPLATES}/{template['id']}", "instructor", json={"scoring": scoring})
        assert answer.status_code == 200, answer.text
        return answer.json()["scoring"]

    assert await changed({"penalty": "0.5"}) == FULL["scoring"] | {"penalty": "0.5"}
    assert await changed({"ordering": "exact", "noneAllowed": False}) == FULL["scoring"] | {
        "penalty": "0.5",
        "ordering": "exact",
        "noneAllowed": False,
    }
    assert await changed({}) == FULL["scoring"] | {"penalty": "0.5", "ordering": "exact", "noneAllowed": False}
    assert await changed(None) is None
    assert await changed({"penalty": 1}) == {
        "penalty": "1",
        "guessNeutral": False,
        "multiple": "all_or_nothing",
        "noneAllowed": False,
        "ordering": "exact",
    }


async def test_staff_read_what_is_published_beside_the_draft(whole_site: WholeSite) -> None:
    template = await made(whole_site, title="Published so", description="First", count=3)
    at = f"{TEMPLATES}/{template['id']}"
    assert template["published"] is None
    shown = (await step(whole_site, template, "publish"))["published"]
    await whole_site.ask("PATCH", at, "instructor", json={"title": "Draft", "count": 4, "scoring": {"penalty": "0.5"}})
    for person in ("instructor", "colleague", "admin"):
        read = (await whole_site.ask("GET", at, person)).json()
        assert (read["title"], read["count"], read["published"]) == ("Draft", 4, shown)
    assert shown == USUAL | {
        "title": "Published so",
        "description": "First",
        "count": 3,
        "version": 1,
        "publishedAt": shown["publishedAt"],
    }
    assert (await step(whole_site, template, "unpublish"))["published"] is None
    assert (await whole_site.ask("GET", at, "admin")).json()["published"] is None

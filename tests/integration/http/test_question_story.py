"""The life of one question, from its first draft to the version that replaces it, told by all who had part in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QUESTIONS, QuestionSite, question_site_of

_FIRST = "Which port does HTTPS use by default?"
_SECOND = "Which TCP port does HTTPS use by default?"


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


async def practised(site: QuestionSite, question: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A session of all questions, and how it asks this one."""
    session = await site.whole.practice(count=100, topicIds=[site.topic])
    (asked,) = [each for each in session["questions"] if each["questionId"] == question["id"]]
    return session["id"], asked


async def test_from_a_first_draft_to_the_version_that_replaces_it(questions: QuestionSite) -> None:
    # An instructor writes, improves and hands in.
    draft = await questions.create(stem="Which port?")
    path = f"{QUESTIONS}/{draft['id']}"
    edited = await questions.ask("PUT", path, "instructor", json={"stem": _FIRST, "expectedRev": 1})
    assert edited.status_code == 200
    handed_in = await questions.step(draft, "submit-for-review", expectedRev=2)

    # An administrator finds it in the queue and sends it back.
    queue = (await questions.ask("GET", f"{QUESTIONS}?status=in_review", "admin")).json()["items"]
    assert [item["id"] for item in queue] == [draft["id"]]
    note = "Say that it is about the web."
    sent_back = await questions.step(draft, "request-changes", "admin", expectedRev=handed_in["rev"], note=note)
    assert (sent_back["status"], sent_back["version"]) == ("changes_requested", 1)

    # The instructor reads why, improves it and hands it in again.
    read = await questions.read(draft)
    assert read["note"] == note
    await questions.ask("PUT", path, "instructor", json={"tags": ["web"], "expectedRev": read["rev"]})
    handed_in = await questions.step(draft, "submit-for-review")
    unseen = await questions.ask("GET", f"/questions/{draft['id']}", "student")
    assert unseen.status_code == 404

    # The administrator approves, and an enrolled student sees and practises it.
    approved = await questions.step(draft, "approve", "admin", expectedRev=handed_in["rev"])
    assert (approved["status"], approved["publishedVersion"]) == ("published", 1)
    seen = await questions.ask("GET", f"/questions/{draft['id']}", "student")
    assert (seen.status_code, seen.json()["stem"]) == (200, _FIRST)
    session, asked = await practised(questions, draft)
    assert asked["stem"] == _FIRST

    # The instructor writes a second version; whoever practises goes on with the first.
    second = await questions.ask("PUT", path, "instructor", json={"stem": _SECOND})
    assert (second.json()["version"], second.json()["status"]) == (2, "draft")
    choices = [{"text": "443"}, {"text": "80", "correct": True}]
    await questions.ask("PUT", f"{path}/choices", "instructor", json={"choices": choices})
    handed_in = await questions.step(draft, "submit-for-review")
    await questions.step(draft, "approve", "admin", expectedRev=handed_in["rev"], note="Better.")
    going_on = (await questions.ask("GET", f"/practice-sessions/{session}", "student")).json()
    (still,) = [each for each in going_on["questions"] if each["questionId"] == draft["id"]]
    assert still == asked
    answered = await questions.ask(
        "POST", f"/practice-sessions/{session}/answers", "student", json={"slot": asked["slot"], "choiceIds": ["B"]}
    )
    assert answered.json()["feedback"]["correct"] is True, "by the key of the first version"

    # The first version is superseded, and new sessions ask the second.
    versions = (await questions.read(draft, "/versions"))["items"]
    assert [(each["version"], each["status"]) for each in versions] == [(2, "published"), (1, "superseded")]
    assert (await questions.ask("GET", f"/questions/{draft['id']}", "student")).json()["stem"] == _SECOND
    assert (await practised(questions, draft))[1]["stem"] == _SECOND

    # All of it is on record.
    log = (await questions.ask("GET", f"/admin/audit-log?subject={draft['id']}&limit=100", "admin")).json()["items"]
    assert [item["action"] for item in reversed(log)] == [
        f"question.{act}"
        for act in (
            *("created", "edited", "submitted", "changes_requested", "edited", "submitted", "approved"),
            *("edited", "edited", "submitted", "approved"),
        )
    ]
    assert "HTTPS" not in str(log)
    deleted = await questions.ask("DELETE", f"/admin/questions/{draft['id']}", "admin")
    assert (deleted.status_code, deleted.json()["code"]) == (409, "question.in_use")

"""Handing in, deciding and publishing over HTTP: who may, in which order, and what is recorded of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.question_site import QUESTIONS, QuestionSite, question_site_of


@pytest.fixture(scope="module")
async def questions(module_database: ClonedDatabase) -> AsyncIterator[QuestionSite]:
    async with question_site_of(module_database) as site:
        yield site


async def in_review(site: QuestionSite, person: str = "instructor") -> dict[str, Any]:
    return await site.step(await site.create(person), "submit-for-review", person)


async def test_an_incomplete_question_is_not_handed_in_and_all_that_it_lacks_is_named(questions: QuestionSite) -> None:
    question = await questions.create(stem="", topicId=None, difficultyId=None, choices=[{"text": "a"}])
    refused = await questions.try_step(question, "submit-for-review")
    assert_problem(refused, 422, "question.incomplete")
    pointers = {fault["pointer"] for fault in refused.json()["errors"]}
    assert pointers == {"/stem", "/topicId", "/difficultyId", "/choices"}
    assert_problem(await questions.try_step(question, "publish", "admin"), 422, "question.incomplete")


async def test_what_waits_is_found_in_the_queue_until_it_is_decided(questions: QuestionSite) -> None:
    async def queue() -> list[str]:
        answer = await questions.ask("GET", f"{QUESTIONS}?status=in_review", "admin")
        return [item["id"] for item in answer.json()["items"]]

    question = await in_review(questions)
    assert question["id"] in await queue()
    await questions.step(question, "approve", "admin", expectedRev=question["rev"])
    assert question["id"] not in await queue()


async def test_an_approval_publishes_and_is_recorded_once(questions: QuestionSite) -> None:
    question = await in_review(questions)
    after = await questions.step(question, "approve", "admin", expectedRev=2, note="Good.")
    assert (after["status"], after["publishedVersion"], after["note"], after["rev"]) == ("published", 1, "Good.", 3)
    refused = await questions.try_step(question, "approve", "admin", expectedRev=3)
    assert_problem(refused, 409, "review.already_decided")
    refused = await questions.try_step(question, "request-changes", "admin", note="Late.")
    assert_problem(refused, 409, "review.already_decided")
    (row,) = await questions.audited(question, "approved")
    assert row["actorId"] == questions.person("admin")
    assert (row["before"]["status"], row["after"]["status"]) == ("in_review", "published")
    assert "self_approval" not in row["after"]


async def test_an_approval_names_what_was_read(questions: QuestionSite) -> None:
    question = await in_review(questions)
    refused = await questions.try_step(question, "approve", "admin")
    assert_problem(refused, 422, "request.invalid")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/expectedRev"]
    assert_problem(await questions.try_step(question, "approve", "admin", expectedRev=1), 409, "question.stale")
    path = f"/admin/questions/{question['id']}/approve"
    refused = await questions.ask("POST", path, "admin", json={}, headers={"if-match": '"1000001"'})
    assert_problem(refused, 412, "question.precondition_failed")
    assert refused.headers["etag"] == '"1000002"'
    nothing_said = await questions.ask("POST", path, "admin")
    assert_problem(nothing_said, 422, "request.invalid")
    assert [fault["pointer"] for fault in nothing_said.json()["errors"]] == ["/expectedRev"]
    approved = await questions.ask("POST", path, "admin", headers={"if-match": '"1000002"'})
    assert (approved.status_code, approved.headers["etag"]) == (200, '"1000003"')


async def test_what_an_import_handed_in_without_a_topic_is_not_approved(questions: QuestionSite) -> None:
    question = await in_review(questions)
    taken_away = "update question_versions set topic_id = null where question_id = %s returning version"
    assert questions.value(taken_away, question["id"]) == 1
    refused = await questions.try_step(question, "approve", "admin", expectedRev=2)
    assert_problem(refused, 422, "question.incomplete")
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/topicId"]
    assert not await questions.audited(question, "approved")
    await questions.step(question, "request-changes", "admin", note="Which topic?")


async def test_nobody_approves_their_own_writing_unless_that_is_recorded(questions: QuestionSite) -> None:
    question = await in_review(questions, "admin")
    assert_problem(await questions.try_step(question, "approve", "admin", expectedRev=2), 403, "question.self_approval")
    await questions.step(question, "approve", "admin", expectedRev=2, override=True)
    (row,) = await questions.audited(question, "approved")
    assert row["after"]["self_approval"] is True


async def test_direct_publishing_is_for_administrators(questions: QuestionSite) -> None:
    question = await questions.create()
    assert_problem(await questions.try_step(question, "publish"), 403, "question.publishing_not_allowed")
    waiting = await in_review(questions)
    assert_problem(await questions.try_step(waiting, "publish", "admin"), 409, "question.locked_in_review")
    assert_problem(await questions.try_step(question, "publish", "admin", expectedRev=9), 409, "question.stale")
    published = await questions.step(question, "publish", "admin", expectedRev=1)
    assert (published["status"], published["publishedVersion"]) == ("published", 1)
    (row,) = await questions.audited(question, "published")
    assert (row["after"]["published_version"], row["actorId"]) == (1, questions.person("admin"))


@pytest.mark.parametrize("step", ["approve", "request-changes"])
async def test_decisions_are_for_administrators(questions: QuestionSite, step: str) -> None:
    question = await in_review(questions)
    refused = await questions.try_step(question, step, "instructor", expectedRev=2, note="Mine.")
    assert_problem(refused, 403, "auth.forbidden")
    assert (await questions.read(question))["status"] == "in_review"


@pytest.mark.parametrize("note", ["", "   ", "\n"])
async def test_whoever_requests_changes_says_which(questions: QuestionSite, note: str) -> None:
    question = await in_review(questions)
    refused = await questions.try_step(question, "request-changes", "admin", note=note)
    assert_problem(refused, 422, "review.note_invalid")


async def test_a_note_is_bounded(questions: QuestionSite) -> None:
    question = await in_review(questions)
    refused = await questions.try_step(question, "request-changes", "admin", note="x" * 2001)
    assert_problem(refused, 422, "request.invalid")
    assert_problem(await questions.try_step(question, "request-changes", "admin"), 422, "request.invalid")
    sent_back = await questions.step(question, "request-changes", "admin", note="x" * 2000, expectedRev=2)
    assert (sent_back["status"], len(sent_back["note"])) == ("changes_requested", 2000)


async def test_steps_that_a_status_does_not_allow(questions: QuestionSite) -> None:
    draft, published = await questions.create(), await questions.published()
    archived = await questions.step(await questions.published(), "archive")
    opened = await questions.ask("PUT", f"{QUESTIONS}/{published['id']}", "instructor", json={"stem": "Anew?"})
    assert opened.status_code == 200
    refused = [
        (draft, "archive", "instructor", "question.wrong_status"),
        (archived, "submit-for-review", "instructor", "question.wrong_status"),
        (archived, "withdraw", "instructor", "question.wrong_status"),
        (archived, "publish", "admin", "question.wrong_status"),
        (published, "draft", "admin", "question.open_version_exists"),
    ]
    for question, step, person, code in refused:
        assert_problem(await questions.try_step(question, step, person), 409, code)
    assert_problem(await questions.try_step(await questions.published(), "draft"), 403, "auth.forbidden")


async def test_a_step_is_taken_once_with_a_key_and_answered_again(questions: QuestionSite) -> None:
    question = await questions.create()
    path, key = f"{QUESTIONS}/{question['id']}/submit-for-review", {"idempotency-key": "hand-in-once"}
    first = await questions.ask("POST", path, "instructor", json={"expectedRev": 1}, headers=key)
    await questions.step(question, "withdraw")
    again = await questions.ask("POST", path, "instructor", json={"expectedRev": 1}, headers=key)
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, first.json(), first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert (await questions.read(question))["status"] == "draft"
    assert len(await questions.audited(question, "submitted")) == 1


@pytest.mark.parametrize("content", [b"", b"null", b"{}"])
async def test_a_step_needs_no_body(questions: QuestionSite, content: bytes) -> None:
    question = await questions.create()
    path = f"{QUESTIONS}/{question['id']}/submit-for-review"
    headers = {"content-type": "application/json"}
    handed_in = await questions.ask("POST", path, "instructor", content=content, headers=headers)
    assert (handed_in.status_code, handed_in.json()["status"]) == (200, "in_review")


async def test_the_rounds_of_a_review_are_told_with_names_and_notes(questions: QuestionSite) -> None:
    question = await in_review(questions)
    await questions.step(question, "request-changes", "admin", note="Say which HTTPS.")
    assert (await questions.read(question))["note"] == "Say which HTTPS."
    await questions.step(question, "submit-for-review")
    await questions.step(question, "withdraw")
    await questions.step(question, "submit-for-review")
    rounds = (await questions.read(question, "/reviews", "colleague"))["items"]
    told = [(each["round"], each["decision"], each["note"], each["decidedByName"]) for each in rounds]
    assert told == [
        (3, None, None, None),
        (2, "withdrawn", None, "Instructor"),
        (1, "changes_requested", "Say which HTTPS.", "Admin"),
    ]
    assert {each["submittedByName"] for each in rounds} == {"Instructor"}
    assert rounds[2]["submittedBy"] == questions.person("instructor")
    assert rounds[2]["submittedAt"] <= rounds[2]["decidedAt"] <= rounds[1]["submittedAt"]
    assert (await questions.read(await questions.create(), "/reviews"))["items"] == []

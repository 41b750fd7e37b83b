"""The practice platform's door: a quiz is handed in as a whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.platform_site import PlatformClient, letter, platform_client, submission
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import WholeSite, whole_site_of

ENDINGS = "abc"


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE) as site:
        yield site


@pytest.fixture
async def pat(site: WholeSite) -> AsyncIterator[PlatformClient]:
    async with platform_client(site) as person:
        yield person


async def letters(person: PlatformClient, quiz: dict[str, Any]) -> dict[str, str]:
    review = await person.get(f"/quiz/review/{quiz['quiz_id']}")
    return {each["question_id"]: each["user_answer"] for each in review["questions"]}


def letters_in(body: dict[str, Any]) -> dict[str, str]:
    return {answer["question_id"]: answer["user_answer"] for answer in body["answers"]}


async def test_of_different_submissions_at_once_one_is_taken_and_is_what_review_shows(pat: PlatformClient) -> None:
    for count in (3, 4, 5, 6):
        quiz = await pat.quiz(count=count)
        bodies = [submission(quiz, ending, quiz_id=quiz["quiz_id"]) for ending in ENDINGS]
        answers = await asyncio.gather(*(pat.ask("POST", "/quiz/submit", json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert {answer.headers.get("x-error-code") for answer in answers} == {None, "practice.finished"}
        taken = [answer.status_code for answer in answers].index(201)
        assert await letters(pat, quiz) == letters_in(bodies[taken])
        assert await pat.post("/quiz/submit", 201, **bodies[taken]) == answers[taken].json()


async def test_the_same_submission_at_once_is_taken_once(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=5)
    results = await asyncio.gather(*(pat.post("/quiz/submit", 201, **submission(quiz)) for _ in range(6)))
    assert all(result == results[0] for result in results)
    assert (results[0]["score"], (await pat.get("/quiz/stats"))["total_questions_answered"]) == (5, 5)
    assert (await pat.get("/auth/me"))["total_questions_answered"] == 5


async def test_a_refused_submission_changes_no_letter(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=3)
    body = submission(quiz)
    result = await pat.post("/quiz/submit", 201, **body)
    other = submission(quiz, quiz_id=quiz["quiz_id"])
    other["answers"][2]["user_answer"] = letter(quiz["questions"][2], "a")
    assert await pat.refused("POST", "/quiz/submit", json=other) == (409, "practice.finished")
    assert await letters(pat, quiz) == letters_in(body)
    assert await pat.post("/quiz/submit", 201, **body) == result


async def test_what_was_answered_elsewhere_may_be_changed_by_what_is_handed_in(pat: PlatformClient) -> None:
    """Also where the submission answers the last open question before it changes another."""
    quiz = await pat.quiz(count=2)
    given = {"questionId": quiz["questions"][1]["id"], "choiceIds": ["A"]}
    answered = await pat.client.post(f"/practice-sessions/{quiz['quiz_id']}/answers", json=given, headers=pat.bearer)
    assert answered.status_code == 200, answered.text
    body = submission(quiz, quiz_id=quiz["quiz_id"])
    assert (await pat.post("/quiz/submit", 201, **body))["score"] == 2
    assert await letters(pat, quiz) == letters_in(body)


async def test_a_quiz_without_its_id_is_found_behind_those_that_were_dealt_since(pat: PlatformClient) -> None:
    first = await pat.quiz(count=6)
    for count in range(1, 6):
        for domain in ({}, {"domain": "Topic 0"}, {"domain": "Topic 1"}):
            await pat.quiz(count=count, **domain)
    result = await pat.post("/quiz/submit", 201, **submission(first))
    assert (result["quiz_attempt_id"], result["score"]) == (first["quiz_id"], 6)

"""What clients of the practice platform must not see yet: the answers they get are searched, and all others too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http import code_of
from tests.support.leak_questions import LEAK
from tests.support.leak_walker import LeakSite, Student, Told, leak_site_of
from tests.support.platform_site import API
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def leaks(module_database: ClonedDatabase) -> AsyncIterator[LeakSite]:
    async with leak_site_of(module_database) as site:
        yield site


async def asked(student: Student, operation: str, method: str, path: str, **options: Any) -> Told:
    told = Told(operation, await student.ask(method, f"{API}{path}", **options))
    assert told.answer.is_success, f"{told.place}: {told.answer.text}"
    return told


async def test_a_quiz_tells_nothing_until_it_is_handed_in(leaks: LeakSite) -> None:
    """Of a package with every kind of question those are dealt that letters answer; then all of them are told."""
    student = await leaks.newcomer()
    dealt = await asked(student, "platformQuiz", "GET", "/questions/quiz?exam_type=vault&count=100")
    quiz = dealt.answer.json()
    kinds = {leaks.secrets[question["id"]].kind for question in quiz["questions"]}
    assert kinds == {"single", "multiple", "true_false"}
    assert {question["multiple"] for question in quiz["questions"]} == {True, False}
    session = await student.ask("GET", f"/practice-sessions/{quiz['quiz_id']}")
    leaks.assert_silent([dealt, *await student.walk(session.json())])
    refused = await student.ask("GET", f"{API}/quiz/review/{quiz['quiz_id']}")
    assert (refused.status_code, code_of(refused)) == (409, "practice.review_not_available")
    leaks.assert_silent([Told("refused", refused)])
    answers = [{"question_id": question["id"], "user_answer": "A"} for question in quiz["questions"]]
    body = {"exam_type": "vault", "total_questions": len(answers), "answers": answers}
    handed_in = await asked(student, "platformSubmitQuiz", "POST", "/quiz/submit", json=body)
    leaks.assert_silent([handed_in], judged=True)
    review = await asked(student, "platformReviewQuiz", "GET", f"/quiz/review/{quiz['quiz_id']}")
    assert LEAK in review.answer.text, "so the search can find something"
    leaks.assert_silent([review], [question["id"] for question in quiz["questions"]], judged=True)


async def test_studying_opens_the_question_that_is_answered_and_no_other(leaks: LeakSite) -> None:
    student = await leaks.newcomer()
    wish = {"exam_type": "vault", "count": 100}
    begun = await asked(student, "platformStartStudy", "POST", "/study/start", json=wish)
    round_, opened = begun.answer.json(), []
    leaks.assert_silent([begun])
    question = round_["current_question"]
    while question is not None:
        body = {"session_id": round_["session_id"], "question_id": question["question_id"], "user_answer": "A"}
        told = await asked(student, "platformAnswerStudy", "POST", "/study/answer", json=body)
        opened.append(question["question_id"])
        assert LEAK in told.answer.text
        leaks.assert_silent([told], opened[-1:], judged=True)
        question = told.answer.json()["next_question"]
        if question is not None:
            active = await asked(student, "platformActiveStudy", "GET", "/study/active")
            leaks.assert_silent([active], judged=True)
    assert len(opened) == 3

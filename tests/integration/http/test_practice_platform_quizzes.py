"""The practice platform's door: exams, quizzes, history and statistics."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from application.enrollment.defining import PackageOutline
from domain.question_bank.questions import AnswerInvalid
from tests.support.platform_site import PlatformClient, letter, platform_client, submission
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import QUESTIONS, SENTINEL, WholeSite, whole_site_of


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE) as site:
        await site.container.define_package()(None, PackageOutline(slug="empty", title="Empty"))
        yield site


@pytest.fixture
async def pat(site: WholeSite) -> AsyncIterator[PlatformClient]:
    async with platform_client(site) as person:
        yield person


async def test_exams_are_the_visible_packages_that_have_questions(pat: PlatformClient) -> None:
    pat.tokens = {}
    assert await pat.get("/questions/exams") == {"exams": ["sums"]}


async def test_domains_are_the_topics_with_questions(pat: PlatformClient) -> None:
    pat.tokens = {}
    assert await pat.get("/questions/domains", exam_type="sums") == {
        "exam_type": "sums",
        "domains": [{"domain": f"Topic {number}", "question_count": QUESTIONS // 2} for number in (0, 1)],
    }
    assert (await pat.get("/questions/domains", exam_type="empty"))["domains"] == []
    answer = await pat.ask("GET", "/questions/domains", params={"exam_type": "none"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such exam type"})


async def test_a_quiz_has_the_fields_that_clients_know_and_no_key(pat: PlatformClient) -> None:
    answer = await pat.ask("GET", "/questions/quiz", params={"exam_type": "sums", "count": 4})
    assert SENTINEL not in answer.text
    quiz = answer.json()
    assert list(quiz) == ["quiz_id", "exam_type", "requested_count", "actual_count", "questions"]
    assert (quiz["exam_type"], quiz["requested_count"], quiz["actual_count"]) == ("sums", 4, 4)
    for question in quiz["questions"]:
        assert list(question) == [*("id", "question_id", "exam_type", "domain", "question_text", "multiple", "options")]
        assert question["id"] == question["question_id"]
        assert question["domain"] in {"Topic 0", "Topic 1"}
        assert list(question["options"]) == ["A", "B", "C", "D"]
        assert all(list(option) == ["text"] for option in question["options"].values())
        number = question["question_text"].split()[1].rstrip("?")
        assert {option["text"] for option in question["options"].values()} == {f"{number} and {x}" for x in "abcd"}


async def test_the_same_quiz_is_dealt_until_it_is_begun(site: WholeSite, pat: PlatformClient) -> None:
    """Also to eight who ask at once; each reading would otherwise be a session of the week.

    What is handed in says which quiz it is of: the other one may ask the same questions and more.
    """
    dealt = await asyncio.gather(*(pat.quiz(count=3) for _ in range(8)))
    assert all(quiz == dealt[0] for quiz in dealt)
    counted = site.database.keeper.execute(
        "select count(*) from practice_sessions where user_id = %s", (pat.tokens["user"]["id"],)
    ).fetchone()
    assert counted == (1,)
    assert (await pat.quiz(count=4))["quiz_id"] != dealt[0]["quiz_id"]
    await pat.post("/quiz/submit", 201, **submission(dealt[0], quiz_id=dealt[0]["quiz_id"]))
    assert (await pat.quiz(count=3))["quiz_id"] != dealt[0]["quiz_id"]


async def test_a_domain_narrows_a_quiz(pat: PlatformClient) -> None:
    quiz = await pat.quiz(domain="Topic 1", count=100)
    assert (quiz["actual_count"], {each["domain"] for each in quiz["questions"]}) == (QUESTIONS // 2, {"Topic 1"})
    assert await pat.refused("GET", "/questions/quiz", params={"exam_type": "sums", "domain": "Topic 9"}) == (
        404,
        "practice.no_questions",
    )


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({}, "exam_type"),
        ({"exam_type": ""}, "exam_type"),
        ({"exam_type": "sums", "count": 0}, "count"),
        ({"exam_type": "sums", "count": 101}, "count"),
        ({"exam_type": "sums", "count": "ten"}, "count"),
        ({"exam_type": "sums", "domain": "x" * 201}, "domain"),
    ],
)
async def test_a_query_that_is_invalid_is_422_with_its_place(
    pat: PlatformClient, query: dict[str, Any], place: str
) -> None:
    answer = await pat.ask("GET", "/questions/quiz", params=query)
    assert answer.status_code == 422
    assert [each["loc"] for each in answer.json()["detail"]] == [["query", place]]


async def test_asking_for_questions_enrols_where_the_tier_is_open(site: WholeSite, pat: PlatformClient) -> None:
    site.database.keeper.execute("update exam_package_tiers set self_service = false")
    try:
        assert await pat.refused("GET", "/questions/quiz", params={"exam_type": "sums"}) == (
            403,
            "enrollment.tier_not_self_service",
        )
    finally:
        site.database.keeper.execute("update exam_package_tiers set self_service = true")
    mine = await pat.client.get("/student/enrollments", headers=pat.bearer)
    assert mine.json()["items"] == []
    await pat.quiz()
    (enrolled,) = (await pat.client.get("/student/enrollments", headers=pat.bearer)).json()["items"]
    assert (enrolled["packageSlug"], enrolled["status"]) == ("sums", "active")


async def test_the_tier_caps_the_week_and_reading_again_does_not_count(site: WholeSite, pat: PlatformClient) -> None:
    site.database.keeper.execute("update exam_package_tiers set weekly_practice_sessions = 1")
    try:
        quiz = await pat.quiz(count=2)
        assert await pat.quiz(count=2) == quiz
        answer = await pat.ask("GET", "/questions/quiz", params={"exam_type": "sums", "count": 3})
        assert (answer.status_code, answer.headers["x-error-code"]) == (429, "practice.weekly_limit")
        assert int(answer.headers["retry-after"]) > 6 * 86_400
    finally:
        site.database.keeper.execute("update exam_package_tiers set weekly_practice_sessions = null")


async def test_a_package_that_was_hidden_keeps_its_name_for_who_is_in_it(site: WholeSite, pat: PlatformClient) -> None:
    await pat.quiz(count=2)
    site.database.keeper.execute("update exam_packages set visibility = 'hidden'")
    try:
        async with platform_client(site) as other:
            assert (await other.get("/questions/exams")) == {"exams": []}
            assert (await other.refused("GET", "/questions/quiz", params={"exam_type": "sums"}))[0] == 404
        assert (await pat.quiz(count=2))["actual_count"] == 2
    finally:
        site.database.keeper.execute("update exam_packages set visibility = 'visible'")


async def test_the_server_judges_whatever_the_client_says(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=4)
    body = submission(quiz, "a", quiz_id=quiz["quiz_id"])
    body["answers"][0]["user_answer"] = letter(quiz["questions"][0])
    for answer in body["answers"]:
        answer |= {"is_correct": True, "correct_answer": answer["user_answer"], "time_spent_seconds": 7}
    assert await pat.post("/quiz/submit", 201, **body, score=4, score_percentage=100, time_taken_seconds=3) == {
        "quiz_attempt_id": quiz["quiz_id"],
        "score": 1,
        "total_questions": 4,
        "score_percentage": 25.0,
        "achievements_unlocked": [],
    }


async def test_what_is_handed_in_again_gets_the_same_result(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=3)
    for more in ({}, {"quiz_id": quiz["quiz_id"]}):
        first = await pat.post("/quiz/submit", 201, **submission(quiz, **more))
        assert (first["quiz_attempt_id"], first["score"]) == (quiz["quiz_id"], 3)
    other = await pat.ask("POST", "/quiz/submit", json=submission(quiz, "a", quiz_id=quiz["quiz_id"]))
    assert (other.status_code, other.headers["x-error-code"]) == (409, "practice.finished")
    assert (await pat.get("/quiz/history"))["total_attempts"] == 1


async def test_letters_may_be_small(pat: PlatformClient) -> None:
    body = submission(await pat.quiz(count=2))
    body["answers"][0]["user_answer"] = body["answers"][0]["user_answer"].lower()
    assert (await pat.post("/quiz/submit", 201, **body))["score"] == 2


async def test_questions_that_are_left_out_are_not_right(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=4)
    body = submission(quiz)
    body |= {"answers": body["answers"][:1], "total_questions": 1}
    result = await pat.post("/quiz/submit", 201, **body)
    assert (result["score"], result["total_questions"], result["score_percentage"]) == (1, 4, 25.0)


def _other_count(body: dict[str, Any]) -> list[Any]:
    body["total_questions"] += 1
    return ["body", "total_questions"]


def _twice(body: dict[str, Any]) -> list[Any]:
    body["answers"][1] = body["answers"][0]
    return ["body", "answers"]


def _no_such_letter(body: dict[str, Any]) -> list[Any]:
    body["answers"][1]["user_answer"] = "Z"
    return ["body", "answers", 1, "user_answer"]


def _no_letter(body: dict[str, Any]) -> list[Any]:
    body["answers"][1]["user_answer"] = "4"
    return ["body", "answers", 1, "user_answer"]


def _nothing(body: dict[str, Any]) -> list[Any]:
    body |= {"answers": [], "total_questions": 1}
    return ["body", "answers"]


@pytest.mark.parametrize("spoil", [_other_count, _twice, _no_such_letter, _no_letter, _nothing])
async def test_a_slip_gives_no_answer_at_all(site: WholeSite, pat: PlatformClient, spoil: Any) -> None:
    quiz = await pat.quiz(count=3)
    body = copy.deepcopy(submission(quiz))
    place = spoil(body)
    answer = await pat.ask("POST", "/quiz/submit", json=body)
    assert answer.status_code == 422
    assert [each["loc"] for each in answer.json()["detail"]] == [place]
    assert await pat.quiz(count=3) == quiz, "nothing of it is answered"


async def test_a_list_and_a_text_that_are_too_short_are_told_apart(pat: PlatformClient) -> None:
    body = submission(await pat.quiz(count=3))
    answer = await pat.ask("POST", "/quiz/submit", json=body | {"answers": []})
    assert [(each["loc"], each["type"]) for each in answer.json()["detail"]] == [(["body", "answers"], "too_short")]
    body["answers"][0]["user_answer"] = ""
    answer = await pat.ask("POST", "/quiz/submit", json=body)
    (told,) = answer.json()["detail"]
    assert told["type"] == "string_too_short"


async def test_only_what_one_was_dealt_can_be_handed_in(site: WholeSite, pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=3)
    body = submission(quiz)
    foreign = body | {"answers": [{"question_id": "qst_none", "user_answer": "A"}], "total_questions": 1}
    assert await pat.refused("POST", "/quiz/submit", json=foreign) == (404, "practice.session_not_found")
    assert await pat.refused("POST", "/quiz/submit", json=foreign | {"quiz_id": quiz["quiz_id"]}) == (
        404,
        "practice.slot_not_found",
    )
    assert await pat.refused(
        "POST", "/quiz/submit", json=body | {"exam_type": "empty", "quiz_id": quiz["quiz_id"]}
    ) == (
        404,
        "practice.session_not_found",
    )
    async with platform_client(site) as other:
        for more in ({}, {"quiz_id": quiz["quiz_id"]}):
            assert await other.refused("POST", "/quiz/submit", json=body | more) == (404, "practice.session_not_found")


async def test_a_round_of_study_is_not_handed_in_as_a_quiz(pat: PlatformClient) -> None:
    round_ = await pat.post("/study/start", 201, exam_type="sums", count=2)
    answer = {"question_id": round_["current_question"]["question_id"], "user_answer": "A"}
    body = {"exam_type": "sums", "total_questions": 1, "answers": [answer]}
    for more in ({}, {"quiz_id": round_["session_id"]}):
        assert await pat.refused("POST", "/quiz/submit", json=body | more) == (404, "practice.session_not_found")


async def test_the_history_goes_back_page_by_page(site: WholeSite, pat: PlatformClient) -> None:
    ids = []
    for count in (1, 2, 3):
        quiz = await pat.quiz(count=count)
        await pat.post("/quiz/submit", 201, **submission(quiz, "b" if count > 1 else "a"))
        ids.append(quiz["quiz_id"])
    latest = await pat.get("/quiz/history", limit=2)
    assert (latest["total_attempts"], [each["id"] for each in latest["attempts"]]) == (3, ids[:0:-1])
    older = await pat.get("/quiz/history", limit=2, offset=2, exam_type="sums")
    assert (older["total_attempts"], [each["id"] for each in older["attempts"]]) == (3, ids[:1])
    (attempt,) = older["attempts"]
    assert attempt.pop("completed_at").endswith("Z")
    assert attempt.pop("time_taken_seconds") >= 0
    assert attempt == {
        "id": ids[0],
        "exam_type": "sums",
        "mode": "quiz",
        "total_questions": 1,
        "correct_answers": 0,
        "score_percentage": 0.0,
    }
    assert await pat.get("/quiz/history", exam_type="none") == {"total_attempts": 0, "attempts": []}
    assert (await pat.ask("GET", "/quiz/history", params={"limit": 101})).status_code == 422
    stats = await pat.get("/quiz/stats")
    by_exam = {"attempts": 3, "questions_answered": 6, "average_score": 66.67, "best_score": 100.0}
    assert stats == {
        "total_attempts": 3,
        "total_questions_answered": 6,
        "average_score": 66.67,
        "best_score": 100.0,
        "stats_by_exam": {"sums": by_exam},
    }


async def test_who_did_nothing_has_nothing(pat: PlatformClient) -> None:
    assert await pat.get("/quiz/history") == {"total_attempts": 0, "attempts": []}
    assert await pat.get("/quiz/stats") == {
        "total_attempts": 0,
        "total_questions_answered": 0,
        "average_score": 0.0,
        "best_score": 0.0,
        "stats_by_exam": {},
    }


async def test_a_review_tells_right_and_wrong_with_the_reasons(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=2)
    assert await pat.refused("GET", f"/quiz/review/{quiz['quiz_id']}") == (409, "practice.review_not_available")
    body = submission(quiz)
    body["answers"][1]["user_answer"] = wrong = letter(quiz["questions"][1], "a")
    await pat.post("/quiz/submit", 201, **body)
    review = await pat.get(f"/quiz/review/{quiz['quiz_id']}")
    assert {key: review[key] for key in ("quiz_attempt_id", "exam_type", "total_questions", "correct_answers")} == {
        "quiz_attempt_id": quiz["quiz_id"],
        "exam_type": "sums",
        "total_questions": 2,
        "correct_answers": 1,
    }
    assert (review["score_percentage"], review["completed_at"][-1]) == (50.0, "Z")
    first, second = review["questions"]
    assert (first["is_correct"], second["is_correct"]) == (True, False)
    number = second["question_text"].split()[1].rstrip("?")
    right = letter(quiz["questions"][1])
    assert (second["user_answer"], second["correct_answer"]) == (wrong, right)
    assert (second["user_answer_text"], second["correct_answer_text"]) == (f"{number} and a", f"{number} and b")
    assert second["user_answer_explanation"] == f"{SENTINEL} {number}a"
    assert second["correct_answer_explanation"] == f"{SENTINEL} {number}b"
    assert second["explanation"] == f"{SENTINEL} {number}all"
    assert {name: option["text"] for name, option in second["options"].items()} == {
        name: option["text"] for name, option in quiz["questions"][1]["options"].items()
    }
    assert sum(each["total_questions"] for each in review["domain_performance"]) == 2
    assert sum(each["correct_answers"] for each in review["domain_performance"]) == 1


async def test_what_another_did_does_not_exist(site: WholeSite, pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=2)
    await pat.post("/quiz/submit", 201, **submission(quiz))
    async with platform_client(site) as other:
        told = [await other.ask("GET", f"/quiz/review/{name}") for name in (quiz["quiz_id"], "prs_none")]
        assert {(each.status_code, each.text) for each in told} == {
            (404, '{"detail":"There is no such practice session"}')
        }


async def test_a_quiz_is_a_practice_session_of_the_api(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=2)
    read = await pat.client.get(f"/practice-sessions/{quiz['quiz_id']}", headers=pat.bearer)
    assert (read.json()["status"], read.json()["feedback"], read.json()["served"]) == ("active", "deferred", 2)
    body = {"examPackageId": read.json()["examPackageId"], "feedback": "immediate", "count": 1}
    own = (await pat.client.post("/practice-sessions", json=body, headers=pat.bearer)).json()
    given = {"slot": 1, "choiceIds": ["B"]}
    await pat.client.post(f"/practice-sessions/{own['id']}/answers", json=given, headers=pat.bearer)
    (attempt,) = (await pat.get("/quiz/history"))["attempts"]
    assert (attempt["id"], attempt["mode"], attempt["correct_answers"]) == (own["id"], "study", 1)


async def test_a_badge_is_unlocked_by_the_quiz_that_earns_it(site: WholeSite, pat: PlatformClient) -> None:
    await pat.post("/quiz/submit", 201, **submission(await pat.quiz(count=1)))
    site.database.keeper.execute(
        "update student_progress set questions_answered = 98 where user_id = %s", (pat.tokens["user"]["id"],)
    )
    result = await pat.post("/quiz/submit", 201, **submission(await pat.quiz(count=2)))
    assert result["achievements_unlocked"] == [
        {
            "achievement_id": "answers_100",
            "name": "A hundred answers",
            "description": "Questions answered: 100",
        }
    ]
    assert (await pat.post("/quiz/submit", 201, **submission(await pat.quiz(count=1))))["achievements_unlocked"] == []


async def test_two_letters_for_one_right_option_are_refused_by_the_rule_of_its_kind(pat: PlatformClient) -> None:
    quiz = await pat.quiz(count=2)
    body = submission(quiz)
    body["answers"][1]["user_answer"] = "AB"
    answer = await pat.ask("POST", "/quiz/submit", json=body)
    assert (answer.status_code, answer.headers["x-error-code"]) == (422, AnswerInvalid.code)
    assert [each["loc"] for each in answer.json()["detail"]] == [["body", "answers", 1, "user_answer"]]
    assert await pat.quiz(count=2) == quiz, "nothing of it is answered"

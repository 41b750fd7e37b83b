"""The practice platform's door: studying question by question, achievements, streak and weak areas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.progress.badges import DEFINITIONS
from tests.support.platform_site import API, PlatformClient, letter, platform_client, submission
from tests.support.postgres import ClonedDatabase
from tests.support.visitors import FROM_ANYWHERE
from tests.support.whole_site import QUESTIONS, SENTINEL, WholeSite, whole_site_of


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[WholeSite]:
    async with whole_site_of(module_database, **FROM_ANYWHERE) as site:
        yield site


@pytest.fixture
async def pat(site: WholeSite) -> AsyncIterator[PlatformClient]:
    async with platform_client(site) as person:
        yield person


async def begin(person: PlatformClient, **wishes: Any) -> dict[str, Any]:
    begun: dict[str, Any] = await person.post("/study/start", 201, **{"exam_type": "sums", "count": 2} | wishes)
    return begun


async def answer(person: PlatformClient, session: dict[str, Any], question: dict[str, Any], chosen: str) -> Any:
    body = {"session_id": session["session_id"], "question_id": question["question_id"], "user_answer": chosen}
    return await person.post("/study/answer", **body)


async def test_a_round_of_study_from_its_first_question_to_what_it_came_to(pat: PlatformClient) -> None:
    begun = await pat.ask("POST", "/study/start", json={"exam_type": "sums", "count": 2, "domain": "Topic 1"})
    assert begun.status_code == 201
    assert SENTINEL not in begun.text
    session = begun.json()
    assert list(session) == ["session_id", "exam_type", "total_questions", "current_index", "current_question"]
    assert (session["exam_type"], session["total_questions"], session["current_index"]) == ("sums", 2, 0)
    first = session["current_question"]
    assert (list(first)[:3], first["domain"]) == (["question_id", "question_text", "domain"], "Topic 1")
    assert await pat.get("/study/active") == session

    wrong, right = letter(first, "c"), letter(first)
    told = await answer(pat, session, first, wrong)
    number = first["question_text"].split()[1].rstrip("?")
    assert {name: told[name] for name in ("is_correct", "user_answer", "correct_answer", "current_index")} == {
        "is_correct": False,
        "user_answer": wrong,
        "correct_answer": right,
        "current_index": 1,
    }
    assert (told["user_answer_text"], told["correct_answer_text"]) == (f"{number} and c", f"{number} and b")
    assert told["user_answer_explanation"] == told["all_options"][wrong]["explanation"] == f"{SENTINEL} {number}c"
    assert told["correct_answer_explanation"] == f"{SENTINEL} {number}b"
    assert (told["questions_remaining"], told["session_completed"], told["completion"]) == (1, False, None)
    second = told["next_question"]
    assert SENTINEL not in str(second)
    assert (await pat.get("/study/active"))["current_question"] == second

    last = await answer(pat, session, second, letter(second))
    assert (last["is_correct"], last["next_question"], last["session_completed"]) == (True, None, True)
    assert last["completion"] == {
        "quiz_attempt_id": session["session_id"],
        "score": 1,
        "total_questions": 2,
        "score_percentage": 50.0,
        "achievements_unlocked": [],
    }
    assert await answer(pat, session, second, letter(second)) == last, "a repeat gets what was told"
    assert await pat.refused("GET", "/study/active") == (404, "practice.session_not_found")
    (attempt,) = (await pat.get("/quiz/history"))["attempts"]
    assert (attempt["id"], attempt["mode"], attempt["correct_answers"]) == (session["session_id"], "study", 1)


async def test_one_studies_one_round_at_a_time(pat: PlatformClient) -> None:
    session = await begin(pat)
    assert await begin(pat) == session, "the same wish before its first answer is the same round"
    assert await pat.refused("POST", "/study/start", json={"exam_type": "sums", "count": 3}) == (
        400,
        "practice.study_under_way",
    )
    await answer(pat, session, session["current_question"], "A")
    again = await pat.ask("POST", "/study/start", json={"exam_type": "sums", "count": 2})
    assert again.status_code == 400
    assert again.json() == {"detail": "You have an active study session. Complete or abandon it first."}
    abandoned = await pat.ask("DELETE", "/study/abandon")
    assert (abandoned.status_code, abandoned.json()) == (
        200,
        {"success": True, "message": "Study session abandoned successfully"},
    )
    assert await pat.refused("DELETE", "/study/abandon") == (404, "practice.session_not_found")
    assert (await begin(pat))["session_id"] != session["session_id"]


async def test_a_round_of_study_is_found_behind_the_quizzes_that_were_dealt_since(pat: PlatformClient) -> None:
    """Or it could be neither gone on with nor abandoned, and no other begun."""
    session = await begin(pat)
    dealt = [await pat.quiz(count=count, **domain) for count in range(1, 7) for domain in ({}, {"domain": "Topic 1"})]
    assert len({quiz["quiz_id"] for quiz in dealt}) > 10
    assert await pat.get("/study/active") == session
    assert (await pat.ask("DELETE", "/study/abandon")).status_code == 200
    assert (await begin(pat))["session_id"] != session["session_id"]


async def test_an_answer_stands(pat: PlatformClient) -> None:
    session = await begin(pat)
    question = session["current_question"]
    await answer(pat, session, question, "A")
    body = {"session_id": session["session_id"], "question_id": question["question_id"]}
    assert await pat.refused("POST", "/study/answer", json=body | {"user_answer": "B"}) == (
        409,
        "practice.already_answered",
    )
    assert await pat.refused("POST", "/study/answer", json=body | {"user_answer": "Q"}) == (422, "request.invalid")
    nothing = body | {"question_id": "qst_none", "user_answer": "A"}
    assert await pat.refused("POST", "/study/answer", json=nothing) == (404, "practice.slot_not_found")


async def test_a_round_of_another_does_not_exist_and_a_quiz_is_none(site: WholeSite, pat: PlatformClient) -> None:
    session, quiz = await begin(pat), await pat.quiz(count=1)
    body = {"question_id": session["current_question"]["question_id"], "user_answer": "A"}
    async with platform_client(site) as other:
        for named in (session["session_id"], "prs_none"):
            assert await other.refused("POST", "/study/answer", json=body | {"session_id": named}) == (
                404,
                "practice.session_not_found",
            )
    dealt = {"session_id": quiz["quiz_id"], "question_id": quiz["questions"][0]["id"], "user_answer": "A"}
    assert await pat.refused("POST", "/study/answer", json=dealt) == (404, "practice.session_not_found")


async def test_achievements_are_the_badges(site: WholeSite, pat: PlatformClient) -> None:
    every = (await pat.client.get(f"{API}/achievements")).json()
    assert [each["id"] for each in every] == [each.code for each in DEFINITIONS]
    assert len({each["name"] for each in every}) == len(every)
    assert not any("_" in each["name"] for each in every), "each has a name for people"
    await pat.post("/quiz/submit", 201, **submission(await pat.quiz(count=2)))
    own = {each["id"]: each for each in await pat.get("/achievements/me")}
    assert own["answers_100"] == {
        "id": "answers_100",
        "name": "A hundred answers",
        "description": "Questions answered: 100",
        "criteria_type": "questions_answered",
        "criteria_value": 100,
        "is_earned": False,
        "progress": 2,
        "progress_percentage": 2.0,
    }
    assert await pat.get("/achievements/earned") == []
    site.database.keeper.execute(
        "update student_progress set questions_answered = 99 where user_id = %s", (pat.tokens["user"]["id"],)
    )
    await pat.post("/quiz/submit", 201, **submission(await pat.quiz(count=1)))
    (earned,) = await pat.get("/achievements/earned")
    assert (earned["id"], earned.pop("earned_at")[-1], list(earned)) == (
        "answers_100",
        "Z",
        ["id", "name", "description"],
    )
    mine = {each["id"]: each for each in await pat.get("/achievements/me")}["answers_100"]
    assert (mine["is_earned"], mine["progress"], mine["progress_percentage"]) == (True, 100, 100.0)
    stats = await pat.get("/achievements/stats")
    assert stats == {
        "total_achievements": len(DEFINITIONS),
        "earned_achievements": 1,
        "completion_percentage": round(100 / len(DEFINITIONS), 2),
    }


async def test_streak_and_weak_areas_are_those_of_the_profile(pat: PlatformClient) -> None:
    assert (await pat.get("/streak"))["streak_state"] == "none"
    assert await pat.refused("GET", "/weak-areas", params={"exam_type": "sums"}) == (403, "enrollment.required")
    quiz = await pat.quiz(count=QUESTIONS)
    await pat.post("/quiz/submit", 201, **submission(quiz))
    streak, me = await pat.get("/streak"), await pat.get("/auth/me")
    assert (streak["study_streak_current"], streak["streak_state"], streak["days_active"]) == (1, "secured", 1)
    assert {name: me[name] for name in streak if name in me} == {name: streak[name] for name in streak if name in me}
    assert me["total_questions_answered"] == QUESTIONS
    found = await pat.get("/weak-areas", exam_type="sums")
    assert found["exam_type"] == "sums"
    assert {(each["domain"], each["classification"], each["accuracy_percentage"]) for each in found["weak_areas"]} == {
        (f"Topic {number}", "unknown", 100.0) for number in (0, 1)
    }

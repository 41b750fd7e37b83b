"""Practice over HTTP, down to the database. A header tells who calls, in place of signing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from domain.question_bank.kinds import QuestionKind
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, SECRET, STRANGER, STUDENT, Offer
from tests.support.practice_site import SESSIONS, Site, site_of

# What belongs to a key; it may be seen with the feedback of an answer and in a review, nowhere else.
REVEALING = {
    *(
        "correct",
        "mark",
        "certaintyMark",
        "correctChoiceIds",
        "correctOrder",
        "correctPairs",
        "correctValues",
        "acceptedTexts",
    ),
    *("explanations", "explanation", "answerKey", "weights"),
}

NOTHING_ELSE: dict[str, Any] = {"numericValue": None, "text": None, "order": [], "pairs": {}}


@pytest.fixture
async def site(
    cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock
) -> AsyncIterator[Site]:
    async with site_of(cloned, database, ids, clock) as site:
        yield site


def fields_of(value: Any) -> Iterator[str]:
    """The names of all fields at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from fields_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from fields_of(item)


def assert_silent(response: httpx.Response) -> None:
    """Nothing of a key is in the answer, neither its fields nor its texts."""
    assert SECRET not in response.text
    assert REVEALING.isdisjoint(fields_of(response.json()))


async def test_a_session_is_created_with_its_questions(site: Site) -> None:
    session = await site.begin(count=5, timeLimitSeconds=90)
    assert session["id"].startswith("prs_")
    assert {name: session[name] for name in session if name not in ("id", "questions")} == {
        "examPackageId": PACKAGE,
        "status": "active",
        "feedback": "immediate",
        "certainty": False,
        "source": "all",
        "templateId": None,
        "templateVersion": None,
        "requested": 5,
        "served": 3,
        "answeredCount": 0,
        "correctCount": 0,
        "startedAt": "2030-01-15T09:00:00Z",
        "deadline": "2030-01-15T09:01:30Z",
        "remainingSeconds": 90,
        "pausedAt": None,
        "finishedAt": None,
        "invalidationReason": None,
    }
    question = session["questions"][0]
    assert question == {
        "slot": 1,
        "questionId": question["questionId"],
        "kind": "single",
        "stem": f"Stem of {question['questionId']}",
        "stemFormat": "plain",
        "choices": question["choices"],
        "prompts": [],
        "maxMark": "1",
        "response": None,
        "certainty": None,
        "answeredAt": None,
        "flagged": False,
    }
    assert sorted(choice["id"] for choice in question["choices"]) == ["A", "B", "C", "D"]
    assert set(question["choices"][0]) == {"id", "text", "format"}


async def test_an_answer_is_judged_and_explained_at_once(site: Site) -> None:
    session = await site.begin()
    question = session["questions"][0]
    right = await site.answer(session, questionId=question["questionId"], choiceIds=["B"])
    assert right.status_code == 200
    shown = [choice["id"] for choice in question["choices"]]
    assert right.json() == {
        "slot": 1,
        "questionId": question["questionId"],
        "answeredCount": 1,
        "correctCount": 1,
        "status": "active",
        "feedback": {
            "correct": True,
            "mark": "1",
            "maxMark": "1",
            "certaintyMark": None,
            "correctChoiceIds": ["B"],
            "correctOrder": [],
            "correctPairs": {},
            "correctValues": [],
            "acceptedTexts": [],
            "explanations": [
                {"choiceId": None, "text": f"{SECRET} in general", "format": "plain"},
                *({"choiceId": letter, "text": f"{SECRET} {letter}", "format": "plain"} for letter in shown),
            ],
        },
    }
    wrong = (await site.answer(session, slot=2, choiceId="A")).json()
    assert (wrong["feedback"]["correct"], wrong["feedback"]["mark"], wrong["correctCount"]) == (False, "0", 1)
    last = (await site.answer(session, slot=3, choiceIds=["B"])).json()
    assert (last["status"], last["answeredCount"]) == ("finished", 3)


@pytest.mark.parametrize("feedback", ["immediate", "deferred"])
async def test_nothing_of_a_key_leaves_before_its_time(site: Site, feedback: str) -> None:
    """Every answer of every route, before the first answer is given; with deferred feedback until the end."""
    created = await site.create(feedback=feedback)
    session = created.json()
    routes = ["", "/questions", "/summary", "/review"]

    async def look() -> list[httpx.Response]:
        return [
            await site.client.get(SESSIONS),
            *[await site.client.get(f"{SESSIONS}/{session['id']}{route}") for route in routes[:3]],
        ]

    quiet = [created, *await look(), await site.move(session, "pause"), await site.move(session, "resume")]
    quiet += [await site.answer(session, slot=1, choiceIds=["Z"]), await site.answer(session, slot=1)]
    if feedback == "deferred":
        quiet += [await site.answer(session, slot=1, choiceIds=[letter]) for letter in "AB"]
        quiet += [*await look(), await site.client.get(f"{SESSIONS}/{session['id']}/review")]
        assert all(response.json().get("correctCount") is None for response in quiet if response.status_code == 200)
    for response in quiet:
        assert SECRET not in response.text
        body = response.json()
        judged = {name: body[name] for name in ("correct", "mark", "percent") if name in body}
        if feedback == "deferred":
            assert set(judged.values()) <= {None}
        if not response.request.url.path.endswith("/summary"):
            assert_silent(response)


async def test_only_the_answered_question_is_opened(site: Site) -> None:
    session = await site.begin()
    await site.answer(session, slot=1, choiceIds=["A"])
    for route in ("", "/questions"):
        assert_silent(await site.client.get(f"{SESSIONS}/{session['id']}{route}"))
    review = await site.read(session, "/review")
    assert [item["slot"] for item in review["items"]] == [1]


async def test_the_same_answer_again_is_the_same_reply(site: Site) -> None:
    session = await site.begin(count=1)
    replies = await asyncio.gather(*(site.answer(session, slot=1, choiceIds=["A"]) for _ in range(8)))
    assert {reply.text for reply in replies} == {replies[0].text}
    assert replies[0].json()["answeredCount"] == 1
    assert_problem(await site.answer(session, slot=1, choiceIds=["B"]), 409, "practice.finished")


async def test_with_immediate_feedback_the_first_answer_stands(site: Site) -> None:
    session = await site.begin()
    await site.answer(session, slot=1, choiceIds=["A"])
    assert_problem(await site.answer(session, slot=1, choiceIds=["B"]), 409, "practice.already_answered")


async def test_a_deferred_session_is_reviewed_and_counted_at_its_end(site: Site) -> None:
    session = await site.begin(feedback="deferred")
    for letter in "AB":
        reply = (await site.answer(session, slot=1, choiceIds=[letter])).json()
        assert (reply["feedback"], reply["correctCount"], reply["answeredCount"]) == (None, None, 1)
    assert_problem(await site.client.get(f"{SESSIONS}/{session['id']}/review"), 409, "practice.review_not_available")
    assert (await site.move(session, "finish")).json()["correctCount"] == 1
    review = await site.read(session, "/review")
    assert [(item["correct"], item["mark"]) for item in review["items"]] == [(True, "1"), (None, None), (None, None)]
    assert all(item["correctChoiceIds"] == ["B"] and len(item["explanations"]) == 5 for item in review["items"])
    assert review["items"][0]["response"] == {"choiceIds": ["B"], **NOTHING_ELSE}


async def test_the_summary_tells_the_session_in_numbers(site: Site) -> None:
    session = await site.begin()
    for slot, letter in ((1, "B"), (2, "A"), (3, "B")):
        site.clock.advance(seconds=20)
        await site.answer(session, slot=slot, choiceIds=[letter])
    numbers = {
        "served": 3,
        "answered": 3,
        "correct": 2,
        "mark": "2",
        "maxMark": "3",
        "percent": "66.67",
        "certaintyMark": None,
        "certaintyMaxMark": None,
        "timeSpentSeconds": 60,
    }
    assert await site.read(session, "/summary") == {
        "id": session["id"],
        "status": "finished",
        **numbers,
        "topics": [{"topicId": "top_risk", "name": "top_risk", **numbers}],
        "calibration": None,
    }


async def test_a_session_is_paused_resumed_and_finished(site: Site) -> None:
    session = await site.begin()
    for command, status in (("pause", "paused"), ("resume", "active"), ("finish", "finished"), ("finish", "finished")):
        moved = await site.move(session, command)
        assert (moved.status_code, moved.json()["status"]) == (200, status)
    for command in ("pause", "resume"):
        assert_problem(await site.move(session, command), 409, "practice.finished")
    assert_problem(await site.answer(session, slot=1, choiceIds=["B"]), 409, "practice.finished")


async def test_a_paused_session_takes_no_answer_and_a_timed_one_no_pause(site: Site) -> None:
    paused = await site.begin()
    await site.move(paused, "pause")
    assert_problem(await site.answer(paused, slot=1, choiceIds=["B"]), 409, "practice.paused")
    timed = await site.begin(timeLimitSeconds=60)
    assert_problem(await site.move(timed, "pause"), 409, "practice.pause_timed")


async def test_time_ends_a_session_at_its_deadline(site: Site) -> None:
    session = await site.begin(timeLimitSeconds=60)
    site.clock.advance(seconds=60)
    assert_problem(await site.answer(session, slot=1, choiceIds=["B"]), 409, "practice.finished")
    over = await site.read(session)
    assert (over["status"], over["finishedAt"], over["remainingSeconds"]) == ("finished", session["deadline"], None)


async def test_several_right_options_are_answered_together(site: Site) -> None:
    several = Offer(id="qst_many", kind=QuestionKind.MULTIPLE, correct="AC", topic_id="top_many", points=Decimal("0.5"))
    site.world.offer([several])
    session = await site.begin(topicIds=["top_many"])
    reply = (await site.answer(session, slot=1, choiceIds=["C", "A", "C"])).json()
    assert (reply["feedback"]["correct"], reply["feedback"]["mark"]) == (True, "0.5")
    assert (await site.read(session))["questions"][0]["response"] == {"choiceIds": ["A", "C"], **NOTHING_ELSE}


async def test_who_is_not_enrolled_cannot_practise_and_cannot_go_on(site: Site) -> None:
    assert_problem(await site.create(examPackageId="pkg_unknown"), 403, "enrollment.required")
    session = await site.begin()
    site.world.end_enrollment(STUDENT.user_id)
    assert_problem(await site.answer(session, slot=1, choiceIds=["B"]), 403, "enrollment.required")
    assert (await site.read(session))["answeredCount"] == 0


async def test_the_session_of_somebody_else_does_not_exist(site: Site) -> None:
    session = await site.begin()
    site.world.enroll(STRANGER.user_id)
    stranger = {"x-caller": STRANGER.user_id}
    for route in ("", "/questions", "/review", "/summary"):
        answer = await site.client.get(f"{SESSIONS}/{session['id']}{route}", headers=stranger)
        assert_problem(answer, 404, "practice.session_not_found")
    for command, body in (
        ("pause", None),
        ("resume", None),
        ("finish", None),
        ("answers", {"slot": 1, "choiceId": "B"}),
    ):
        answer = await site.client.post(f"{SESSIONS}/{session['id']}/{command}", json=body, headers=stranger)
        assert_problem(answer, 404, "practice.session_not_found")
    assert (await site.client.get(SESSIONS, headers=stranger)).json() == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    "target", [{"slot": 4}, {"slot": 2**31 - 1}, {"questionId": "qst_none"}, {"slot": 1, "questionId": "qst_none"}]
)
async def test_a_question_that_the_session_does_not_ask_is_not_found(site: Site, target: dict[str, Any]) -> None:
    session = await site.begin()
    assert_problem(await site.answer(session, **target, choiceIds=["B"]), 404, "practice.slot_not_found")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"choiceIds": ["B"]}, "request.invalid", "/slot"),
        ({"slot": 1}, "answer.invalid", "/choiceIds"),
        ({"slot": 1, "choiceIds": []}, "answer.invalid", "/choiceIds"),
        ({"slot": 1, "choiceIds": ["Z"]}, "answer.invalid", "/choiceIds"),
        ({"slot": 1, "choiceIds": ["A", "B"]}, "answer.invalid", "/choiceIds"),
        ({"slot": 1, "choiceIds": ["A"], "choiceId": "A"}, "request.invalid", "/choiceId"),
        ({"slot": 1, "choiceIds": ["A"], "certainty": "low"}, "answer.invalid", "/certainty"),
        ({"slot": 1, "choiceIds": ["A"], "certainty": "very"}, "request.invalid", "/certainty"),
        ({"slot": 0, "choiceIds": ["A"]}, "request.invalid", "/slot"),
        ({"slot": 1, "choiceIds": ["A"], "text": "A"}, "request.invalid", "/text"),
        ({"slot": 1, "choiceId": "A", "pairs": {"1": "A"}}, "request.invalid", "/pairs"),
        ({"slot": 1, "rightValue": "1"}, "request.invalid", "/rightValue"),
    ],
)
async def test_an_answer_that_cannot_be_taken_names_the_field(
    site: Site, body: dict[str, Any], code: str, pointer: str
) -> None:
    session = await site.begin()
    problem = assert_problem(await site.answer(session, **body), 422, code)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert (await site.read(session))["answeredCount"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"source": "easy"}, "/source"),
        ({"certainty": "low"}, "/certainty"),
        ({"examPackageId": None}, "/examPackageId"),
        ({"templateId": "tpl_1", "count": 3}, "/count"),
        ({"templateId": "tpl_1", "topicIds": []}, "/topicIds"),
        ({"templateId": "tpl_1", "certainty": False}, "/certainty"),
        ({"templateId": "tpl_1", "source": "weak", "feedback": "deferred"}, "/source"),
        ({"count": 0}, "/count"),
        ({"count": 201}, "/count"),
        ({"timeLimitSeconds": 0}, "/timeLimitSeconds"),
        ({"feedback": "never"}, "/feedback"),
        ({"topicIds": ["no id!"]}, "/topicIds/0"),
    ],
)
async def test_a_wish_that_cannot_be_met_names_the_field(site: Site, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(await site.create(**body), 422, "request.invalid")
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_nothing_that_matches_is_told(site: Site) -> None:
    assert_problem(await site.create(topicIds=["top_none"]), 409, "practice.no_questions")


async def test_wishes_that_ask_for_nothing_special_are_met(site: Site) -> None:
    session = await site.begin(source="all", certainty=False, count=None, topicIds=[], difficultyIds=["dif_easy"])
    assert (session["requested"], session["served"]) == (10, 3)


async def test_creating_with_a_key_creates_once(site: Site) -> None:
    first, again = await site.create(key="k1"), await site.create(key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"] == f"{SESSIONS}/{first.json()['id']}"
    assert_problem(await site.create(key="k1", count=2), 422, "idempotency.key_reused")
    assert len((await site.client.get(SESSIONS)).json()["items"]) == 1


async def test_answering_with_a_key_keeps_refusals_as_well(site: Site) -> None:
    """That time ran out is kept although the answer is refused, so the refusal is what the key stands for."""
    session = await site.begin(timeLimitSeconds=60)
    site.clock.advance(seconds=60)
    path, body = f"{SESSIONS}/{session['id']}/answers", {"slot": 1, "choiceIds": ["B"]}
    for _ in range(2):
        refused = await site.client.post(path, json=body, headers={"idempotency-key": "k2"})
        assert (refused.status_code, refused.json()["code"]) == (409, "practice.finished")


async def test_sessions_are_listed_page_by_page_the_newest_first(site: Site) -> None:
    created = [(await site.begin())["id"] for _ in range(5)]
    listed: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await site.client.get(SESSIONS, params=query)).json()
        listed += [session["id"] for session in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert listed == created[::-1]


async def test_the_questions_keep_the_order_of_the_session(site: Site) -> None:
    session = await site.begin()
    assert (await site.read(session, "/questions"))["items"] == session["questions"]
    assert (await site.read(session))["questions"] == session["questions"]

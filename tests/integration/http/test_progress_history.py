"""Looking back, and flagging questions, over HTTP: as the whole application serves it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http import assert_problem
from tests.support.whole_site import SENTINEL, WholeSite

pytestmark = pytest.mark.usefixtures("within_one_day")

PROGRESS, FLAGS = "/student/progress", "/student/flagged-questions"
# What belongs to a key.
_REVEALING = {"correct", "choices", "answerKey", "correctChoiceIds", "explanations", "weights", "prompts"}


@pytest.fixture
def clean(whole_site: WholeSite) -> WholeSite:
    """The site, in which nobody has practised or flagged anything yet."""
    for table in ("flagged_questions", "review_cards", "practice_slots", "practice_sessions"):
        whole_site.database.keeper.execute(f"delete from {table}".encode())
    return whole_site


async def progress(site: WholeSite, person: str = "student", **query: Any) -> dict[str, Any]:
    answer = await site.ask("GET", PROGRESS, person, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def answer_all(site: WholeSite, session: dict[str, Any], *, right: int) -> None:
    """The right option is always the one that says `… and b`."""
    for number, question in enumerate(session["questions"]):
        wanted = "b" if number < right else "a"
        (choice,) = [each["id"] for each in question["choices"] if each["text"].endswith(f"and {wanted}")]
        body = {"slot": question["slot"], "choiceIds": [choice]}
        answered = await site.ask("POST", f"/practice-sessions/{session['id']}/answers", "student", json=body)
        assert answered.status_code == 200, answered.text


async def questions(site: WholeSite) -> list[str]:
    return [each["id"] for each in (await site.ask("GET", "/questions", "student")).json()["items"]]


async def flagged(site: WholeSite, person: str = "student") -> list[str]:
    answer = await site.ask("GET", FLAGS, person)
    assert answer.status_code == 200, answer.text
    return [each["questionId"] for each in answer.json()["items"]]


async def test_who_did_nothing_yet_sees_empty_weeks(clean: WholeSite) -> None:
    told = await progress(clean)
    assert told["lifetime"] == {"answered": 0, "judged": 0, "correct": 0, "percent": None, "timeSpentSeconds": 0}
    assert len(told["weeks"]) == 12
    assert set(told["weeks"][0]) == {*told["lifetime"], "week", "startsOn"}
    rest = {name: told[name] for name in ("topics", "practiceSessions", "exams", "dueCount", "flaggedCount")}
    assert rest == {"topics": [], "practiceSessions": [], "exams": [], "dueCount": 0, "flaggedCount": 0}


async def test_practice_is_told_with_its_score(clean: WholeSite) -> None:
    session = await clean.practice(count=4)
    await answer_all(clean, session, right=3)
    told = await progress(clean, weeks=1)
    counted = {name: told["lifetime"][name] for name in ("answered", "judged", "correct", "percent")}
    assert counted == {"answered": 4, "judged": 4, "correct": 3, "percent": "75"}
    assert [week["answered"] for week in told["weeks"]] == [4]
    (topics, weeks) = told["topics"], [week for topic in told["topics"] for week in topic["weeks"]]
    assert sum(topic["answered"] for topic in topics) == sum(week["answered"] for week in weeks) == 4
    assert {topic["name"] for topic in topics} <= {"Topic 0", "Topic 1"}
    (score,) = told["practiceSessions"]
    assert (score["id"], score["status"], score["correctCount"]) == (session["id"], "finished", 3)
    assert (score["mark"], score["maxMark"], score["percent"]) == ("3", "4", "75")
    assert SENTINEL not in str(told)


async def test_a_deferred_session_tells_how_much_was_answered_and_not_what_was_right(clean: WholeSite) -> None:
    session = await clean.practice(count=3, feedback="deferred")
    await answer_all(clean, session | {"questions": session["questions"][:2]}, right=1)
    told = await progress(clean)
    assert (told["lifetime"]["answered"], told["lifetime"]["judged"], told["lifetime"]["correct"]) == (2, 0, 0)
    assert all(not part["judged"] and not part["correct"] for part in (*told["weeks"], *told["topics"]))
    (score,) = told["practiceSessions"]
    assert [score[name] for name in ("correctCount", "mark", "maxMark", "percent")] == [None] * 4
    await clean.ask("POST", f"/practice-sessions/{session['id']}/finish", "student")
    told = await progress(clean)
    assert (told["lifetime"]["judged"], told["lifetime"]["correct"]) == (2, 1)
    assert told["practiceSessions"][0]["percent"] == "50"


async def test_one_package_by_itself(clean: WholeSite) -> None:
    await answer_all(clean, await clean.practice(count=2), right=2)
    assert (await progress(clean, examPackageId=clean.package))["lifetime"]["answered"] == 2
    assert (await progress(clean, examPackageId="pkg_none"))["lifetime"]["answered"] == 0


async def test_a_history_is_its_students_own(clean: WholeSite) -> None:
    await answer_all(clean, await clean.practice(count=2), right=2)
    told = await progress(clean, "stranger")
    assert (told["lifetime"]["answered"], told["practiceSessions"]) == (0, [])


async def test_what_is_due_is_told_as_soon_as_it_can_be_practised(clean: WholeSite) -> None:
    """In the middle of a session, and without any job having run."""
    session = await clean.practice(count=5)
    await answer_all(clean, session | {"questions": session["questions"][:4]}, right=0)
    clean.database.keeper.execute("update practice_slots set answered_at = answered_at - interval '1 day'")
    assert (await progress(clean, examPackageId=clean.package))["dueCount"] == 4
    again = await clean.practice(count=6, source="due")
    assert {each["questionId"] for each in again["questions"]} == {
        each["questionId"] for each in session["questions"][:4]
    }


@pytest.mark.parametrize(
    "query",
    [
        *({"weeks": weeks} for weeks in ("0", "105", "-1", "x", "1.5", "", "9" * 30)),
        *({"examPackageId": package} for package in ("", "a b", "a" * 65, "%00", "x\n")),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(clean: WholeSite, query: dict[str, str]) -> None:
    assert_problem(await clean.ask("GET", PROGRESS, "student", params=query), 422, "request.invalid")


async def test_a_question_is_flagged_listed_and_released(clean: WholeSite) -> None:
    first, second = (await questions(clean))[:2]
    for question_id in (first, second, first):
        answer = await clean.ask("PUT", f"{FLAGS}/{question_id}", "student")
        assert (answer.status_code, answer.content) == (204, b"")
    assert await flagged(clean) == [second, first]
    assert (await progress(clean))["flaggedCount"] == 2
    for _ in range(2):
        answer = await clean.ask("DELETE", f"{FLAGS}/{second}", "student")
        assert (answer.status_code, answer.content) == (204, b"")
    assert await flagged(clean) == [first]
    assert await flagged(clean, "stranger") == []


async def test_a_list_of_flags_goes_page_by_page_and_gives_nothing_away(clean: WholeSite) -> None:
    for question_id in await questions(clean):
        await clean.ask("PUT", f"{FLAGS}/{question_id}", "student")
    every = await flagged(clean)
    found: list[str] = []
    query: dict[str, str] = {"limit": "4"}
    while True:
        answer = await clean.ask("GET", FLAGS, "student", params=query)
        page = answer.json()
        assert all(_REVEALING.isdisjoint(item) for item in page["items"])
        assert SENTINEL not in answer.text
        found += [each["questionId"] for each in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert found == every == list(reversed(await questions(clean)))


async def test_a_list_of_flags_may_be_of_one_package(clean: WholeSite) -> None:
    first = (await questions(clean))[0]
    await clean.ask("PUT", f"{FLAGS}/{first}", "student")
    for package, expected in ((clean.package, [first]), ("pkg_none", [])):
        answer = await clean.ask("GET", FLAGS, "student", params={"examPackageId": package})
        assert [each["questionId"] for each in answer.json()["items"]] == expected
    for package in ("", "a b", "a" * 65, "%00"):
        refused = await clean.ask("GET", FLAGS, "student", params={"examPackageId": package})
        assert_problem(refused, 422, "request.invalid")


async def test_a_question_that_is_not_there_is_not_found(clean: WholeSite) -> None:
    for method in ("PUT", "DELETE"):
        assert_problem(await clean.ask(method, f"{FLAGS}/qst_none", "student"), 404, "question.not_found")


@pytest.mark.parametrize("person", ["instructor", "admin"])
@pytest.mark.parametrize(("method", "path"), [("GET", PROGRESS), ("GET", FLAGS), ("PUT", f"{FLAGS}/qst_1")])
async def test_staff_have_no_progress_of_their_own(clean: WholeSite, person: str, method: str, path: str) -> None:
    assert_problem(await clean.ask(method, path, person), 403, "auth.forbidden")

"""What a student must not see yet: every answer of every route is searched for it, through the whole application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.whole_site import SENTINEL, WholeSite

# Names of fields that hold a key, a mark or a reason. A summary counts, a session counts; neither may do more.
_REVEALING = {
    *("correct", "mark", "percent", "correctChoiceIds", "correctOrder", "correctPairs", "correctValues"),
    *("acceptedTexts", "explanations", "explanation", "answerKey", "weights"),
}
_NEVER = {"answerKey", "answer_key", "weights", "passwordHash", "password", "tokenHash", "contentHash"}


@pytest.fixture
def site(whole_site: WholeSite) -> WholeSite:
    """The site; here sessions are begun in it."""
    return whole_site


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field at any depth, with what it holds."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name, item
            yield from members(item)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


async def everything(site: WholeSite, session: dict[str, Any], person: str = "student") -> list[httpx.Response]:
    """What each route answers that only reads, to somebody at the student's portal or to nobody."""
    found = []
    for operation in site.operations():
        if operation.method != "GET" or (operation.protected and operation.person != "student"):
            continue
        ids = {"sessionId": session["id"], "questionId": session["questions"][0]["questionId"], "importId": "imp_none"}
        path = operation.at(examPackageId=site.package, **ids)
        found.append(await site.ask("GET", path, person))
    paths = [str(answer.request.url.path) for answer in found]
    assert f"/practice-sessions/{session['id']}/review" in paths, "the walk must reach what could leak"
    (question,) = (each for each in found if each.request.url.path == f"/questions/{ids['questionId']}")
    assert question.status_code == 200, question.text
    return found


def assert_silent(answers: list[httpx.Response]) -> None:
    for answer in answers:
        place = f"{answer.request.method} {answer.request.url.path}"
        assert SENTINEL not in answer.text, place
        if not answer.headers.get("content-type", "").startswith("application/json"):
            continue
        shown = dict(members(answer.json()))
        assert _NEVER.isdisjoint(shown), place
        told = {name for name in _REVEALING & set(shown) if shown[name] not in (None, 0, "0", [])}
        assert not told, f"{place}: {told}"


@pytest.mark.parametrize("feedback", ["immediate", "deferred"])
async def test_nothing_is_told_before_the_first_answer(site: WholeSite, feedback: str) -> None:
    session = await site.practice(feedback=feedback)
    path = f"/practice-sessions/{session['id']}"
    moved = [await site.ask("POST", f"{path}/{command}", "student") for command in ("pause", "resume")]
    spoilt = [
        await site.ask("POST", f"{path}/answers", "student", json=body)
        for body in (
            {"slot": 1, "choiceIds": ["Z"]},
            {"slot": 99, "choiceIds": ["B"]},
            {"slot": 1, "choiceIds": ["A", "B"]},
        )
    ]
    assert [answer.status_code for answer in (*moved, *spoilt)] == [200, 200, 422, 404, 422]
    assert_silent([*moved, *spoilt, *await everything(site, session)])
    assert SENTINEL not in str(session)
    assert _REVEALING.isdisjoint(dict(members(session)))


async def test_a_deferred_session_tells_nothing_until_its_end(site: WholeSite) -> None:
    session = await site.practice(feedback="deferred")
    path = f"/practice-sessions/{session['id']}"
    answers = [
        await site.ask("POST", f"{path}/answers", "student", json={"slot": slot, "choiceIds": [letter]})
        for slot, letter in ((1, "B"), (1, "A"), (2, "B"))
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    everywhere = [*answers, *await everything(site, session)]
    assert_silent(everywhere)
    own = [answer for answer in everywhere if session["id"] in answer.text and answer.status_code == 200]
    assert {value for answer in own for name, value in members(answer.json()) if name == "correctCount"} <= {None, 0}
    await site.ask("POST", f"{path}/finish", "student")
    review = await site.ask("GET", f"{path}/review", "student")
    assert SENTINEL in review.text, "afterwards all of it is told, so the search above can find something"


async def test_an_answer_opens_its_own_question_only(site: WholeSite) -> None:
    session = await site.practice(feedback="immediate")
    path = f"/practice-sessions/{session['id']}"
    answered = await site.ask("POST", f"{path}/answers", "student", json={"slot": 1, "choiceIds": ["A"]})
    assert SENTINEL in answered.text
    number = session["questions"][0]["stem"].split()[1].rstrip("?")
    review = await site.ask("GET", f"{path}/review", "student")
    for text in (answered.text, review.text):
        assert text.count(SENTINEL) == text.count(f"{SENTINEL} {number}")
    rest = [
        answer
        for answer in await everything(site, session)
        if not answer.request.url.path.endswith(("review", "summary"))
    ]
    assert_silent(rest)


async def test_a_stranger_learns_nothing_even_afterwards(site: WholeSite) -> None:
    session = await site.practice(feedback="immediate")
    path = f"/practice-sessions/{session['id']}"
    await site.ask("POST", f"{path}/answers", "student", json={"slot": 1, "choiceIds": ["A"]})
    await site.ask("POST", f"{path}/finish", "student")
    assert_silent(await everything(site, session, "stranger"))
    assert all(session["id"] not in answer.text for answer in await everything(site, session, "stranger"))

"""An enrolment whose time is over opens nothing, before anybody has written its end down: as if one had left."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest

from tests.support.http import assert_problem
from tests.support.request_bodies import BODIES
from tests.support.whole_site import Operation, WholeSite

_LAPSE: Final = """
    update enrollments set started_at = now() - interval '2 hours', expires_at = now() - interval '1 second'
     where status = 'active' and user_id = (select id from users where email = %s)
"""
_LAPSED, _LEFT = "student", "stranger"
# Of their account, not of their studies.
_ELSEWHERE: Final = ("/auth", "/student/auth")
Answered = dict[str, tuple[int, str | None, int | None]]


class Studies:
    """Two students with a practice session under way: one whose time is over by now, one who has left."""

    def __init__(self, site: WholeSite, sessions: dict[str, dict[str, Any]], question: dict[str, Any]) -> None:
        self.site, self.sessions, self.question = site, sessions, question

    async def ask(self, operation: Operation, person: str) -> httpx.Response:
        session = self.sessions[person]
        ids = {
            "sessionId": session["id"],
            "examPackageId": self.site.package,
            "questionId": self.question["id"],
        }
        real = {"examPackageId": self.site.package, "questionId": None, "username": f"the-{person}"}
        body = BODIES.get(operation.id, {})
        options = {"json": {**body, **{name: real[name] for name in body.keys() & real.keys()}}} if body else {}
        return await self.site.ask(operation.method, operation.at(**ids), person, **options)

    async def all(self, person: str) -> Answered:
        """What every route of students answers: the status, the code of a refusal, how long a list is."""
        found: Answered = {}
        for operation in self.site.operations():
            mine = operation.person == "student" and operation.protected
            # Entering anew is what an end is there for; it would open everything again.
            if mine and not operation.path.startswith(_ELSEWHERE) and operation.id != "enroll":
                answer = await self.ask(operation, person)
                told = answer.json() if answer.content else {}
                told = {"items": told} if isinstance(told, list) else told
                items = told.get("items")
                found[operation.id] = (
                    answer.status_code,
                    told.get("code", answer.headers.get("x-error-code")),
                    None if not isinstance(items, list) else len(items),
                )
        return found


@pytest.fixture(scope="module")
async def studies(whole_site: WholeSite) -> Studies:
    sessions = {person: await whole_site.practice(person, count=2, feedback="immediate") for person in (_LAPSED, _LEFT)}
    asked = {each["questionId"] for session in sessions.values() for each in session["questions"]}
    offered = (await whole_site.ask("GET", "/questions?limit=100", _LAPSED)).json()["items"]
    assert len(offered) > 4  # else the draws of both could take all that there is
    question = next(each for each in offered if each["id"] not in asked)  # what one was asked may still be flagged
    whole_site.database.keeper.execute(_LAPSE, [f"{_LAPSED}@example.org"])
    left = await whole_site.ask("DELETE", f"/student/enrollments/{whole_site.package}", _LEFT)
    assert left.status_code == 204
    return Studies(whole_site, sessions, question)


async def test_what_is_not_written_down_yet_is_over_at_every_door(studies: Studies) -> None:
    site, session = studies.site, studies.sessions[_LAPSED]
    for path in ("/questions", "/question-banks", "/question-topics"):
        assert (await site.ask("GET", path, _LAPSED)).json()["items"] == []
    question = await site.ask("GET", f"/questions/{studies.question['id']}", _LAPSED)
    assert_problem(question, 404, "question.not_found")
    begun = await site.ask("POST", "/practice-sessions", _LAPSED, json={"examPackageId": site.package})
    assert_problem(begun, 403, "enrollment.required")
    answer = {"slot": 1, "choiceIds": ["A"]}
    answered = await site.ask("POST", f"/practice-sessions/{session['id']}/answers", _LAPSED, json=answer)
    assert_problem(answered, 403, "enrollment.required")
    for method, options in (("PATCH", {"json": {"tierId": "tier_none"}}), ("DELETE", {})):
        changed = await site.ask(method, f"/student/enrollments/{site.package}", _LAPSED, **options)
        assert_problem(changed, 404, "enrollment.not_found")
    (mine,) = (await site.ask("GET", "/student/enrollments", _LAPSED)).json()["items"]
    assert (mine["status"], mine["endReason"]) == ("ended", "expired")
    assert site.database.keeper.execute("select count(*) from enrollments where status = 'active'").fetchone() == (1,)


async def test_every_route_answers_as_it_does_to_somebody_who_has_left(studies: Studies) -> None:
    lapsed, left = await studies.all(_LAPSED), await studies.all(_LEFT)
    assert lapsed == left
    assert len(lapsed) >= 18

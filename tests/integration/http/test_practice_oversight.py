"""Practice over HTTP: what an administrator finds, and how students and staff learn that a session is void."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, SECRET, STRANGER, STUDENT, offers
from tests.support.practice_site import SESSIONS, Site, site_of

ADMIN = {"x-caller": "usr_root", "x-role": "admin"}
OF_STUDENT = f"/admin/users/{STUDENT.user_id}/practice-sessions"


@pytest.fixture
async def site(
    cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock
) -> AsyncIterator[Site]:
    async with site_of(cloned, database, ids, clock) as site:
        yield site


def at(session: dict[str, Any], user_id: str = STUDENT.user_id) -> str:
    return f"/admin{SESSIONS}/{user_id}/{session['id']}"


async def void(site: Site, session: dict[str, Any]) -> dict[str, Any]:
    answer = await site.client.post(f"{at(session)}/invalidate", json={"reason": "A leaked question"}, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_admin_finds_the_sessions_of_a_student_as_the_student_lists_them(site: Site) -> None:
    site.world.offer(offers(2, prefix="other"), "pkg_other")
    site.world.enroll(STUDENT.user_id, "pkg_other")
    for body in ({}, {"timeLimitSeconds": 60}, {"examPackageId": "pkg_other"}, {"feedback": "deferred"}):
        last = await site.begin(**body)
    await site.move(last, "pause")
    await void(site, last)
    site.clock.advance(seconds=60)
    for query in ("", "?status=active", "?status=finished&status=invalidated", "?examPackageId=pkg_other", "?limit=3"):
        own = (await site.client.get(f"{SESSIONS}{query}")).json()
        found = await site.client.get(f"{OF_STUDENT}{query}", headers=ADMIN)
        assert found.status_code == 200
        assert found.json()["items"] == own["items"] != []
    more = (await site.client.get(f"{OF_STUDENT}?limit=3&cursor={found.json()['nextCursor']}", headers=ADMIN)).json()
    assert (len(more["items"]), more["nextCursor"]) == (1, None)


async def test_nobodys_sessions_are_not_found_and_who_has_none_has_an_empty_list(site: Site) -> None:
    unknown = await site.client.get("/admin/users/usr_nobody/practice-sessions", headers=ADMIN)
    assert_problem(unknown, 404, "user.not_found")
    site.world.enroll(STRANGER.user_id)
    path = f"/admin/users/{STRANGER.user_id}/practice-sessions"
    assert (await site.client.get(path, headers=ADMIN)).json() == {"items": [], "nextCursor": None}


async def test_an_admin_sees_what_became_of_each_slot_and_no_key(site: Site) -> None:
    """With deferred feedback too: what the student may not know yet, those who decide do."""
    session = await site.begin(feedback="deferred", certainty=True)
    site.clock.advance(seconds=10)
    await site.answer(session, slot=1, choiceIds=["B"], certainty="high")
    await site.answer(session, slot=2, choiceIds=["A"])
    told = await site.client.get(at(session), headers=ADMIN)
    assert told.status_code == 200, told.text
    assert SECRET not in told.text
    body = told.json()
    assert (body["id"], body["userId"], body["answeredCount"]) == (session["id"], STUDENT.user_id, 2)
    right, wrong, blank = body["slots"]
    assert right == {
        "slot": 1,
        "questionId": session["questions"][0]["questionId"],
        "version": 1,
        "answeredAt": "2030-01-15T09:00:10Z",
        "correct": True,
        "mark": "1",
        "maxMark": "1",
        "certainty": "high",
        "certaintyMark": "3",
        "timeSpentSeconds": 10,
    }
    assert [wrong[name] for name in ("correct", "mark", "certainty", "certaintyMark")] == [False, "0", "low", "0"]
    assert [blank[name] for name in ("answeredAt", "correct", "mark", "certainty")] == [None] * 4
    own = await site.read(session)
    assert {name: own[name] for name in own if name != "questions"} == {
        name: body[name] for name in body if name not in ("slots", "userId")
    }


async def test_a_session_is_found_under_its_student_only(site: Site) -> None:
    session = await site.begin()
    site.world.enroll(STRANGER.user_id)
    for user_id in (STRANGER.user_id, "usr_nobody"):
        answer = await site.client.get(at(session, user_id), headers=ADMIN)
        assert_problem(answer, 404, "practice.session_not_found")


@pytest.mark.parametrize("role", ["student", "instructor"])
async def test_only_administrators_look_into_practice(site: Site, role: str) -> None:
    session = await site.begin()
    for path in (OF_STUDENT, at(session)):
        answer = await site.client.get(path, headers={"x-role": role})
        assert_problem(answer, 403, "auth.forbidden")


async def test_why_a_session_is_void_is_told_to_its_student(site: Site) -> None:
    session = await site.begin()
    assert session["invalidationReason"] is None
    told = await void(site, session)
    seen = await site.read(session), (await site.client.get(SESSIONS)).json()["items"][0]
    admin = (await site.client.get(at(session), headers=ADMIN)).json()
    for body in (told, *seen, admin):
        assert (body["status"], body["invalidationReason"]) == ("invalidated", "A leaked question")


async def test_the_review_of_a_void_session_says_that_it_never_opens(site: Site) -> None:
    session = await site.begin(feedback="deferred")
    early = assert_problem(
        await site.client.get(f"{SESSIONS}/{session['id']}/review"), 409, "practice.review_not_available"
    )
    assert early["detail"] == "The review opens when the practice session is finished."
    await void(site, session)
    late = assert_problem(
        await site.client.get(f"{SESSIONS}/{session['id']}/review"), 409, "practice.review_not_available"
    )
    assert late["detail"] == "The practice session was declared void: its review never opens."


async def test_a_question_tells_whether_its_student_has_flagged_it(site: Site) -> None:
    """In the session, in its questions and in the review, at once when it begins, and never of somebody else's flag."""
    site.world.flag(STUDENT.user_id, "qst_001")
    site.world.enroll(STRANGER.user_id)
    site.world.flag(STRANGER.user_id, "qst_002")
    for source in ("all", "unseen"):
        session = await site.begin(source=source, feedback="deferred")
        assert flags(session["questions"]) == {"qst_000": False, "qst_001": True, "qst_002": False}
    assert flags((await site.begin(source="flagged"))["questions"]) == {"qst_001": True}
    site.world.flag(STUDENT.user_id, "qst_000")
    await site.move(session, "finish")
    for shown in (
        (await site.read(session))["questions"],
        (await site.read(session, "/questions"))["items"],
        (await site.read(session, "/review"))["items"],
    ):
        assert flags(shown) == {"qst_000": True, "qst_001": True, "qst_002": False}


def flags(questions: list[dict[str, Any]]) -> dict[str, bool]:
    return {question["questionId"]: question["flagged"] for question in questions}


async def test_sessions_are_listed_by_several_states_at_once(site: Site) -> None:
    """What can be gone on with is active or paused."""
    running, paused, over = [await site.begin() for _ in range(3)]
    await site.move(paused, "pause")
    await site.move(over, "finish")

    async def listed(query: str) -> list[str]:
        answer = await site.client.get(f"{SESSIONS}?{query}")
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert await listed("status=active&status=paused") == [paused["id"], running["id"]]
    assert await listed("status=paused&status=active&status=paused") == [paused["id"], running["id"]]
    assert await listed("status=finished") == [over["id"]]
    assert await listed(f"status=active&status=finished&examPackageId={PACKAGE}") == [over["id"], running["id"]]
    first = (await site.client.get(f"{SESSIONS}?status=active&status=paused&limit=1")).json()
    assert await listed(f"status=active&status=paused&limit=1&cursor={first['nextCursor']}") == [running["id"]]
    for wrong in ("status=active&status=over", "status=", "status=active,paused"):
        assert_problem(await site.client.get(f"{SESSIONS}?{wrong}"), 422, "request.invalid")
    assert_problem(await site.client.get(f"{SESSIONS}?{'status=active&' * 50}"), 422, "request.invalid")

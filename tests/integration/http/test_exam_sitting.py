"""Sitting an exam through the whole application: beginning it, answering, handing it in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.exam_site import RIGHT, SESSIONS, WRONG, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.package_http import added
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import SENTINEL


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        yield site


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_an_exam_begins_with_its_paper_and_its_time(site: ExamSite) -> None:
    package = await site.package()
    await site.enroll(package)
    answer = await site.start(package)
    assert answer.status_code == 201
    session = answer.json()
    assert answer.headers["location"] == f"{SESSIONS}/{session['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert session["id"].startswith("exs_")
    assert (session["status"], session["attemptNo"], session["remainingSeconds"]) == ("active", 1, 3600)
    assert at(session["deadline"]) - at(session["startedAt"]) == timedelta(hours=1)
    slots = session["paper"]["slots"]
    assert [slot["slot"] for slot in slots] == [1, 2, 3, 4, 5, 6]
    assert {slot["revision"] for slot in slots} == {0}
    assert {slot["response"] for slot in slots} == {None}
    assert SENTINEL not in answer.text
    assert "correct" not in answer.text


async def test_a_live_exam_is_answered_again_with_what_was_answered(site: ExamSite) -> None:
    session = await site.begin()
    await site.save(session, 2, WRONG, flagged=True)
    again = await site.start(session["examPackageId"])
    assert again.status_code == 200
    assert "location" not in again.headers
    assert again.json()["id"] == session["id"]
    second = again.json()["paper"]["slots"][1]
    assert (second["revision"], second["response"]["choiceIds"], second["flagged"]) == (1, ["A"], True)
    resumed = await site.read(session, "/paper")
    assert resumed["slots"] == again.json()["paper"]["slots"]
    assert (resumed["id"], resumed["status"], resumed["furthestSlot"]) == (session["id"], "active", 2)
    assert 0 < resumed["remainingSeconds"] <= 3600


async def test_of_many_starts_at_once_one_begins_the_exam(site: ExamSite) -> None:
    package = await site.package()
    await site.enroll(package)
    answers = await asyncio.gather(*(site.start(package) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_start_that_is_repeated_by_its_key_is_one_start(site: ExamSite) -> None:
    """Also when the exam is long over; without the key that would be another attempt."""
    package = await site.package()
    await site.enroll(package)
    first = await site.start(package, key="begin-once")
    await site.save(first.json(), 1)
    repeated = await site.start(package, key="begin-once")
    assert (repeated.status_code, repeated.text) == (201, first.text)
    assert repeated.headers["idempotency-replayed"] == "true"
    assert repeated.headers["location"] == first.headers["location"]
    await site.act(first.json(), "submit")
    later = await site.start(package, key="begin-once")
    assert (later.status_code, later.text) == (201, first.text)
    other = await site.package()
    assert_problem(await site.start(other, key="begin-once"), 422, "idempotency.key_reused")


async def test_a_key_keeps_no_refusal_of_a_start(site: ExamSite) -> None:
    """Not even of the one that found out that the time of the exam before it was over."""
    session = await site.begin(cooldownSeconds=7200)
    site.later(hours=1, minutes=2)
    assert_problem(await site.start(session["examPackageId"], key="try"), 429, "exam.retake_cooldown")
    site.later(hours=3)
    again = await site.start(session["examPackageId"], key="try")
    assert (again.status_code, again.json()["attemptNo"]) == (201, 2)


async def test_a_key_keeps_no_refusal_of_an_answer(site: ExamSite) -> None:
    """Staff may open an exam again that had ended by itself."""
    session = await site.begin()
    site.later(hours=1, minutes=2)
    path, body = f"{SESSIONS}/{session['id']}/answers/1", {"response": RIGHT, "baseRevision": 0}
    for status in (409, 200):
        answer = await site.ask("PUT", path, json=body, headers={"idempotency-key": "mine"})
        assert answer.status_code == status, answer.text
        if status == 409:
            assert answer.json()["code"] == "exam.already_submitted"
            await site.oversee(session, "reopen", reason="The network failed", extraSeconds=7200)
    handed_in = await site.act(session, "submit")
    assert handed_in.json()["result"]["mark"] == "1"


async def test_a_key_keeps_no_refusal_of_a_submission(site: ExamSite) -> None:
    session = await site.begin(overduePolicy="abandon")
    site.later(hours=1, minutes=2)
    assert_problem(await site.act(session, "submit", key="too-late"), 409, "exam.abandoned")
    await site.oversee(session, "reopen", reason="The network failed", extraSeconds=7200)
    handed_in = await site.act(session, "submit", key="too-late")
    assert (handed_in.status_code, handed_in.json()["status"]) == (200, "finished")


async def test_a_live_exam_that_is_answered_under_a_key_stays_that_answer(site: ExamSite) -> None:
    session = await site.begin()
    package = session["examPackageId"]
    first = await site.start(package, key="go-on")
    assert (first.status_code, first.json()["paper"]["slots"]) == (200, session["paper"]["slots"])
    await site.act(session, "submit")
    assert (await site.start(package, key="go-on")).text == first.text


async def test_an_exam_that_waits_for_its_authorisation_shows_no_paper(site: ExamSite) -> None:
    session = await site.begin(authorisedStart=True)
    assert (session["status"], session["startedAt"], session["paper"]) == ("created", None, None)
    again = await site.start(session["examPackageId"])
    assert (again.status_code, again.json()["paper"]) == (200, None)
    assert_problem(await site.ask("GET", f"{SESSIONS}/{session['id']}/paper"), 409, "exam.not_started")


async def test_who_may_not_begin_is_told_why_and_when(site: ExamSite) -> None:
    now = site.clock.now()
    closed = await site.package(closesAt=(now - timedelta(hours=1)).isoformat())
    early = await site.package(opensAt=(now + timedelta(hours=1)).isoformat())
    for package, code in ((closed, "exam.closed"), (early, "exam.not_open")):
        await site.enroll(package)
        assert_problem(await site.start(package), 409, code)
    assert_problem(await site.start("pkg_none"), 403, "exam.enrollment_required")
    assert_problem(await site.start(await site.package()), 403, "exam.enrollment_required")


async def test_another_attempt_waits_for_its_time(site: ExamSite) -> None:
    """`Retry-After` and `retryAt` say the same; then it begins."""
    session = await site.begin(cooldownSeconds=600, attemptsAllowed=2)
    await site.act(session, "submit")
    refused = await site.start(session["examPackageId"])
    problem = assert_problem(refused, 429, "exam.retake_cooldown")
    wait = int(refused.headers["retry-after"])
    assert 590 <= wait <= 600
    assert problem["retryAt"].endswith("Z")
    assert abs((at(problem["retryAt"]) - site.clock.now()).total_seconds() - wait) < 5
    site.later(seconds=wait + 1)
    second = await site.start(session["examPackageId"])
    assert (second.status_code, second.json()["attemptNo"]) == (201, 2)
    await site.act(second.json(), "submit")
    site.later(days=1)
    assert_problem(await site.start(session["examPackageId"]), 409, "exam.attempt_limit")


async def test_a_tier_that_allows_one_exam_in_seven_days(site: ExamSite) -> None:
    package = await site.package()
    tier = await added(site.whole, {"id": package}, name="Weekly", weeklyExamSessions=1, selfService=True)
    wanted = {"examPackageId": package, "tierId": tier["id"]}
    assert (await site.ask("POST", "/student/enrollments", json=wanted)).status_code == 201
    await site.act((await site.start(package)).json(), "submit")
    refused = await site.start(package)
    problem = assert_problem(refused, 429, "exam.weekly_limit")
    assert abs(int(refused.headers["retry-after"]) - 7 * 86400) < 60
    assert at(problem["retryAt"]) > site.clock.now() + timedelta(days=6, hours=23)


async def test_every_answer_is_a_revision_of_the_one_before(site: ExamSite) -> None:
    session = await site.begin()
    first = await site.save(session, 1, WRONG)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert first.json() | {"savedAt": None} == {
        "slot": 1,
        "revision": 1,
        "savedAt": None,
        "flagged": False,
        "stale": False,
    }
    assert (await site.save(session, 1, RIGHT, 1)).json()["revision"] == 2
    same = await site.save(session, 1, RIGHT, 2)
    assert (same.status_code, same.json()["revision"]) == (200, 2)
    marked = await site.save(session, 1, RIGHT, 2, flagged=True)
    assert (marked.json()["revision"], marked.json()["flagged"]) == (2, True)
    nothings: list[dict[str, Any] | None] = [None, {}, {"choiceIds": []}]
    for nothing in nothings:
        taken_back = await site.save(session, 1, nothing, 2 if nothing is None else 3)
        assert (taken_back.status_code, taken_back.json()["revision"]) == (200, 3)
    assert (await site.read(session, "/paper"))["slots"][0]["response"] is None


async def test_an_answer_that_was_changed_meanwhile_is_not_overwritten(site: ExamSite) -> None:
    session = await site.begin()
    await site.save(session, 1, WRONG)
    problem = assert_problem(await site.save(session, 1, RIGHT, 0), 409, "exam.stale_write")
    assert problem["currentRevision"] == 1
    by_itself = await site.save(session, 1, RIGHT, 0, autosave=True)
    assert (by_itself.status_code, by_itself.json()["stale"], by_itself.json()["revision"]) == (200, True, 1)
    assert (await site.read(session, "/paper"))["slots"][0]["response"]["choiceIds"] == ["A"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"response": {"choiceIds": ["A", "B"]}, "baseRevision": 0}, "/response/choiceIds", None),
        ({"response": {"choiceIds": ["Z"]}, "baseRevision": 0}, "/response/choiceIds", None),
        ({"response": {"text": "B"}, "baseRevision": 0}, "/response/text", None),
        ({"response": {"numericValue": "one"}, "baseRevision": 0}, "/response/numericValue", None),
        ({"response": {"choiceId": "B", "text": "B"}, "baseRevision": 0}, "/response/text", "ambiguous"),
        ({"response": {"choice": "B"}, "baseRevision": 0}, "/response/choice", "unknown_field"),
        ({"response": RIGHT, "baseRevision": 0, "certainty": "high"}, "/certainty", None),
        ({"baseRevision": 0, "flagged": True}, "/response", "required"),
        ({"response": RIGHT}, "/baseRevision", "required"),
        ({"response": RIGHT, "baseRevision": -1}, "/baseRevision", "out_of_range"),
        ({"response": RIGHT, "baseRevision": 2**31}, "/baseRevision", "out_of_range"),
    ],
)
async def test_what_is_wrong_with_an_answer_is_told_by_its_place(
    site: ExamSite, body: dict[str, Any], pointer: str, code: str | None
) -> None:
    session = await site.begin()
    answer = await site.ask("PUT", f"{SESSIONS}/{session['id']}/answers/1", json=body)
    assert answer.status_code == 422, answer.text
    faults = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert pointer in faults
    assert code in (None, faults[pointer])
    assert all(place.startswith(f"/{pointer.split('/')[1]}") for place in faults)
    assert (await site.read(session, "/paper"))["slots"][0]["revision"] == 0


@pytest.mark.parametrize("slot", ["0", "7", "01", "-1", "1_0", "one", "99999999999999999999"])
async def test_a_slot_that_the_paper_does_not_have(site: ExamSite, slot: str) -> None:
    session = await site.begin()
    answer = await site.ask(
        "PUT", f"{SESSIONS}/{session['id']}/answers/{slot}", json={"response": RIGHT, "baseRevision": 0}
    )
    assert_problem(answer, 404, "exam.slot_not_found")


async def test_a_linear_exam_does_not_go_back(site: ExamSite) -> None:
    session = await site.begin(navigation="linear")
    assert (await site.save(session, 2)).status_code == 200
    assert_problem(await site.save(session, 1), 409, "exam.no_return")
    assert (await site.save(session, 2, WRONG, 1)).json()["revision"] == 2


async def test_an_exam_is_handed_in_and_graded_at_once(site: ExamSite) -> None:
    session = await site.begin()
    for slot in (1, 2, 3):
        await site.save(session, slot)
    final = [
        {"slot": 3, "response": WRONG, "baseRevision": 1},
        {"slot": 4, "response": RIGHT, "baseRevision": 0, "flagged": True},
    ]
    answer = await site.act(session, "submit", {"answers": final})
    assert answer.status_code == 200, answer.text
    handed_in = answer.json()
    assert handed_in["result"] == {"mark": "3", "maxMark": "6", "percent": "50", "passed": False}
    assert (handed_in["status"], handed_in["sealReason"], handed_in["late"]) == ("finished", "student", False)
    assert handed_in["remainingSeconds"] is None
    seen = await site.read(session)
    assert {name: value for name, value in seen.items() if name != "snapshot"} == handed_in


async def test_handing_in_again_changes_nothing(site: ExamSite) -> None:
    session = await site.begin()
    first = await site.act(session, "submit", key="hand-in")
    site.later(minutes=5)
    more = {"answers": [{"slot": 1, "response": RIGHT, "baseRevision": 0}]}
    for body, key in ((None, None), ({}, None), (more, None), (None, "hand-in")):
        again = await site.act(session, "submit", body, key=key)
        assert (again.status_code, again.text) == (200, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    both = await asyncio.gather(*(site.act(session, "submit") for _ in range(4)))
    assert {answer.text for answer in both} == {first.text}


@pytest.mark.parametrize(
    ("spoilt", "status", "code", "pointer"),
    [
        ({"slot": 2, "response": RIGHT, "baseRevision": 5}, 409, "exam.stale_write", None),
        ({"slot": 2, "response": {"choiceIds": ["Z"]}, "baseRevision": 0}, 422, "answer.invalid", "choiceIds"),
        ({"slot": 2, "response": {"numericValue": "x"}, "baseRevision": 0}, 422, "answer.invalid", "numericValue"),
        ({"slot": 9, "response": RIGHT, "baseRevision": 0}, 404, "exam.slot_not_found", None),
    ],
)
async def test_one_spoilt_answer_hands_nothing_in(
    site: ExamSite, spoilt: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    session = await site.begin()
    before = await site.read(session)
    good = {"slot": 1, "response": RIGHT, "baseRevision": 0}
    answer = await site.act(session, "submit", {"answers": [good, spoilt]})
    problem = assert_problem(answer, status, code)
    if pointer:
        assert problem["errors"][0]["pointer"] == f"/answers/1/response/{pointer}"
    assert await site.read(session) == before | {"remainingSeconds": (await site.read(session))["remainingSeconds"]}
    assert (await site.read(session, "/paper"))["slots"][0]["revision"] == 0


async def test_what_comes_shortly_after_the_deadline_counts_for_it(site: ExamSite) -> None:
    """Clients never see the latency: to them the time is over."""
    session = await site.begin()
    site.later(seconds=3600 + 30)
    saved = await site.save(session)
    assert (saved.status_code, saved.json()["savedAt"]) == (200, session["deadline"])
    found = await site.read(session)
    assert (found["status"], found["remainingSeconds"]) == ("active", 0)
    handed_in = (await site.act(session, "submit")).json()
    assert (handed_in["submittedAt"], handed_in["late"]) == (session["deadline"], True)
    assert handed_in["result"]["mark"] == "1"


async def test_who_disappears_is_graded_on_what_was_acknowledged(site: ExamSite) -> None:
    session = await site.begin()
    await site.save(session)
    site.later(hours=30)
    assert_problem(await site.save(session, 2), 409, "exam.already_submitted")
    found = await site.read(session)
    assert (found["status"], found["sealReason"], found["submittedAt"]) == ("finished", "timeout", session["deadline"])
    assert found["result"]["mark"] == "1"


async def test_a_pause_of_ones_own(site: ExamSite) -> None:
    """Where the package allows it and no time is running; staff's own pause is ended by staff."""
    session = await site.begin(duration=None, pauseAllowed=True)
    assert (session["deadline"], session["remainingSeconds"]) == (None, None)
    for _ in range(2):
        paused = await site.act(session, "pause")
        assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    assert_problem(await site.save(session), 409, "exam.paused")
    assert (await site.act(session, "resume")).json()["status"] == "active"
    assert (await site.save(session)).status_code == 200
    assert (await site.oversee(session, "pause", reason="A fire alarm")).status_code == 200
    assert_problem(await site.act(session, "resume"), 403, "exam.paused_by_staff")
    timed = await site.begin(pauseAllowed=True)
    assert_problem(await site.act(timed, "pause"), 409, "exam.pause_not_allowed")


async def test_the_own_exams_are_listed_the_newest_first(site: ExamSite) -> None:
    name = await site.person()
    sessions = [await site.begin(name) for _ in range(3)]
    await site.act(sessions[0], "submit", person=name)
    await site.oversee(sessions[1], "pause", person=name, reason="why")
    ids = [session["id"] for session in reversed(sessions)]
    first = await site.ask("GET", f"{SESSIONS}?limit=2", name)
    second = await site.ask("GET", f"{SESSIONS}?limit=2&cursor={first.json()['nextCursor']}", name)
    assert [item["id"] for page in (first, second) for item in page.json()["items"]] == ids
    assert second.json()["nextCursor"] is None
    assert "snapshot" not in first.json()["items"][0]
    for query, expected in {
        "status=active": ids[:2],
        "status=paused": ids[1:2],
        "status=finished": ids[2:],
        "status=finished&status=paused": ids[1:],
        "status=terminated&status=invalid": [],
        f"examPackageId={sessions[1]['examPackageId']}": ids[1:2],
    }.items():
        found = await site.ask("GET", f"{SESSIONS}?{query}", name)
        assert [item["id"] for item in found.json()["items"]] == expected, query
    assert_problem(await site.ask("GET", f"{SESSIONS}?status=over", name), 422, "request.invalid")

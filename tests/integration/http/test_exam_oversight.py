"""Exams through the whole application, as administrators see them and interfere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.support.exam_site import DURATION, OVERSEEN, RIGHT, WRONG, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase
from tests.support.whole_site import SENTINEL

Session = dict[str, Any]


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        yield site


async def see(site: ExamSite, path: str, **query: Any) -> dict[str, Any]:
    """What an administrator reads."""
    answer = await site.ask("GET", path, "admin", params=query)
    assert answer.status_code == 200, answer.text
    assert SENTINEL not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def of(site: ExamSite, session: Session, what: str = "", person: str = "student") -> str:
    return f"{OVERSEEN}/{site.id_of(person)}/{session['id']}{what}"


async def done(site: ExamSite, session: Session, command: str, **body: Any) -> dict[str, Any]:
    answer = await site.oversee(session, command, **body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def acts(site: ExamSite, subject: str) -> list[dict[str, Any]]:
    """What the audit log says, the first first."""
    found = await see(site, "/admin/audit-log", subject=subject, limit=100)
    return list(reversed(found["items"]))


async def test_every_command_is_answered_with_the_session_and_leaves_one_act(site: ExamSite) -> None:
    session = await site.begin()
    wanted: list[tuple[str, dict[str, Any], str, str]] = [
        ("pause", {"reason": "A fire alarm"}, "paused", "exam_session.paused"),
        ("resume", {"reason": "It was false"}, "active", "exam_session.resumed"),
        ("adjust-time", {"seconds": 300, "reason": "A fire alarm"}, "active", "exam_session.time_adjusted"),
        ("terminate", {"reason": "Two people"}, "terminated", "exam_session.terminated"),
        ("reopen", {"reason": "They were one", "extraSeconds": 60}, "paused", "exam_session.reopened"),
        ("force-submit", {"reason": "It is late"}, "finished", "exam_session.force_submitted"),
        ("invalidate", {"reason": "A leak"}, "invalidated", "exam_session.invalidated"),
        ("reinstate", {"reason": "No leak"}, "finished", "exam_session.reinstated"),
    ]
    told: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for number, (command, body, status, action) in enumerate(wanted, start=1):
        told = await done(site, session, command, **body)
        assert (told["id"], told["userId"], told["status"]) == (session["id"], site.id_of("student"), status)
        found = await acts(site, session["id"])
        assert len(found) == number
        act = found[-1]
        assert (act["action"], act["reason"], act["actorId"]) == (action, body.get("reason"), site.id_of("admin"))
        assert act["after"]["user_id"] == site.id_of("student")
        assert told == _common(await see(site, of(site, session)), told)
    assert told["adjustSeconds"] == 360
    assert (told["sealedBy"], told["sealNote"], told["invalidatedAt"]) == (site.id_of("admin"), "It is late", None)
    assert told["result"]["mark"] == "0"
    assert SENTINEL not in str(found)


def _common(detail: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Of a session with all about it what a command is answered with. The time goes on meanwhile."""
    still = {"remainingSeconds": told["remainingSeconds"], "deadline": told["deadline"]}
    return {name: detail[name] for name in told} | still


async def test_what_needs_a_reason_is_refused_without_one(site: ExamSite) -> None:
    session = await site.begin()
    for command in ("pause", "resume", "terminate", "invalidate", "reinstate", "reopen", "adjust-time"):
        more: dict[str, Any] = {"seconds": 60} if command == "adjust-time" else {}
        for reason in ({}, {"reason": ""}, {"reason": "   "}):
            answer = await site.oversee(session, command, **more, **reason)
            problem = assert_problem(answer, 422, "exam.reason_required")
            assert problem["errors"][0]["pointer"] == "/reason"
        too_long = await site.oversee(session, command, **more, reason="x" * 501)
        assert_problem(too_long, 422, "request.invalid")
    assert await acts(site, session["id"]) == []


async def test_a_repeated_adjustment_with_its_key_gives_the_time_once(site: ExamSite) -> None:
    session = await site.begin()
    body: dict[str, Any] = {"seconds": 300, "reason": "A fire alarm"}
    first = await site.oversee(session, "adjust-time", key="alarm-1", **body)
    again = await site.oversee(session, "adjust-time", key="alarm-1", **body)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    other = await site.oversee(session, "adjust-time", key="alarm-1", seconds=600, reason="A fire alarm")
    assert_problem(other, 422, "idempotency.key_reused")
    assert (await see(site, of(site, session)))["adjustSeconds"] == 300
    assert (await done(site, session, "adjust-time", **body))["adjustSeconds"] == 600
    nothing = await site.oversee(session, "adjust-time", seconds=0, reason="Nothing at all")
    assert assert_problem(nothing, 422, "request.invalid")["errors"][0]["pointer"] == "/seconds"
    small = await site.oversee(session, "adjust-time", seconds=-7000, reason="Too much")
    assert assert_problem(small, 422, "exam.adjust_too_small")["errors"][0]["pointer"] == "/seconds"


async def test_a_key_answers_again_what_can_be_done_only_once(site: ExamSite) -> None:
    """Without it a repeated reopening would be told that there is nothing to reopen."""
    session = await site.begin()
    await done(site, session, "force-submit")
    first = await site.oversee(session, "reopen", key="open-1", reason="Too early")
    again = await site.oversee(session, "reopen", key="open-1", reason="Too early")
    assert (first.status_code, first.json()["status"]) == (200, "active")
    assert again.json() == first.json()
    assert_problem(await site.oversee(session, "reopen", reason="Too early"), 409, "exam.not_reopenable")


async def test_a_paused_exam_takes_no_answer_and_only_staff_let_it_go_on(site: ExamSite) -> None:
    session = await site.begin()
    await done(site, session, "pause", reason="A fire alarm")
    assert_problem(await site.save(session), 409, "exam.paused")
    assert_problem(await site.act(session, "resume"), 403, "exam.paused_by_staff")
    beat = (await site.act(session, "heartbeat", {})).json()
    assert (beat["status"], beat["instructions"]) == ("paused", ["paused"])
    await done(site, session, "resume", reason="It was false")
    assert (await site.save(session)).status_code == 200


async def test_an_exam_of_somebody_else_or_of_nobody_is_not_there(site: ExamSite) -> None:
    session = await site.begin()
    for path in (of(site, session, person="stranger"), f"{OVERSEEN}/{site.id_of('student')}/exs_none"):
        for what in ("", "/events", "/answers"):
            assert_problem(await site.ask("GET", path + what, "admin"), 404, "exam.session_not_found")
        for what in ("pause", "terminate", "flags", "flags/flg_none/resolve"):
            body = {"type": "noise"} if what == "flags" else {} if "flags" in what else {"reason": "why"}
            answer = await site.ask("POST", f"{path}/{what}", "admin", json=body)
            assert_problem(answer, 404, "exam.session_not_found")
    for person in ("student", "instructor"):
        assert_problem(await site.ask("GET", of(site, session), person), 403, "auth.forbidden")
        answer = await site.ask("POST", of(site, session, "/terminate"), person, json={"reason": "why"})
        assert_problem(answer, 403, "auth.forbidden")


async def test_one_session_is_told_with_answers_marks_grades_and_events(site: ExamSite) -> None:
    session = await site.begin()
    await site.save(session, 1, RIGHT)
    await site.save(session, 2, WRONG)
    await site.save(session, 2, RIGHT, 1)
    await site.save(session, 3, WRONG)
    await site.act(session, "events", {"type": "focus_lost", "clientEventId": "one", "payload": {"seconds": 4}})
    before = await see(site, of(site, session))
    assert [slot["correct"] for slot in before["slots"]] == [None] * 6
    assert (before["grades"], before["result"], before["connection"]) == ([], None, "connected")
    await site.act(session, "submit")
    told = await see(site, of(site, session))
    assert [slot["mark"] for slot in told["slots"]] == ["1", "1", "0", "0", "0", "0"]
    assert [slot["correct"] for slot in told["slots"]] == [True, True, False, None, None, None]
    assert told["slots"][0]["response"]["choiceIds"] == ["B"]
    assert (told["userEmail"], told["openFlags"], told["connection"]) == ("student@example.org", 0, "none")
    (grade,) = told["grades"]
    assert (grade["revision"], grade["mark"], grade["maxMark"], grade["mode"]) == (1, "2", "6", "as_asked")
    assert told["events"]["byType"]["focus_lost"] == 1
    assert told["events"]["total"] == sum(told["events"]["byType"].values())
    assert len(told["recordHash"]) == 64
    answers = (await see(site, of(site, session, "/answers")))["items"]
    assert [(each["slot"], each["revision"], each["response"]["choiceIds"]) for each in answers] == [
        (1, 1, ["B"]),
        (2, 1, ["A"]),
        (2, 2, ["B"]),
        (3, 1, ["A"]),
    ]
    assert told["recordLength"] == len(answers) + told["events"]["total"]
    events = (await see(site, of(site, session, "/events"), type="focus_lost"))["items"]
    assert [(each["clientEventId"], each["payload"], each["source"]) for each in events] == [
        ("one", {"seconds": 4}, "student")
    ]


async def test_the_rules_as_they_were_frozen_and_the_last_snapshot_are_told(site: ExamSite) -> None:
    session = await site.begin(latencySeconds=30, scoring={"penalty": "0.25"})
    before = await see(site, of(site, session))
    assert (before["snapshot"], before["rules"]["timeLimitSeconds"]) == (None, DURATION)
    assert (before["rules"]["latencySeconds"], before["rules"]["scoring"]["penalty"]) == (30, "0.25")
    assert isinstance(before["rules"]["passMark"], str)
    package = f"/admin/exam-packages/{session['examPackageId']}"
    changed = await site.ask("PATCH", package, "admin", json={"settings": {"latencySeconds": 90}})
    assert changed.status_code == 200, changed.text
    await site.act(session, "heartbeat", {"seq": 1, "snapshot": {"slot": 3}})
    after = await see(site, of(site, session))
    assert (after["snapshot"], after["rules"]) == ({"slot": 3}, before["rules"])


async def test_what_nobody_knows_of_is_refused_where_nothing_has_to_be_said(site: ExamSite) -> None:
    session = await site.begin(duration=None, pauseAllowed=True)
    for command, status in (("pause", "paused"), ("resume", "active")):
        assert_problem(await site.act(session, command, {"zz": 1}), 422, "request.invalid")
        nothing: tuple[Any, ...] = ({}, None)
        for body in nothing:
            answer = await site.act(session, command, body)
            assert (answer.status_code, answer.json()["status"]) == (200, status)
    waiting = await site.begin(authorisedStart=True)
    assert_problem(await site.oversee(waiting, "authorise", zz=1), 422, "request.invalid")
    assert (await done(site, waiting, "authorise", reason=" It is her "))["status"] == "active"
    (act,) = await acts(site, waiting["id"])
    assert (act["action"], act["reason"]) == ("exam_session.authorised", "It is her")
    path = of(site, waiting, "/authorise")
    assert (await site.ask("POST", path, "admin")).status_code == 200


async def test_the_record_is_read_page_by_page(site: ExamSite) -> None:
    session = await site.begin()
    for revision in range(4):
        await site.save(session, 1, RIGHT if revision % 2 else WRONG, revision)
        await site.act(session, "events", {"type": "focus_lost"})
    for what, key in (("/answers", 1), ("/events", -1)):
        whole = (await see(site, of(site, session, what), limit=100))["items"]
        paged: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await see(site, of(site, session, what), limit=3, **cursor)
            paged += page["items"]
            if page["nextCursor"] is None:
                break
            cursor = {"cursor": page["nextCursor"]}
        assert paged == whole
        assert [each["position"] * key for each in whole] == sorted(each["position"] * key for each in whole)
    only = (await see(site, of(site, session, "/answers"), slot=2))["items"]
    assert only == []


async def test_sessions_are_listed_by_what_they_are_and_whose(site: ExamSite) -> None:
    ada, eve = await site.person(), await site.person()
    running = await site.begin(ada)
    package = running["examPackageId"]
    await site.enroll(package, eve)
    over = (await site.start(package, eve)).json()
    await site.act(over, "submit", person=eve)
    flagged = await site.oversee(over, "flags", person=eve, type="noise", note="loud")
    assert flagged.status_code == 201

    async def listed(**query: Any) -> list[str]:
        found = await see(site, OVERSEEN, examPackageId=package, **query)
        return [each["id"] for each in found["items"]]

    assert await listed() == [over["id"], running["id"]]
    assert await listed(status="active") == await listed(connection="connected") == [running["id"]]
    assert await listed(status="finished") == await listed(flagged="true") == [over["id"]]
    assert await listed(flagged="false") == await listed(userId=site.id_of(ada)) == [running["id"]]
    assert await listed(status=["invalid", "terminated"]) == []
    assert await listed(**{"from": running["createdAt"], "to": over["createdAt"]}) == [running["id"]]
    page = await see(site, OVERSEEN, examPackageId=package, limit=1)
    assert [each["openFlags"] for each in page["items"]] == [1]
    assert await listed(limit=1, cursor=page["nextCursor"]) == [running["id"]]
    site.later(seconds=100)
    assert await listed(connection="lost") == [running["id"]]
    for wrong in ({"status": "over"}, {"connection": "fine"}, {"from": "2030-01-01T00:00:00"}, {"flagged": "x"}):
        answer = await site.ask("GET", OVERSEEN, "admin", params=wrong)
        assert_problem(answer, 422, "request.invalid")


async def test_a_flag_is_kept_once_and_resolved_once(site: ExamSite) -> None:
    session = await site.begin()
    body = {"type": "second_person", "note": "At 9:20"}
    first = await site.oversee(session, "flags", key="flag-1", **body)
    again = await site.oversee(session, "flags", key="flag-1", **body)
    assert (first.status_code, again.json()) == (201, first.json())
    flag = first.json()
    assert (flag["type"], flag["note"], flag["createdBy"]) == ("second_person", "At 9:20", site.id_of("admin"))
    solved = await done(site, session, f"flags/{flag['id']}/resolve", note="The invigilator")
    assert (solved["id"], solved["resolution"], solved["resolvedBy"]) == (
        flag["id"],
        "The invigilator",
        site.id_of("admin"),
    )
    assert await done(site, session, f"flags/{flag['id']}/resolve") == solved
    told = await see(site, of(site, session))
    assert (told["flags"], told["openFlags"]) == ([solved], 0)
    assert [act["action"] for act in await acts(site, session["id"])] == [
        "exam_session.flagged",
        "exam_session.flag_resolved",
    ]
    assert_problem(await site.oversee(session, "flags", type="  "), 422, "request.invalid")
    assert_problem(await site.oversee(session, "flags/flg_none/resolve"), 404, "exam.flag_not_found")


async def test_an_accommodation_is_granted_read_and_applied(site: ExamSite) -> None:
    ada = await site.person()
    session = await site.begin(ada)
    path = f"/admin/users/{site.id_of(ada)}/accommodations"
    nothing = await see(site, path)
    assert (nothing["multiplier"], nothing["extraSeconds"], nothing["updatedBy"]) == ("1", 0, None)
    body = {"multiplier": "1.25", "extraSeconds": 60, "reason": "A certificate"}
    granted = await site.ask("PUT", path, "admin", json=body)
    assert granted.status_code == 200
    assert (granted.json()["multiplier"], granted.json()["sessions"]) == ("1.25", [])
    live = await site.ask("PUT", path, "admin", json=body | {"applyToLive": True})
    assert live.json() == granted.json() | {"sessions": [session["id"]]}
    assert await see(site, path) == granted.json()
    told = await see(site, of(site, session, person=ada))
    assert told["accommodation"] == {"multiplier": "1.25", "extraSeconds": 60}
    assert 4550 < told["remainingSeconds"] <= 4560
    assert [act["action"] for act in await acts(site, site.id_of(ada))] == ["accommodation.changed"]
    assert [act["action"] for act in await acts(site, session["id"])] == ["exam_session.accommodated"]
    other = await site.begin(ada)
    assert other["remainingSeconds"] == 4560
    for wrong in ({"multiplier": "0.5"}, {"multiplier": "1.2345"}, {"multiplier": 11}, {"extraSeconds": -1}):
        answer = await site.ask("PUT", path, "admin", json={"reason": "why"} | wrong)
        assert_problem(answer, 422, "request.invalid")
    assert_problem(await site.ask("PUT", path, "admin", json={}), 422, "exam.reason_required")
    for nobody in ("usr_none", site.id_of("admin")):
        path = f"/admin/users/{nobody}/accommodations"
        assert_problem(await site.ask("GET", path, "admin"), 404, "user.not_found")
        assert_problem(await site.ask("PUT", path, "admin", json=body), 404, "user.not_found")


async def test_the_time_of_many_exams_is_adjusted_once_however_often_it_is_asked(site: ExamSite) -> None:
    ada, eve = await site.person(), await site.person()
    running = await site.begin(ada)
    await site.enroll(running["examPackageId"], eve)
    other = (await site.start(running["examPackageId"], eve)).json()
    body: dict[str, Any] = {
        "adjustmentId": "alarm",
        "seconds": 300,
        "reason": "A fire alarm",
        "sessions": [
            {"userId": site.id_of(ada), "sessionId": running["id"]},
            {"userId": site.id_of(ada), "sessionId": "exs_none"},
        ],
    }
    first = await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=body)
    assert first.status_code == 200
    told = first.json()
    assert (told["complete"], told["adjusted"], told["refused"], told["pending"]) == (True, 1, 1, 0)
    assert [each["code"] for each in told["sessions"]] == [None, "exam.session_not_found"]
    assert (await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=body)).json() == told
    whole = {name: body[name] for name in ("adjustmentId", "seconds", "reason")}
    whole |= {"examPackageId": running["examPackageId"]}
    rest = (await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=whole)).json()
    assert [each["sessionId"] for each in rest["sessions"]] == [other["id"]]
    for person, session in ((ada, running), (eve, other)):
        assert (await see(site, of(site, session, person=person)))["adjustSeconds"] == 300
        assert [act["reason"] for act in await acts(site, session["id"])] == ["A fire alarm"]
    reused = (await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=body | {"seconds": 60})).json()
    assert [each["code"] for each in reused["sessions"]] == ["exam.adjustment_reused", "exam.session_not_found"]
    nowhere = await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=whole | {"examPackageId": "pkg_none"})
    assert_problem(nowhere, 404, "package.not_found")
    spoilt: list[dict[str, Any]] = [{"sessions": None}, {"examPackageId": "pkg_none"}, {"sessions": []}, {"seconds": 0}]
    for wrong in (*spoilt, {"adjustmentId": "a:b"}):
        answer = await site.ask("POST", f"{OVERSEEN}/adjust-time", "admin", json=body | wrong)
        assert_problem(answer, 422, "request.invalid")

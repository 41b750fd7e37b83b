"""Practice over HTTP: where questions come from, templates, how often, how sure, and sessions that are void."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.postgres.database import Database
from adapters.system.clock import TimeOrderedIds
from domain.practice.plans import Source
from domain.practice.templates import TemplateSettings, TemplateVersion
from domain.question_bank.scoring import ScoringPolicy
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, START, STUDENT, offers
from tests.support.practice_site import SESSIONS, Site, site_of

ADMIN = {"x-caller": "usr_root", "x-role": "admin"}


@pytest.fixture
async def site(
    cloned: ClonedDatabase, database: Database, ids: TimeOrderedIds, clock: SettableClock
) -> AsyncIterator[Site]:
    async with site_of(cloned, database, ids, clock) as site:
        yield site


def version(number: int = 1, **settings: Any) -> TemplateVersion:
    return TemplateVersion(
        template_id="tpl_1",
        version=number,
        exam_package_id=PACKAGE,
        title="Warm-up",
        description="",
        settings=TemplateSettings(**settings),
        published_at=START,
    )


async def ids_of(site: Site, **wishes: Any) -> set[str]:
    session = await site.begin(**wishes)
    assert session["source"] == wishes.get("source", "all")
    return {question["questionId"] for question in session["questions"]}


async def test_a_source_narrows_what_is_drawn(site: Site) -> None:
    for source in ("incorrect", "flagged", "due", "weak"):
        assert_problem(await site.create(source=source), 409, "practice.no_questions")
    first = await site.begin(count=2)
    wrong, right = (question["questionId"] for question in first["questions"])
    await site.answer(first, questionId=wrong, choiceIds=["A"])
    await site.answer(first, questionId=right, choiceIds=["B"])
    site.world.flag(STUDENT.user_id, right)
    assert await ids_of(site, source="incorrect") == {wrong}
    assert await ids_of(site, source="flagged") == {right}
    assert await ids_of(site, source="unseen") == {"qst_000", "qst_001", "qst_002"} - {wrong, right}
    site.clock.advance(days=400)
    site.world.end_enrollment(STUDENT.user_id)
    site.world.cloned.keeper.execute("update enrollments set status = 'active', ended_at = null, end_reason = null")
    assert await ids_of(site, source="due") == {wrong, right}


async def test_a_template_says_everything_and_its_version_is_kept(site: Site) -> None:
    strict = ScoringPolicy(penalty=Decimal("0.25"))
    site.world.publish(version(count=2, certainty=True, source=Source.UNSEEN, time_limit_seconds=600, scoring=strict))
    begun = (await site.client.post(SESSIONS, json={"templateId": "tpl_1"})).json()
    told = ("examPackageId", "templateId", "templateVersion", "requested", "certainty", "source", "remainingSeconds")
    assert [begun[name] for name in told] == [PACKAGE, "tpl_1", 1, 2, True, "unseen", 600]
    site.world.publish(version(2, count=1))
    assert (await site.read(begun))["templateVersion"] == 1
    judged = (await site.answer(begun, slot=1, choiceIds=["A"], certainty="high")).json()["feedback"]
    assert (judged["mark"], judged["certaintyMark"]) == ("-0.25", "-6")
    later = (await site.client.post(SESSIONS, json={"templateId": "tpl_1", "examPackageId": PACKAGE})).json()
    assert (later["templateVersion"], later["served"]) == (2, 1)


@pytest.mark.parametrize("body", [{"templateId": "tpl_none"}, {"templateId": "tpl_1", "examPackageId": "pkg_other"}])
async def test_a_template_of_nothing_or_of_another_package_is_not_found(site: Site, body: dict[str, Any]) -> None:
    site.world.publish(version())
    assert_problem(await site.client.post(SESSIONS, json=body), 404, "template.not_found")


async def test_the_week_is_full_until_its_first_session_is_seven_days_old(site: Site) -> None:
    site.world.allow(2)
    await site.begin()
    site.clock.advance(days=2, seconds=0.25)
    await site.begin()
    refused = await site.create()
    assert_problem(refused, 429, "practice.weekly_limit")
    wait = timedelta(days=5)
    assert refused.headers["retry-after"] == str(int(wait.total_seconds()))
    site.clock.advance(days=4, hours=23, minutes=59, seconds=59)
    assert (await site.create()).headers["retry-after"] == "1"
    site.clock.advance(seconds=1)
    await site.begin()
    assert (await site.create()).status_code == 429


async def test_a_tier_may_be_without_practice(site: Site) -> None:
    site.world.allow(0)
    assert_problem(await site.create(), 403, "practice.not_in_tier")
    site.world.allow(None)
    assert (await site.create()).status_code == 201


async def test_how_sure_one_was_is_marked_beside_the_plain_mark(site: Site) -> None:
    session = await site.begin(certainty=True)
    for slot, letter, certainty, mark in ((1, "B", "high", "3"), (2, "A", "mid", "-2"), (3, "B", None, "1")):
        site.clock.advance(seconds=10)
        given = {"certainty": certainty} if certainty else {}
        reply = (await site.answer(session, slot=slot, choiceIds=[letter], **given)).json()
        assert reply["feedback"]["certaintyMark"] == mark
    assert [each["certainty"] for each in (await site.read(session))["questions"]] == ["high", "mid", "low"]
    review = (await site.read(session, "/review"))["items"]
    told = ("certainty", "certaintyMark", "mark", "timeSpentSeconds")
    assert [[item[name] for name in told] for item in review] == [
        ["high", "3", "1", 10],
        ["mid", "-2", "0", 10],
        ["low", "1", "1", 10],
    ]
    summary = await site.read(session, "/summary")
    assert (summary["mark"], summary["percent"]) == ("2", "66.67")
    assert (summary["certaintyMark"], summary["certaintyMaxMark"]) == ("2", "9")
    (topic,) = summary["topics"]
    assert (topic["certaintyMark"], topic["certaintyMaxMark"], topic["timeSpentSeconds"]) == ("2", "9", 30)
    low, mid, high = summary["calibration"]
    assert low == {
        "certainty": "low",
        "answered": 1,
        "correct": 1,
        "percent": "100",
        "judgement": "underconfident",
        "fitsFromPercent": "0",
        "fitsToPercent": "66.67",
    }
    assert (mid["percent"], mid["judgement"], mid["fitsFromPercent"]) == ("0", "overconfident", "66.67")
    assert (high["percent"], high["judgement"], high["fitsToPercent"]) == ("100", "fitting", "100")


async def test_a_deferred_session_tells_how_sure_one_was_but_not_whether_rightly(site: Site) -> None:
    session = await site.begin(certainty=True, feedback="deferred")
    await site.answer(session, slot=1, choiceIds=["B"], certainty="high")
    early = await site.read(session, "/summary")
    assert (early["certaintyMark"], early["calibration"]) == (None, None)
    assert early["topics"][0]["certaintyMark"] is None
    await site.move(session, "finish")
    late = await site.read(session, "/summary")
    assert (late["certaintyMark"], [row["answered"] for row in late["calibration"]]) == ("3", [0, 0, 1])


async def test_the_same_answer_as_sure_as_before_is_the_same_reply(site: Site) -> None:
    session = await site.begin(certainty=True)
    first = await site.answer(session, slot=1, choiceIds=["B"])
    assert (await site.answer(session, slot=1, choiceIds=["B"], certainty="low")).json() == first.json()
    surer = await site.answer(session, slot=1, choiceIds=["B"], certainty="high")
    assert_problem(surer, 409, "practice.already_answered")


async def test_an_admin_declares_a_session_void_once(site: Site) -> None:
    session = await site.begin()
    await site.answer(session, slot=1, choiceIds=["B"])
    path = f"/admin{SESSIONS}/{STUDENT.user_id}/{session['id']}/invalidate"
    for reason in ("A leaked question", "Another reason"):
        void = await site.client.post(path, json={"reason": reason}, headers=ADMIN)
        assert void.status_code == 200, void.text
        body = void.json()
        assert (body["id"], body["status"], body["userId"]) == (session["id"], "invalidated", STUDENT.user_id)
        assert (body["invalidationReason"], body["finishedAt"]) == ("A leaked question", "2030-01-15T09:00:00Z")
    assert_problem(await site.answer(session, slot=2, choiceIds=["B"]), 409, "practice.finished")
    audited = site.world.cloned.keeper.execute(
        "select actor_id, subject, before, after, reason from audit_log where action = 'practice_session.invalidated'"
    ).fetchall()
    after = {"status": "invalidated", "user_id": STUDENT.user_id, "answered_count": 1}
    assert audited == [("usr_root", session["id"], {"status": "active"}, after, "A leaked question")]


async def test_what_is_finished_or_unknown_is_not_declared_void(site: Site) -> None:
    session = await site.begin(timeLimitSeconds=60)
    site.clock.advance(seconds=60)
    path = f"/admin{SESSIONS}/{STUDENT.user_id}/{session['id']}/invalidate"
    refused = await site.client.post(path, json={"reason": "too late"}, headers=ADMIN)
    assert_problem(refused, 409, "practice.finished")
    unknown = f"/admin{SESSIONS}/usr_nobody/{session['id']}/invalidate"
    assert_problem(
        await site.client.post(unknown, json={"reason": "none"}, headers=ADMIN), 404, "practice.session_not_found"
    )
    for reason in ("", "  ", None):
        assert_problem(await site.client.post(path, json={"reason": reason}, headers=ADMIN), 422, "request.invalid")


async def test_own_sessions_are_listed_by_package_and_by_the_state_that_time_left_them_in(site: Site) -> None:
    site.world.offer(offers(2, prefix="other"), "pkg_other")
    site.world.enroll(STUDENT.user_id, "pkg_other")
    timed, other = await site.begin(timeLimitSeconds=60), await site.begin(examPackageId="pkg_other")
    paused, running = await site.begin(), await site.begin()
    await site.move(paused, "pause")

    async def listed(**query: Any) -> list[str]:
        found = (await site.client.get(SESSIONS, params=query)).json()["items"]
        return [each["id"] for each in found]

    assert await listed(status="active") == [running["id"], other["id"], timed["id"]]
    site.clock.advance(seconds=60)
    assert await listed(status="active") == [running["id"], other["id"]]
    assert await listed(status="finished") == [timed["id"]]
    assert await listed(status="paused", examPackageId=PACKAGE) == [paused["id"]]
    assert await listed(examPackageId="pkg_other") == [other["id"]]
    assert await listed(examPackageId="pkg_none") == []
    first = (await site.client.get(SESSIONS, params={"status": "active", "limit": 1})).json()
    rest = await listed(status="active", limit=1, cursor=first["nextCursor"])
    assert ([each["id"] for each in first["items"]], rest) == ([running["id"]], [other["id"]])
    assert_problem(await site.client.get(SESSIONS, params={"status": "over"}), 422, "request.invalid")

"""Signs of life and events of an exam, through the whole application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.exam_site import SESSIONS, ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase


@pytest.fixture(scope="module")
async def site(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        yield site


def of_size(size: int) -> dict[str, str]:
    """An object that takes so many bytes as the client writes it."""
    return {"a": "x" * (size - len('{"a":""}'))}


async def beat(site: ExamSite, session_id: str, person: str = "student", **body: Any) -> dict[str, Any]:
    answer = await site.ask("POST", f"{SESSIONS}/{session_id}/heartbeat", person, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


async def test_a_heartbeat_tells_the_time_and_keeps_the_snapshot(site: ExamSite) -> None:
    session = await site.begin()
    now = site.clock.now().isoformat()
    told = await beat(site, session["id"], seq=3, clientTs=now, snapshot={"slot": 2, "π": [1, {"deep": None}]})
    assert told.pop("serverTime") >= session["startedAt"]
    assert 3590 <= told.pop("remainingSeconds") <= 3600
    assert told == {
        "id": session["id"],
        "status": "active",
        "deadline": session["deadline"],
        "lastSeq": 3,
        "stale": False,
        "instructions": [],
    }
    found = await site.read(session)
    assert (found["snapshot"], found["lastSeq"]) == ({"slot": 2, "π": [1, {"deep": None}]}, 3)


async def test_the_latest_number_wins_and_not_the_last_to_arrive(site: ExamSite) -> None:
    session = await site.begin()
    await beat(site, session["id"], seq=5, snapshot={"n": 5})
    for seq in (5, 4, 0):
        told = await beat(site, session["id"], seq=seq, snapshot={"n": seq})
        assert (told["stale"], told["lastSeq"]) == (True, 5)
    assert (await site.read(session))["snapshot"] == {"n": 5}
    told = await beat(site, session["id"], snapshot={"n": "next"})
    assert (told["stale"], told["lastSeq"]) == (False, 6)
    await beat(site, session["id"], seq=7)
    assert (await site.read(session))["snapshot"] == {"n": "next"}


async def test_a_client_that_begins_again_goes_on_from_the_number_that_it_is_told(site: ExamSite) -> None:
    """A number that was overtaken is no sign of life."""
    session = await site.begin()
    await beat(site, session["id"], seq=40)
    before = await site.read(session)
    site.later(seconds=20)
    paper = await site.read(session, "/paper")
    assert paper["lastSeq"] == before["lastSeq"] == 40
    assert (await beat(site, session["id"], seq=1))["stale"]
    assert (await site.read(session))["lastHeartbeatAt"] == before["lastHeartbeatAt"]
    assert not (await beat(site, session["id"], seq=paper["lastSeq"] + 1))["stale"]
    assert (await site.read(session))["lastHeartbeatAt"] > before["lastHeartbeatAt"]


async def test_heartbeats_in_any_order_at_once_leave_the_latest(site: ExamSite) -> None:
    session = await site.begin()
    await asyncio.gather(*(beat(site, session["id"], seq=n, snapshot={"n": n}) for n in (4, 2, 8, 1, 7, 3, 6, 5)))
    found = await site.read(session)
    assert (found["lastSeq"], found["snapshot"]) == (8, {"n": 8})


async def test_a_heartbeat_leaves_nothing_behind_but_itself(site: ExamSite) -> None:
    """Not even a key of idempotency, which it does not look at."""
    session = await site.begin()
    before = site.whole.rows()
    for key in ("one", "one", "a key with blanks", "x" * 1000):
        headers = {"idempotency-key": key}
        answer = await site.ask("POST", f"{SESSIONS}/{session['id']}/heartbeat", json={}, headers=headers)
        assert answer.status_code == 200
        assert "idempotency-replayed" not in answer.headers
    assert site.whole.rows() == before
    assert (await site.read(session))["lastSeq"] == 4


async def test_a_snapshot_has_64_kib_at_most(site: ExamSite) -> None:
    session = await site.begin()
    body = json.dumps({"snapshot": of_size(64 * 1024)}, separators=(",", ":"))
    path, headers = f"{SESSIONS}/{session['id']}/heartbeat", {"content-type": "application/json"}
    assert (await site.ask("POST", path, content=body, headers=headers)).status_code == 200
    assert (await site.read(session))["snapshot"] == of_size(64 * 1024)
    body = json.dumps({"snapshot": of_size(64 * 1024 + 1)}, separators=(",", ":"))
    assert_problem(await site.ask("POST", path, content=body, headers=headers), 413, "exam.snapshot_too_large")


@pytest.mark.parametrize(
    ("text", "status", "pointer"),
    [
        ('{"snapshot": [1]}', 422, "/snapshot"),
        ('{"snapshot": "{}"}', 422, "/snapshot"),
        ('{"snapshot": 1e99999}', 422, "/snapshot"),
        ('{"snapshot": {"a": 1e99999}}', 422, "/snapshot"),
        ('{"snapshot": {"a": 1e-9999}}', 422, "/snapshot"),
        ('{"snapshot": {"a": "\\u0000"}}', 422, "/snapshot/a"),
        ('{"snapshot": {"a": "\\ud800"}}', 422, "/snapshot/a"),
        ('{"snapshot": {"\\u0000": 1}}', 422, "/snapshot"),
        ('{"snapshot": ' + '{"a":' * 32 + "1" + "}" * 32 + "}", 400, None),
        (f'{{"snapshot": {{"a": 1.{"0" * 20_000}}}}}', 422, "/snapshot"),
        (f'{{"snapshot": {{"a": 1.{"1" * 16_380}e-300}}}}', 422, "/snapshot"),
        ('{"snapshot": {"a": 01}}', 400, None),
        ('{"snapshot": {"a": "\\q"}}', 400, None),
        ('{"snapshot": {"a": }}', 400, None),
        ('{"seq": 9007199254740992}', 422, "/seq"),
        ('{"seq": -1}', 422, "/seq"),
        ('{"seq": 1.5}', 422, "/seq"),
        ('{"clientTs": "1999-12-31T23:59:59Z"}', 422, "/clientTs"),
        ('{"clientTs": "2100-01-01T00:00:00Z"}', 422, "/clientTs"),
        ('{"clientTs": "2026-01-01T00:00:00"}', 422, "/clientTs"),
        ('{"more": 1}', 422, "/more"),
    ],
)
async def test_a_heartbeat_that_cannot_be_taken(site: ExamSite, text: str, status: int, pointer: str | None) -> None:
    session = await site.begin()
    path, headers = f"{SESSIONS}/{session['id']}/heartbeat", {"content-type": "application/json"}
    answer = await site.ask("POST", path, content=text, headers=headers)
    assert_problem(answer, status, "request.invalid" if status == 422 else "request.malformed")
    if pointer:
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert (await site.read(session))["lastSeq"] == 0


@pytest.mark.parametrize(
    "text",
    [
        '{"snapshot": ' + '{"a":' * 31 + "1" + "}" * 31 + "}",
        '{"snapshot": {"a": 1e308, "b": 5e-324, "c": 0.1, "a": 2}}',
        f'{{"snapshot": {{"a": {"9" * 40_000}.{"7" * 16_059}e-324}}}}',
        '{"snapshot": {"a": "\\ud83d\\ude00 \\\\u0000"}}',
        '{"snapshot": null, "seq": 9007199254740991, "clientTs": "2099-12-31T23:59:59Z"}',
    ],
)
async def test_a_heartbeat_that_only_looks_odd(site: ExamSite, text: str) -> None:
    session = await site.begin()
    path, headers = f"{SESSIONS}/{session['id']}/heartbeat", {"content-type": "application/json"}
    assert (await site.ask("POST", path, content=text, headers=headers)).status_code == 200
    expected = json.loads(text)["snapshot"]
    assert (await site.read(session))["snapshot"] == expected


async def test_a_heartbeat_says_what_to_do(site: ExamSite) -> None:
    session = await site.begin(overduePolicy="grace")
    await site.oversee(session, "pause", reason="why")
    told = await beat(site, session["id"], seq=1, snapshot={"n": 1})
    assert (told["status"], told["instructions"], told["lastSeq"]) == ("paused", ["paused"], 0)
    await site.oversee(session, "resume", reason="why")
    site.later(hours=2)
    told = await beat(site, session["id"], seq=2, snapshot={"n": 2})
    assert (told["status"], told["instructions"], told["remainingSeconds"]) == ("overdue", ["submit"], 0)
    assert (await site.read(session))["snapshot"] is None


async def test_a_heartbeat_under_an_unknown_id_begins_the_exam(site: ExamSite) -> None:
    """The compatible way in, for who is enrolled in one package."""
    name = await site.person()
    package = await site.package()
    await site.enroll(package, name)
    told = await beat(site, "my-own-id_1", name, seq=1, snapshot={"n": 1})
    assert (told["id"], told["status"], told["lastSeq"], told["stale"]) == ("my-own-id_1", "active", 1, False)
    found = await site.read(told, person=name)
    assert (found["examPackageId"], found["snapshot"]) == (package, {"n": 1})
    elsewhere = await beat(site, "another-id", name, seq=9, snapshot={"n": 9})
    assert (elsewhere["id"], elsewhere["stale"], elsewhere["lastSeq"]) == ("my-own-id_1", True, 1)
    assert (await site.read(told, person=name))["snapshot"] == {"n": 1}


async def test_a_heartbeat_begins_the_exam_that_it_names(site: ExamSite) -> None:
    name = await site.person()
    packages = [await site.package() for _ in range(2)]
    for package in packages:
        await site.enroll(package, name)
    path = f"{SESSIONS}/some-id/heartbeat"
    assert_problem(await site.ask("POST", path, name, json={}), 409, "exam.package_ambiguous")
    assert_problem(
        await site.ask("POST", path, name, json={"examPackageId": await site.package()}),
        403,
        "exam.enrollment_required",
    )
    told = await beat(site, "some-id", name, examPackageId=packages[1])
    assert (await site.read(told, person=name))["examPackageId"] == packages[1]


async def test_a_heartbeat_of_nobodys_session(site: ExamSite) -> None:
    """Who is enrolled nowhere learns nothing of ids, not even whether they are somebody's."""
    name = await site.person()
    session = await site.begin()
    told = []
    for session_id in (session["id"], "exs_none"):
        answer = await site.ask("POST", f"{SESSIONS}/{session_id}/heartbeat", name, json={})
        told.append(assert_problem(answer, 404, "exam.session_not_found") | {"instance": ""})
    assert told[0] == told[1]


async def test_an_event_is_recorded_once_by_the_name_of_its_client(site: ExamSite) -> None:
    session = await site.begin()
    body = {
        "type": "focus_lost",
        "clientEventId": "b-1",
        "clientTs": (site.clock.now() - timedelta(seconds=3)).isoformat(),
        "payload": {"seconds": 3, "why": "π"},
    }
    first = await site.act(session, "events", body)
    assert first.status_code == 201
    assert (first.json()["type"], first.json()["clientEventId"]) == ("focus_lost", "b-1")
    assert first.json()["id"].startswith("evt_")
    again = await site.act(session, "events", body)
    assert (again.status_code, again.json()) == (200, first.json())
    await site.act(session, "submit")
    over = await site.act(session, "events", body)
    assert (over.status_code, over.json()) == (200, first.json())
    assert_problem(await site.act(session, "events", {"type": "focus_lost"}), 409, "exam.not_active")


async def test_an_event_without_a_name_is_recorded_once_by_its_key(site: ExamSite) -> None:
    session = await site.begin()
    answers = [await site.act(session, "events", {"type": "copy"}, key="copied") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].headers["idempotency-replayed"] == "true"
    others = [await site.act(session, "events", {"type": "copy"}) for _ in range(2)]
    assert len({answer.json()["id"] for answer in (*answers, *others)}) == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "connection_gap"}, 422, "exam.event_type_unknown"),
        ({"type": "session_submitted"}, 422, "exam.event_type_unknown"),
        ({"type": "Focus_Lost"}, 422, "exam.event_type_unknown"),
        ({"type": ""}, 422, "request.invalid"),
        ({"type": "copy", "clientEventId": "a b"}, 422, "request.invalid"),
        ({"type": "copy", "clientEventId": "x" * 65}, 422, "request.invalid"),
        ({"type": "copy", "payload": []}, 422, "request.invalid"),
        ({"type": "copy", "payload": {"a": "x" * 8192}}, 413, "exam.event_too_large"),
        ({"payload": {}}, 422, "request.invalid"),
    ],
)
async def test_an_event_that_cannot_be_taken(site: ExamSite, body: Any, status: int, code: str) -> None:
    session = await site.begin()
    before = site.value("select record_count from exam_sessions where id = %s", session["id"])
    assert_problem(await site.act(session, "events", body), status, code)
    assert site.value("select record_count from exam_sessions where id = %s", session["id"]) == before


async def test_a_session_takes_60_events_in_a_minute(site: ExamSite) -> None:
    session = await site.begin()
    for number in range(60):
        assert (await site.act(session, "events", {"type": "note", "payload": {"n": number}})).status_code == 201
    refused = await site.act(session, "events", {"type": "note"})
    assert_problem(refused, 429, "exam.event_rate")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    site.later(seconds=61)
    assert (await site.act(session, "events", {"type": "note"})).status_code == 201

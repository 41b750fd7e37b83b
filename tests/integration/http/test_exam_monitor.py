"""The monitor of live exams: what happens is seen within two seconds, by those who may see it, as long as they may."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from application.exam.monitoring import ExamMonitor, MonitorTerms
from entrypoints.http.event_stream import stopping
from tests.support.event_stream import EventStream, listening
from tests.support.exam_site import ExamSite, exam_site_of
from tests.support.http import assert_problem
from tests.support.postgres import ClonedDatabase

MONITOR = "/admin/exam-sessions/monitor"
SEEN_WITHIN_LOOKS = 2  # a second apart, whatever else the machine has to do
TERMS = MonitorTerms(check_seconds=0.5, ping_seconds=0.6, watchers=3, watchers_per_person=3)


class Looks:
    """What a monitor calls to look; the looks are counted."""

    def __init__(self, monitor: ExamMonitor) -> None:
        self.begun = 0
        self._look = monitor._look

    async def __call__(self) -> None:
        self.begun += 1
        await self._look()


@pytest.fixture(scope="module")
async def exams(module_database: ClonedDatabase) -> AsyncIterator[ExamSite]:
    async with exam_site_of(module_database) as site:
        site.whole.container.monitor_terms.reset_override()
        # The looks are as frequent as they are in earnest; the rest is faster, so that nobody has to wait.
        monitor = site.whole.container.exam_monitor()
        monitor.terms = TERMS
        monitor._look = Looks(monitor)  # type: ignore[method-assign]
        yield site


@pytest.fixture
def monitor(exams: ExamSite) -> Iterator[ExamMonitor]:
    found: ExamMonitor = exams.whole.container.exam_monitor()
    found.terms = TERMS
    yield found
    found.terms = TERMS


def watching(exams: ExamSite, query: str = "", **more: Any) -> AbstractAsyncContextManager[EventStream]:
    return listening(exams.whole.app, MONITOR, exams.whole.tokens["admin"], query, **more)


def looks_of(exams: ExamSite) -> Looks:
    looks = exams.whole.container.exam_monitor()._look
    assert isinstance(looks, Looks)
    return looks


async def soon(exams: ExamSite, stream: EventStream, wanted: Callable[[Any], bool]) -> Any:
    """The data of the event that `wanted` is true of. What has happened by now must be told by the second look."""
    looks = looks_of(exams)
    before = looks.begun
    told = await stream.until(wanted)
    assert looks.begun - before <= SEEN_WITHIN_LOOKS
    return told


def of(session: Mapping[str, Any], sessions: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((each for each in sessions if each["sessionId"] == session["id"]), None)


async def test_start_heartbeat_answer_flag_pause_and_submission_are_seen_within_two_seconds(exams: ExamSite) -> None:
    person = await exams.person()
    package = await exams.package()
    await exams.enroll(package, person)
    async with watching(exams) as stream:
        assert (await stream.take()).name == "snapshot"

        session = (await exams.start(package, person)).json()
        told = await soon(exams, stream, lambda data: of(session, data["added"]) is not None)
        seen = of(session, told["added"])
        assert seen is not None
        assert (seen["userId"], seen["examPackageId"]) == (exams.id_of(person), package)
        assert (seen["status"], seen["attemptNo"], seen["connection"]) == ("active", 1, "connected")
        assert (seen["deadline"], seen["lastHeartbeatAt"]) == (session["deadline"], None)
        assert (seen["openFlags"], seen["answeredCount"], seen["isDue"]) == (0, 0, False)

        await exams.act(session, "heartbeat", {"seq": 1, "snapshot": {}}, person=person)
        told = await soon(exams, stream, lambda data: _shows(session, data, "lastHeartbeatAt", None, is_not=True))

        assert (await exams.save(session, person=person)).status_code == 200
        await soon(exams, stream, lambda data: _shows(session, data, "answeredCount", 1))

        flagged = await exams.oversee(session, "flags", person=person, type="noise", note="a phone")
        assert flagged.status_code == 201, flagged.text
        await soon(exams, stream, lambda data: _shows(session, data, "openFlags", 1))
        resolving = f"flags/{flagged.json()['id']}/resolve"
        assert (await exams.oversee(session, resolving, person=person, note="a calculator")).is_success
        await soon(exams, stream, lambda data: _shows(session, data, "openFlags", 0))

        assert (await exams.oversee(session, "pause", person=person, reason="fire alarm")).is_success
        told = await soon(exams, stream, lambda data: _shows(session, data, "status", "paused"))
        paused = of(session, told["changed"])
        assert paused is not None
        assert (paused["deadline"], paused["connection"]) == (None, "none")
        assert (await exams.oversee(session, "resume", person=person, reason="over")).is_success
        await soon(exams, stream, lambda data: _shows(session, data, "status", "active"))

        assert (await exams.act(session, "submit", {}, person=person)).status_code == 200
        told = await soon(exams, stream, lambda data: of(session, data["ended"]) is not None)
        ended = of(session, told["ended"])
        assert ended is not None
        assert (ended["status"], ended["userId"]) == ("finished", exams.id_of(person))


def _shows(session: Mapping[str, Any], data: dict[str, Any], name: str, value: object, *, is_not: bool = False) -> bool:
    seen = of(session, data["changed"])
    return seen is not None and (seen[name] != value if is_not else seen[name] == value)


async def test_a_stream_says_what_it_is_and_begins_with_everything(exams: ExamSite) -> None:
    session = await exams.begin("stranger")
    async with watching(exams) as stream:
        first = await stream.take_any()
        snapshot = await stream.take()
    assert (first.name, snapshot.name) == ("retry", "snapshot")
    assert snapshot.id.isdigit()
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
    assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
    assert of(session, snapshot.data["sessions"]) is not None


async def test_who_watches_a_package_sees_its_sessions_only(exams: ExamSite) -> None:
    other = await exams.begin(await exams.person())
    mine = await exams.begin(person := await exams.person())
    async with watching(exams, f"examPackageId={mine['examPackageId']}") as stream:
        snapshot = (await stream.take()).data
        assert [each["sessionId"] for each in snapshot["sessions"]] == [mine["id"]]
        await exams.act(other, "heartbeat", {"seq": 1}, person=_owner(exams, other))
        await exams.act(mine, "heartbeat", {"seq": 1}, person=person)
        changes = (await stream.take()).data
        assert {each["sessionId"] for each in changes["changed"]} == {mine["id"]}


def _owner(exams: ExamSite, session: Mapping[str, Any]) -> str:
    user_id = exams.value("select user_id from exam_sessions where id = %s", session["id"])
    return next(person for person, own in exams.people.items() if own == user_id)


async def test_a_connection_that_is_lost_is_told_though_nobody_did_anything(exams: ExamSite) -> None:
    session = await exams.begin(await exams.person())
    async with watching(exams) as stream:
        await stream.take()
        exams.later(seconds=31)
        await soon(exams, stream, lambda data: _shows(session, data, "connection", "unstable"))
        exams.later(seconds=60)
        await soon(exams, stream, lambda data: _shows(session, data, "connection", "lost"))
        exams.later(seconds=3600)
        await soon(exams, stream, lambda data: _shows(session, data, "isDue", True))


async def test_where_nothing_happens_the_line_is_kept_alive(exams: ExamSite) -> None:
    async with watching(exams, "examPackageId=pkg_of_nobody") as stream:
        assert [(await stream.take_any()).name for _ in range(4)] == ["retry", "snapshot", ":", ":"]


@pytest.mark.parametrize(
    "ending",
    [
        "update auth_sessions set revoked_at = now(), revoke_reason = 'signed_out' where user_id = %s and id <> 'x'",
        "update auth_sessions set idle_expires_at = now() - interval '1 second' where user_id = %s",
        "update users set role = 'instructor' where id = %s",
        "update users set status = 'disabled' where id = %s",
    ],
)
async def test_who_may_not_watch_any_more_stops_watching(exams: ExamSite, ending: str) -> None:
    keeper, admin = exams.database.keeper, exams.id_of("admin")
    kept_sessions = keeper.execute("select * from auth_sessions where user_id = %s", (admin,)).fetchall()
    assert kept_sessions
    async with watching(exams) as stream:
        await stream.take()
        looks = looks_of(exams)
        before = looks.begun
        keeper.execute(ending.encode(), (admin,))
        try:
            await stream.end(30.0)
        finally:
            keeper.execute("update users set role = 'admin', status = 'active' where id = %s", (admin,))
            keeper.execute(
                "update auth_sessions set revoked_at = null, revoke_reason = null, idle_expires_at = now() + interval"
                " '1 day' where user_id = %s",
                (admin,),
            )
        assert looks.begun - before <= 4, "the fifth second has begun"


async def test_the_terms_in_earnest_keep_what_is_promised() -> None:
    terms = MonitorTerms()
    assert terms.look_seconds <= 1.0
    assert terms.check_seconds <= 5.0 - terms.look_seconds
    assert terms.watch_seconds <= 15 * 60


async def test_there_are_so_many_streams_and_no_more(exams: ExamSite, monitor: ExamMonitor) -> None:
    monitor.terms = replace(TERMS, watchers=2, watchers_per_person=2)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await (await stack.enter_async_context(watching(exams))).take()
        refused = await exams.ask("GET", MONITOR, "admin")
        assert_problem(refused, 503, "exam.monitors_busy")
        assert refused.headers["retry-after"]
        monitor.terms = replace(TERMS, watchers=5, watchers_per_person=2)
        assert_problem(await exams.ask("GET", MONITOR, "admin"), 429, "exam.too_many_monitors")
    monitor.terms = replace(TERMS, watch_seconds=0.0)
    assert (await exams.ask("GET", MONITOR, "admin")).status_code == 200


async def test_a_stream_ends_after_its_time(exams: ExamSite, monitor: ExamMonitor) -> None:
    monitor.terms = replace(TERMS, watch_seconds=0.3)
    async with watching(exams) as stream:
        await stream.end(30.0)
    assert stream.is_over


async def test_nobody_looks_when_nobody_watches(exams: ExamSite, monitor: ExamMonitor) -> None:
    def looks() -> tuple[int, bool]:
        gc.collect()
        return monitor.watchers, monitor.is_looking

    assert looks() == (0, False)
    async with watching(exams) as stream:
        await stream.take()
        assert looks() == (1, True)
    await asyncio.sleep(0)
    assert looks() == (0, False)


async def test_a_stream_that_is_told_to_stop_ends_at_once(exams: ExamSite, monitor: ExamMonitor) -> None:
    """Long before it would have looked whether it may go on."""
    monitor.terms = replace(TERMS, check_seconds=60.0, ping_seconds=60.0)
    async with watching(exams) as stream:
        await stream.take()
        stop = stopping(stream.scope)
        assert stop is not None
        stop()
        await stream.end(30.0)


async def test_a_stream_goes_on_for_longer_than_an_answer_may_take(exams: ExamSite) -> None:
    """Requests are answered within six seconds; what reads the store after that would be refused."""
    async with watching(exams) as stream:
        await stream.take()
        began = time.monotonic()
        while time.monotonic() - began < 6.5:
            await stream.take_any()
        session = await exams.begin(await exams.person())
        await soon(exams, stream, lambda data: of(session, data["added"]) is not None)


async def test_a_slow_reader_gets_all_that_it_missed_at_once(exams: ExamSite) -> None:
    patience = asyncio.Event()
    patience.set()
    session = await exams.begin(person := await exams.person())
    async with watching(exams, f"examPackageId={session['examPackageId']}", patience=patience) as stream:
        await stream.take()
        patience.clear()
        for seq in range(1, 5):
            await exams.act(session, "heartbeat", {"seq": seq}, person=person)
            await asyncio.sleep(0.6)
        await exams.act(session, "submit", {}, person=person)
        await asyncio.sleep(1.2)
        assert stream.waiting.empty()
        patience.set()
        told = [(await stream.take()).data]
        while not told[-1]["ended"]:
            told.append((await stream.take()).data)
    # One may have been on its way when the reader stopped; the other is the rest.
    assert len(told) <= 2
    assert of(session, told[-1]["ended"]) is not None


async def test_a_head_is_answered_and_opens_no_stream(exams: ExamSite, monitor: ExamMonitor) -> None:
    answer = await asyncio.wait_for(exams.ask("HEAD", MONITOR, "admin"), 30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    gc.collect()
    assert monitor.watchers == 0


async def test_only_admins_watch(exams: ExamSite) -> None:
    for person in ("student", "instructor"):
        assert (await exams.ask("GET", MONITOR, person)).status_code in (401, 403)
    assert_problem(await exams.ask("GET", MONITOR, None), 401, "auth.token_missing")


async def test_metrics_tell_live_exams_and_how_late_the_sweeper_is(exams: ExamSite) -> None:
    await exams.whole.container.sweep_exams()()
    session = await exams.begin(await exams.person(), duration=600)
    before = await _figures(exams)
    assert before['ace_exam_sessions_live{status="active"}'] >= 1
    assert before['ace_exam_sessions_live{status="paused"}'] == 0
    assert before["ace_exam_sweep_lag_seconds"] == 0
    exams.later(seconds=600 + 60 + 25)
    after = await _figures(exams)
    assert 24 <= after["ace_exam_sweep_lag_seconds"] < 60
    await exams.whole.container.sweep_exams()()
    assert exams.status(session) == "finished"
    assert (await _figures(exams))["ace_exam_sweep_lag_seconds"] == 0


async def _figures(exams: ExamSite) -> dict[str, float]:
    exams.whole.app.metrics.forget()
    text = (await exams.ask("GET", "/metrics", None)).text
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith("ace_exam_"))
    return {name: float(value) for name, _, value in lines}

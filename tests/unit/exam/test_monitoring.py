"""Watching live exams: whoever follows the news knows what is on the board, and nobody makes the store work in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.auth.ports import AuthReader
from application.exam import monitoring
from application.exam.boards import Board, Changes, News, Ping, Snapshot
from application.exam.monitoring import (
    ExamMonitor,
    MonitorsBusy,
    MonitorTerms,
    TooManyMonitors,
    Watch,
    WatchExams,
)
from application.exam.ports.monitoring import EndedExam, ExamFigures, ExamKey, LiveExam, LiveExams, MonitorReader
from application.request_context import RequestContext, request_context
from domain.auth.people import Actor, Role, UserStatus
from domain.auth.sessions import Standing
from domain.errors import StoreUnavailable
from domain.exam.sessions import ExamStatus
from tests.support.exam_builders import PACKAGE, ROOT, START

FAST = MonitorTerms(look_seconds=0.01, check_seconds=0.1, ping_seconds=0.5)
_LONG = 60.0  # no pause of the machine is as long
_KEYS = [("usr_1", "exs_1"), ("usr_1", "exs_2"), ("usr_2", "exs_3"), ("usr_3", "exs_4")]


def live(key: ExamKey, entries: int = 1, package: str = PACKAGE) -> LiveExam:
    return LiveExam(
        user_id=key[0],
        session_id=key[1],
        exam_package_id=package,
        attempt_no=1,
        status=ExamStatus.ACTIVE,
        started_at=START,
        deadline=None,
        is_due=False,
        last_heartbeat_at=START + timedelta(seconds=entries),
        open_flags=0,
        entries=entries,
    )


def ended(key: ExamKey) -> EndedExam:
    return EndedExam(
        user_id=key[0], session_id=key[1], exam_package_id=PACKAGE, status=ExamStatus.FINISHED, sealed_at=START
    )


@dataclass
class Sessions(MonitorReader):
    """What a store would find; every question is counted."""

    exams: dict[ExamKey, LiveExam] = field(default_factory=dict)
    at: datetime = START
    fault: Exception | None = None
    looks: int = 0
    counted: list[list[ExamKey]] = field(default_factory=list)
    contexts: list[RequestContext] = field(default_factory=list)

    async def live(self) -> LiveExams:
        self.looks += 1
        self.contexts.append(request_context.get())
        if self.fault is not None:
            raise self.fault
        return LiveExams(at=self.at, exams=tuple(self.exams.values()))

    async def answered(self, exams: Collection[ExamKey]) -> Mapping[ExamKey, int]:
        self.counted.append(sorted(exams))
        return {key: 10 * self.exams[key].entries for key in exams}

    async def ended(self, exams: Collection[ExamKey]) -> tuple[EndedExam, ...]:
        return tuple(ended(key) for key in exams)

    async def figures(self) -> ExamFigures:
        return ExamFigures()


@dataclass
class Door:
    """Whether the admin's session opens anything."""

    standing: Standing | None = field(
        default_factory=lambda: Standing(
            now=START,
            audience=Role.ADMIN,
            role=Role.ADMIN,
            status=UserStatus.ACTIVE,
            deleted_at=None,
            idle_expires_at=START + timedelta(days=1),
            absolute_expires_at=START + timedelta(days=1),
            revoked_at=None,
        )
    )
    fault: Exception | None = None
    contexts: list[RequestContext] = field(default_factory=list)

    async def read_standing(self, user_id: str, session_id: str) -> Standing | None:
        self.contexts.append(request_context.get())
        assert (user_id, session_id) == (ROOT.user_id, ROOT.session_id)
        if self.fault is not None:
            raise self.fault
        return self.standing


@dataclass
class Room:
    """The monitor, and whoever watches in it."""

    sessions: Sessions = field(default_factory=Sessions)
    door: Door = field(default_factory=Door)
    terms: MonitorTerms = FAST
    monitor: ExamMonitor = field(init=False)

    def __post_init__(self) -> None:
        self.monitor = ExamMonitor(self.sessions, self.terms)

    async def watch(self, package: str | None = None, actor: Actor = ROOT) -> Watch:
        return await WatchExams(monitor=self.monitor, people=cast("AuthReader", self.door))(actor, package)

    @asynccontextmanager
    async def watching(self, package: str | None = None) -> AsyncIterator[AsyncIterator[News | Ping]]:
        events = (await self.watch(package)).events()
        try:
            yield events
        finally:
            await events.aclose()


async def news(events: AsyncIterator[News | Ping]) -> Any:
    async with asyncio.timeout(30):
        while isinstance(event := await anext(events), Ping):
            pass
        return event


# What a sequence of looks found: which sessions were live, and how far each was.
_looks = st.lists(st.dictionaries(st.sampled_from(_KEYS), st.integers(1, 3), max_size=4), min_size=1, max_size=8)


@given(looks=_looks, read=st.data(), package=st.sampled_from([None, PACKAGE, "pkg_other"]))
def test_who_follows_the_news_knows_the_board_however_rarely_they_look(
    looks: Sequence[dict[ExamKey, int]], read: st.DataObject, package: str | None
) -> None:
    """A snapshot first, and then changes of any number of looks at once, make the latest board."""
    packages = {key: PACKAGE if key[0] != "usr_3" else "pkg_other" for key in _KEYS}
    known: Board | None = None
    table: dict[ExamKey, LiveExam] = {}
    before: Mapping[ExamKey, LiveExam] = {}
    remembered = {key: ended(key) for key in read.draw(st.sets(st.sampled_from(_KEYS)))}
    for found in looks:
        exams = {key: live(key, entries, packages[key]) for key, entries in found.items()}
        exams = {key: before[key] if before.get(key) == exam else exam for key, exam in exams.items()}
        before, board = exams, Board(at=START, exams=exams, endings=remembered)
        if known is not None and read.draw(st.booleans()):
            continue
        _apply(table, board.news(known, package))
        assert board.news(known, package) is board.news(known, package)
        known = board
        assert table == {key: exam for key, exam in exams.items() if package in (None, packages[key])}


def _apply(table: dict[ExamKey, LiveExam], told: News | None) -> None:
    if isinstance(told, Snapshot):
        table.clear()
        table |= {exam.key: exam for exam in told.exams}
    elif told is not None:
        assert told.added or told.changed or told.ended
        assert not {exam.key for exam in told.added} & table.keys()
        assert {exam.key for exam in told.changed} <= table.keys()
        table |= {exam.key: exam for exam in (*told.added, *told.changed)}
        for exam in told.ended:
            del table[exam.key]


async def test_what_happens_is_told_once_and_nothing_else() -> None:
    room = Room()
    first, second = _KEYS[:2]
    room.sessions.exams = {first: live(first)}
    async with room.watching() as events:
        told = await news(events)
        assert isinstance(told, Snapshot)
        assert [(exam.key, exam.answered_count, exam.connection) for exam in told.exams] == [(first, 10, "connected")]

        room.sessions.exams[second] = live(second)
        told = await news(events)
        assert isinstance(told, Changes)
        assert ([exam.key for exam in told.added], told.changed, told.ended) == ([second], (), ())

        room.sessions.exams[first] = live(first, entries=2)
        told = await news(events)
        assert ([exam.answered_count for exam in told.changed], told.added) == ([20], ())

        del room.sessions.exams[first]
        told = await news(events)
        assert (told.ended, told.added, told.changed) == ((ended(first),), (), ())
        assert isinstance(await anext(events), Ping)


async def test_answers_are_counted_where_the_record_has_grown_and_never_of_too_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitoring, "COUNTED_AT_ONCE", 2)
    room = Room()
    room.sessions.exams = {key: live(key) for key in _KEYS[:3]}
    async with room.watching() as events:
        told = await news(events)
        assert [exam.answered_count for exam in told.exams] == [10, 10, None]
        told = await news(events)
        assert [exam.answered_count for exam in told.changed] == [10]
        room.sessions.exams[_KEYS[1]] = live(_KEYS[1], entries=3)
        await news(events)
    assert room.sessions.counted == [_KEYS[:2], _KEYS[2:3], _KEYS[1:2]]


async def test_one_look_serves_all_who_watch_and_nobody_looks_for_nobody() -> None:
    room = Room(terms=replace(FAST, look_seconds=0.05))
    async with room.watching() as first, room.watching() as second:
        await asyncio.gather(news(first), news(second))
        before, began = room.sessions.looks, time.monotonic()
        await asyncio.sleep(0.3)
        assert room.sessions.looks - before <= 1 + (time.monotonic() - began) / 0.05
    assert (room.monitor.watchers, room.monitor.is_looking) == (0, False)
    before = room.sessions.looks
    await asyncio.sleep(0.2)
    assert room.sessions.looks == before


async def test_looks_are_no_further_apart_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a look takes counts; how long the machine takes for it does not."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("application.exam.monitoring.asyncio.sleep", pause)
    terms = MonitorTerms()
    async with Room(terms=terms).watching() as events:
        await news(events)
        while len(pauses) < 5:
            await sleep(0)
    assert all(0.0 <= each <= terms.look_seconds for each in pauses)


async def test_who_comes_when_nobody_was_there_sees_the_present() -> None:
    room = Room()
    room.sessions.exams = {_KEYS[0]: live(_KEYS[0])}
    async with room.watching() as events:
        await news(events)
    room.sessions.exams = {_KEYS[1]: live(_KEYS[1])}
    async with room.watching() as events:
        told = await news(events)
    assert [exam.key for exam in told.exams] == [_KEYS[1]]


async def test_a_place_is_free_again_when_its_watch_was_never_read() -> None:
    room = Room(terms=replace(FAST, watchers_per_person=1))
    watch = await room.watch()
    with pytest.raises(TooManyMonitors):
        await room.watch()
    del watch
    await asyncio.sleep(0)
    await (await room.watch()).events().aclose()


async def test_whoever_has_stopped_reading_gives_up_their_place_to_the_next_of_the_same_person() -> None:
    """The one that has taken nothing for longest; those who read keep theirs."""
    room = Room(terms=replace(FAST, watchers_per_person=3, check_seconds=_LONG))
    async with room.watching() as longest, room.watching() as shorter, room.watching() as reading:
        await news(longest)
        await asyncio.sleep(0.01)
        await asyncio.gather(news(shorter), news(reading))
        with pytest.raises(TooManyMonitors):
            await room.watch()
        following = asyncio.create_task(_drain(reading))
        room.monitor.terms = replace(FAST, watchers_per_person=3)
        await asyncio.sleep(3 * FAST.check_seconds)
        async with room.watching() as fourth:
            await news(fourth)
            with pytest.raises(StopAsyncIteration):
                await _drain(longest)
            assert isinstance(await anext(shorter), Ping)
            assert (room.monitor.watchers, following.done()) == (3, False)
        following.cancel()
        await asyncio.wait([following])
    assert (room.monitor.watchers, room.monitor.is_looking) == (0, False)


async def test_where_every_place_is_taken_somebody_who_has_stopped_reading_gives_theirs_to_anybody() -> None:
    room = Room(terms=replace(FAST, watchers=1, check_seconds=_LONG))
    other = replace(ROOT, user_id="usr_other")
    async with room.watching() as stalled:
        await news(stalled)
        with pytest.raises(MonitorsBusy):
            await room.watch(actor=other)
        room.monitor.terms = replace(FAST, watchers=1)
        await asyncio.sleep(2 * FAST.check_seconds)
        told = (await room.watch(actor=other)).events()
        await news(told)
        with pytest.raises(StopAsyncIteration):
            await _drain(stalled)
        await told.aclose()
    assert room.monitor.watchers == 0


async def test_a_store_that_is_away_refuses_those_who_come_and_is_waited_for_by_those_who_watch() -> None:
    room = Room()
    room.sessions.exams = {_KEYS[0]: live(_KEYS[0])}
    async with room.watching() as events:
        await news(events)
        room.sessions.fault = StoreUnavailable()
        await asyncio.sleep(0.05)
        room.sessions.exams[_KEYS[1]] = live(_KEYS[1])
        room.sessions.fault = None
        assert len((await news(events)).added) == 1
    room.sessions.fault = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        await room.watch()
    assert (room.monitor.watchers, room.monitor.is_looking) == (0, False)


@pytest.mark.parametrize(
    "shut",
    [
        lambda door: setattr(door, "standing", None),
        lambda door: setattr(door, "standing", replace(door.standing, revoked_at=START)),
        lambda door: setattr(door, "standing", replace(door.standing, role=Role.STUDENT, audience=Role.STUDENT)),
        lambda door: setattr(door, "standing", replace(door.standing, status=UserStatus.DISABLED)),
        lambda door: setattr(door, "fault", StoreUnavailable()),
    ],
)
async def test_who_may_not_watch_any_more_or_cannot_be_told_is_told_nothing_more(shut: Callable[[Door], None]) -> None:
    room = Room()
    async with room.watching() as events:
        await news(events)
        shut(room.door)
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(_drain(events), 30)
    assert room.monitor.watchers == 0


async def _drain(events: AsyncIterator[News | Ping]) -> None:
    while True:
        await anext(events)


async def test_neither_the_looks_nor_the_checks_have_the_deadline_of_the_request() -> None:
    room = Room()
    token = request_context.set(RequestContext(request_id="r", answer_by=1.0))
    try:
        async with room.watching() as events:
            await news(events)
            assert isinstance(await anext(events), Ping)
    finally:
        request_context.reset(token)
    assert {each.answer_by for each in room.sessions.contexts} == {None}
    assert {each.answer_by for each in room.door.contexts} == {None}


async def test_ends_of_sessions_are_forgotten_in_the_order_in_which_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was away for longer is told everything anew."""
    monkeypatch.setattr(monitoring, "ENDINGS_KEPT", 1)
    room = Room()
    room.sessions.exams = {key: live(key) for key in _KEYS}
    async with room.watching() as slow, room.watching() as quick:
        await asyncio.gather(news(slow), news(quick))
        for key in _KEYS[:2]:
            del room.sessions.exams[key]
            assert [exam.key for exam in (await news(quick)).ended] == [key]
        told = await news(slow)
    assert isinstance(told, Snapshot)
    assert [exam.key for exam in told.exams] == _KEYS[2:]

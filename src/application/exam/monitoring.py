"""Watching over all live exams at once, as it goes."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakSet

from application.auth.ports import AuthReader
from application.exam.boards import Board, News, Ping
from application.exam.ports.monitoring import EndedExam, ExamKey, LiveExam, LiveExams, MonitorReader
from application.request_context import without_deadline
from domain.auth.people import Actor
from domain.errors import DomainError, Kind, StoreUnavailable
from domain.exam.connection import connection

ENDINGS_KEPT: Final = 5_000
"""So many ends of sessions are remembered, for those who read slowly."""
COUNTED_AT_ONCE: Final = 500
"""Of so many sessions the answers are counted at a look; of others at the next ones."""
_FIRST_LOOK_SECONDS: Final = 4.0
_RETRY_AFTER_SECONDS: Final = 5


class MonitorsBusy(DomainError):
    """As many monitors as this process serves are open; the exams come first."""

    code = "exam.monitors_busy"
    kind = Kind.UNAVAILABLE
    title = "Too many monitors are open, try again in a moment"


class TooManyMonitors(DomainError):
    """Nobody watches through more than a few monitors at once; close one of them."""

    code = "exam.too_many_monitors"
    kind = Kind.TOO_MANY
    title = "You have too many monitors open"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorTerms:
    """How often is looked, how soon somebody who may not watch any more stops watching, and how much there may be."""

    look_seconds: float = 1.0
    check_seconds: float = 4.0
    ping_seconds: float = 10.0
    watch_seconds: float = 900.0
    watchers: int = 50
    watchers_per_person: int = 5


class ExamMonitor:
    """One per process. It looks at the live sessions while somebody watches, once for all who do.

    It keeps the latest board only. Whoever watches keeps the board that they were told last, and is told what has
    changed since when they are ready for more: nothing is queued, however slowly they read.
    """

    def __init__(self, reader: MonitorReader, terms: MonitorTerms) -> None:
        self.terms = terms
        self._reader = reader
        # A watch that was never begun to be read, and is forgotten, does not keep its place.
        self._watches: WeakSet[Watch] = WeakSet()
        self._board: Board | None = None
        self._fault: DomainError | None = None
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._counts: dict[ExamKey, tuple[int, int]] = {}
        self._endings: OrderedDict[ExamKey, EndedExam] = OrderedDict()

    @property
    def watchers(self) -> int:
        return len(self._watches)

    @property
    def is_looking(self) -> bool:
        return self._looking is not None and not self._looking.done()

    def enter(self, watch: Watch) -> None:
        """Gives somebody who watches a place, or refuses it. Whoever has stopped reading gives theirs up for it."""
        own = [each for each in self._watches if each.user_id == watch.user_id]
        has_enough = len(own) >= self.terms.watchers_per_person
        is_full = len(self._watches) >= self.terms.watchers
        if (has_enough or is_full) and not self._put_out_of(own if has_enough else self._watches):
            refusal = MonitorsBusy if is_full else TooManyMonitors
            raise refusal(retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._watches.add(watch)

    def leave(self, watch: Watch) -> None:
        self._watches.discard(watch)
        if not self._watches and self._looking is not None:
            self._looking.cancel()
            self._forget()

    def _put_out_of(self, watches: Iterable[Watch]) -> bool:
        """Ends the one whose reader has taken nothing for longest; whether there is one."""
        longest = max(watches, key=lambda each: each.unread_seconds)
        if longest.unread_seconds <= self.terms.check_seconds:
            return False
        self._watches.discard(longest)
        longest.stop()
        return True

    def wake(self) -> None:
        """Whoever waits looks up."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def next(self, known: Board | None, seconds: float) -> Board | None:
        """The latest board once it is another one than `known`; None when there is none within the time."""
        if not self.is_looking:
            # In a context of its own: no request waits for it, and none has to be answered by then.
            self._looking = asyncio.create_task(self._look_on(), context=Context())
        if self._board is None or self._board is known:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        return None if self._board is known else self._board

    async def first(self) -> None:
        """Returns when there is a board to begin with; refuses when the store does not answer."""
        board = await self.next(None, _FIRST_LOOK_SECONDS)
        if board is None:
            raise StoreUnavailable from self._fault

    async def _look_on(self) -> None:
        while self._watches:
            started = time.monotonic()
            await self._look()
            self.wake()
            await asyncio.sleep(max(0.0, self.terms.look_seconds - (time.monotonic() - started)))
        self._forget()

    def _forget(self) -> None:
        """Nobody watches. Whoever comes next begins with a new look."""
        self._looking, self._board, self._fault = None, None, None
        self._counts, self._endings = {}, OrderedDict()

    async def _look(self) -> None:
        before = {} if self._board is None else self._board.exams
        try:
            found = await self._reader.live()
            await self._count(found)
            await self._note_endings(before, found)
        except DomainError as fault:
            # The store is away for a moment: what was seen last stands until it is back.
            self._fault = fault
            return
        exams = {exam.key: self._as_seen(exam, before, found) for exam in found.exams}
        self._board = Board(at=found.at, exams=exams, endings=self._endings)

    def _as_seen(self, exam: LiveExam, before: Mapping[ExamKey, LiveExam], found: LiveExams) -> LiveExam:
        _, answered = self._counts.get(exam.key, (0, None))
        there = connection(exam.status, exam.started_at, exam.last_heartbeat_at, found.at)
        seen = replace(exam, connection=there, answered_count=answered)
        known = before.get(exam.key, seen)
        return known if known == seen else seen

    async def _count(self, found: LiveExams) -> None:
        """Counts the answers of those whose record has grown, and forgets those that are not live any more."""
        live = {exam.key: exam.entries for exam in found.exams}
        self._counts = {key: counted for key, counted in self._counts.items() if key in live}
        stale = [key for key, entries in live.items() if self._counts.get(key, (-1, 0))[0] != entries]
        if stale := stale[:COUNTED_AT_ONCE]:
            answered = await self._reader.answered(stale)
            self._counts |= {key: (live[key], answered.get(key, 0)) for key in stale}

    async def _note_endings(self, before: Mapping[ExamKey, LiveExam], found: LiveExams) -> None:
        live = {exam.key for exam in found.exams}
        if gone := [key for key in before if key not in live]:
            for ended in await self._reader.ended(gone):
                self._endings[ended.key] = ended
                self._endings.move_to_end(ended.key)
            while len(self._endings) > ENDINGS_KEPT:
                self._endings.popitem(last=False)


class Watch:
    """Somebody watches: what they are told, until they leave, may not watch any more, or have watched long enough."""

    def __init__(self, monitor: ExamMonitor, people: AuthReader, actor: Actor, exam_package_id: str | None) -> None:
        self.user_id = actor.user_id
        self._monitor = monitor
        self._people = people
        self._actor = actor
        self._exam_package_id = exam_package_id
        self._is_stopped = False
        self._handed_out: float | None = None
        self._checked = self._told = time.monotonic()
        self._until = self._checked + monitor.terms.watch_seconds

    def stop(self) -> None:
        """It ends at once, in order."""
        self._is_stopped = True
        self._monitor.wake()

    @property
    def unread_seconds(self) -> float:
        """For how long its reader has not taken what there was to tell: meanwhile it cannot look after itself."""
        return 0.0 if self._handed_out is None else time.monotonic() - self._handed_out

    async def events(self) -> AsyncGenerator[News | Ping]:
        """Everything first, then what has changed, and a ping where nothing has for long."""
        known: Board | None = None
        try:
            while await self._may_go_on():
                board = await self._monitor.next(known, self._patience())
                if not await self._may_go_on():
                    return
                told = None if board is None else board.news(known, self._exam_package_id)
                known = board or known
                if told is not None or self._is_silent():
                    self._handed_out = time.monotonic()
                    yield told or Ping()
                    self._handed_out, self._told = None, time.monotonic()
                if time.monotonic() >= self._until:
                    return
        finally:
            self._monitor.leave(self)

    def _patience(self) -> float:
        terms = self._monitor.terms
        wanted = min(self._checked + terms.check_seconds, self._told + terms.ping_seconds, self._until)
        return max(0.0, wanted - time.monotonic())

    def _is_silent(self) -> bool:
        return time.monotonic() - self._told >= self._monitor.terms.ping_seconds

    async def _may_go_on(self) -> bool:
        """Whether nobody stopped it and the session that it was opened with still opens it.

        Where that cannot be told, it does not go on.
        """
        if self._is_stopped or time.monotonic() - self._checked < self._monitor.terms.check_seconds:
            return not self._is_stopped
        try:
            with without_deadline():
                standing = await self._people.read_standing(self._actor.user_id, self._actor.session_id)
        except DomainError:
            return False
        self._checked = time.monotonic()
        allowed = standing is not None and standing.opens and standing.role is self._actor.role
        return allowed and not self._is_stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchExams:
    """Admins watch over all live sessions, or those of one package: at most two seconds behind what happens.

    Whoever is signed out, disabled or given another role stops watching within five seconds.
    """

    monitor: ExamMonitor
    people: AuthReader

    async def __call__(self, actor: Actor, exam_package_id: str | None = None) -> Watch:
        """Returns when there is something to tell; refuses when too many watch already."""
        watch = Watch(self.monitor, self.people, actor, exam_package_id)
        self.monitor.enter(watch)
        try:
            await self.monitor.first()
        except BaseException:
            self.monitor.leave(watch)
            raise
        return watch

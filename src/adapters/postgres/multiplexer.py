"""Many callers' single statements over a few connections: what one turn of the event loop brings goes out together.

Reads are told as their rows come. Writes of one group are one transaction, told when it is committed; while a group is
out the next one gathers. Where a member fails its group is rolled back: that member is handed on to the pool, which
says what is wrong with it, and the others go out again, each for itself. So do the next statements of its key go to the
pool, lest one caller who fails again and again have everybody's work done twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from math import inf
from operator import attrgetter
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.abc import Transformer
from psycopg.rows import DictRow

from adapters.postgres.connections import Connection, connection_options
from adapters.postgres.errors import outcome_unknown, unavailable
from adapters.postgres.pipelines import Group, Member, Pipeline
from adapters.postgres.prepared import statement_of

_GROUP_SIZE: Final = 64
# One turn of the event loop may bring thousands; if it took but one group away, turns would grow longer than they last.
_GROUPS_AT_ONCE: Final = 16
_WATCH_SECONDS: Final = 0.05
# After each loss, so that a server that lets in and then hangs up is asked a few times in a second and not thousands.
_PAUSE_SECONDS: Final = 0.25
# Whoever failed goes straight to the pool for so long, and rolls nobody else back again meanwhile.
_TROUBLED_SECONDS: Final = 2.0
_MOST_TROUBLED: Final = 1_000
# Said first on every connection. A lock that is not to be had soon is waited for in the pool, where nobody else waits
# for it as well. What goes this way looks rows up by their keys, also in a small table of which PostgreSQL would rather
# read the whole: a busy one has many pages for few rows, and a plan is kept while the table grows.
_GREETING: Final = """
    select set_config('timezone', 'UTC', false), set_config('lock_timeout', '30ms', false),
           set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)
"""

_by_key = attrgetter("key")
_log = logging.getLogger(__name__)


class HandedOn:
    """Says that the pool has to carry a statement out: it has had no effect here."""


_HANDED_ON: Final = HandedOn()
Answer: TypeAlias = DictRow | HandedOn | None


class Lane:
    """The connection for one kind of statement, and whoever waits for it. It connects when it is first used."""

    def __init__(self, conninfo: str, *, reads: bool, deadline_seconds: float, max_waiting: int) -> None:
        self._conninfo = conninfo
        self._reads = reads
        self._deadline = deadline_seconds
        self._max_waiting = max_waiting
        self._open = False
        # Nothing has failed yet, so that it is worth waiting for the first connection.
        self._hopeful = True
        self._keeper: asyncio.Task[None] | None = None
        self._pipeline: Pipeline | None = None
        self._waiting: deque[Member] = deque()
        self._again: deque[Member] = deque()
        # Until when whose statements go to the pool; the longest there come first.
        self._troubled: dict[str, float] = {}
        self._scheduled = False
        self._watching = False
        self._counts: Counter[str] = Counter(groups=0, members=0, sent_again=0, handed_on=0)

    def open(self) -> None:
        self._open = True

    async def close(self, seconds: float) -> None:
        """Lets what is here end within so many seconds; what comes later goes to the pool."""
        self._open = False
        here = [member.answer for member in chain(self._again, self._waiting, self._out())]
        if here:
            await asyncio.wait(here, timeout=seconds)
        for member in self._everybody():
            member.tell(unavailable())
        if self._pipeline is not None:
            self._pipeline.lose()
            await asyncio.sleep(0)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def statistics(self) -> Mapping[str, int]:
        waiting = len(self._waiting) + len(self._again)
        return {"connections": int(self._pipeline is not None), "waiting": waiting, **self._counts}

    async def ask(self, query: str, params: Mapping[str, Any] | None, key: str, deadline: float) -> Answer:
        """The first row, by the monotonic second `deadline`."""
        if len(self._waiting) >= self._max_waiting or time.monotonic() >= deadline:
            raise unavailable()
        loop = asyncio.get_running_loop()
        if self._keeper is None and self._open:
            self._keeper = loop.create_task(self._keep_connected())
        if not (self._open and (self._pipeline or self._hopeful)) or self._is_troubled(key):
            self._counts["handed_on"] += 1
            return _HANDED_ON
        statement = statement_of(query, has_params=params is not None)
        member = Member(statement, params or {}, key, deadline, loop.create_future())
        self._waiting.append(member)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._send)
        answer: Answer = await member.answer
        return answer

    async def _keep_connected(self) -> None:
        """One connection, made anew after a pause whenever it is lost or was not to be had, for whatever reason."""
        while self._open:
            try:
                await self._connect_and_serve()
            except (psycopg.Error, OSError):
                pass  # there is no server now; requests say so by themselves
            except Exception:
                _log.exception("a shared connection ended and is made anew")
            self._despair()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _connect_and_serve(self) -> None:
        connection = await Connection.connect(self._conninfo, **connection_options(None))
        try:
            await self._serve(Pipeline(connection, self._settled, at_once=self._reads))
        finally:
            connection.pgconn.finish()

    async def _serve(self, pipeline: Pipeline) -> None:
        try:
            if await self._greet(pipeline):
                self._pipeline = pipeline
                self._send()
                await asyncio.wait((pipeline.lost,))
        finally:
            pipeline.lose()
            self._pipeline = None
            for member in chain.from_iterable(group.members for group in pipeline.lost.result()):
                if self._reads:
                    self._hand_on(member)
                else:
                    member.tell(outcome_unknown())

    async def _greet(self, pipeline: Pipeline) -> bool:
        """Whether the settings hold; nobody shares the connection before."""
        answer = asyncio.get_running_loop().create_future()
        pipeline.send([Group([Member(statement_of(_GREETING), {}, "", inf, answer)])])
        await asyncio.wait((answer, pipeline.lost), timeout=self._deadline, return_when=asyncio.FIRST_COMPLETED)
        return not answer.cancel() and isinstance(answer.result(), dict)

    def _despair(self) -> None:
        """The connection is lost or was not to be had: everybody goes to the pool."""
        self._hopeful = False
        for member in self._everybody():
            self._hand_on(member)

    def _out(self) -> Iterator[Member]:
        return chain.from_iterable(group.members for group in (self._pipeline.groups if self._pipeline else ()))

    def _everybody(self) -> Iterator[Member]:
        """All that are not out, taken from their places."""
        for queue in (self._again, self._waiting):
            while queue:
                yield queue.popleft()

    def _hand_on(self, member: Member) -> None:
        self._counts["handed_on"] += not member.answer.done()
        member.tell(_HANDED_ON)

    def _send(self) -> None:
        self._scheduled = False
        pipeline = self._pipeline
        if pipeline is not None and pipeline.idle:
            groups = self._next_groups(pipeline.transformer)
            if groups:
                pipeline.send(groups)
        self._watch_on()

    def _next_groups(self, transformer: Transformer) -> Sequence[Group]:
        alone = self._take(self._again, transformer)
        if alone:
            self._counts["sent_again"] += len(alone)
            return [Group([member]) for member in alone]
        groups: list[Group] = []
        while len(groups) < _GROUPS_AT_ONCE and (members := self._take(self._waiting, transformer)):
            self._counts["groups"] += 1
            self._counts["members"] += len(members)
            if not self._reads:
                members.sort(key=_by_key)
            groups.append(Group(members))
        return groups

    def _take(self, queue: deque[Member], transformer: Transformer) -> list[Member]:
        """The next ones whose callers still wait, ready to be sent; what cannot be written concerns one alone."""
        taken: list[Member] = []
        while queue and len(taken) < _GROUP_SIZE:
            member = queue.popleft()
            if member.answer.done():
                continue
            try:
                member.encode(transformer)
            except Exception:  # the pool meets the same error, and knows its meaning
                self._hand_on(member)
            else:
                taken.append(member)
        return taken

    def _settled(self, group: Group) -> None:
        if not group.broken:
            for member in group.members:
                member.tell(member.outcome)
        else:
            for member in group.members:
                self._settle_broken(member, alone=len(group.members) == 1)
        self._send()

    def _settle_broken(self, member: Member, *, alone: bool) -> None:
        if alone or member.failed:
            self._note_trouble(member.key)
            self._hand_on(member)
        elif not member.answer.done():
            self._again.append(member)

    def _note_trouble(self, key: str) -> None:
        self._troubled.pop(key, None)
        if key:
            self._troubled[key] = time.monotonic() + _TROUBLED_SECONDS
        if len(self._troubled) > _MOST_TROUBLED:
            del self._troubled[next(iter(self._troubled))]

    def _is_troubled(self, key: str) -> bool:
        return self._troubled.get(key, 0.0) > time.monotonic() if self._troubled else False

    @property
    def _is_busy(self) -> bool:
        return bool(self._waiting or self._again or (self._pipeline and self._pipeline.groups))

    def _watch_on(self) -> None:
        if not self._watching and self._is_busy:
            self._watching = True
            asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._watch)

    def _watch(self) -> None:
        """Tells everybody whose time is over, and lets go of a connection on which nothing has moved for as long."""
        now = time.monotonic()
        self._watching = False
        for queue in (self._again, self._waiting):
            for member in queue:
                if now >= member.deadline:
                    member.tell(unavailable())
            waiting = [member for member in queue if not member.answer.done()]
            queue.clear()
            queue.extend(waiting)
        for member in self._out():
            if now >= member.deadline:
                member.tell(outcome_unknown())
        pipeline = self._pipeline
        if pipeline and pipeline.groups and now - pipeline.moved_at >= self._deadline:
            pipeline.lose()
        self._watch_on()


class Multiplexer:
    """A lane for statements that read and one for those that write."""

    def __init__(self, conninfo: str, *, deadline_seconds: float, max_waiting: int) -> None:
        lane = partial(Lane, conninfo, deadline_seconds=deadline_seconds, max_waiting=max_waiting)
        self.reading, self.writing = lane(reads=True), lane(reads=False)

    def open(self) -> None:
        self.reading.open()
        self.writing.open()

    async def close(self, seconds: float) -> None:
        await asyncio.gather(self.reading.close(seconds), self.writing.close(seconds))

    def statistics(self) -> dict[str, int]:
        """Of both lanes together: what is there now, and what has been counted since the start."""
        writing = self.writing.statistics()
        return {f"multiplexer_{name}": count + writing[name] for name, count in self.reading.statistics().items()}

"""Giving or taking time of many sessions at once, when a whole room was disturbed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from application.exam.overseeing import Act, act_of, entry_of
from application.exam.ports.overseeing import LiveSession, OverseeReader, OverseeWork
from application.exam.settling import Held, hold, settle
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.enrollment.refusals import PackageNotFound
from domain.errors import DomainError, Kind, OutcomeUnknown, StoreUnavailable
from domain.exam.deadlines import deadline
from domain.exam.moves import adjust_time
from domain.exam.record import append
from domain.exam.refusals import AdjustTooSmall
from domain.exam.sessions import ExamSession

MOST_SESSIONS: Final = 500
# Within it further sessions are begun; the last ones have the rest of the time in which a request is answered.
REQUEST_TIME: Final = timedelta(seconds=3.5)
# So many are waited for together; others need connections too.
AT_ONCE: Final = 4
# Students name their own events without a colon, so that none of them can pose as an adjustment.
_ADJUSTMENT: Final = "adjust:"
# A student's id and a session's.
Whose: TypeAlias = tuple[str, str]


class AdjustmentReused(DomainError):
    """The id of an adjustment belongs to one adjustment: a session took it with another number of seconds."""

    code = "exam.adjustment_reused"
    kind = Kind.CONFLICT
    title = "This adjustment was another one"


class Adjusted(StrEnum):
    """What became of one session: it has the time, cannot have it, or is to be asked again for."""

    ADJUSTED = "adjusted"
    REFUSED = "refused"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """How much time, why, and for whom: these sessions (student and id), or all live ones of a package.

    `id` is made up by whoever asks, once for each adjustment that is meant: a session takes it once.
    """

    id: str
    seconds: int
    reason: str
    sessions: tuple[Whose, ...] = ()
    exam_package_id: str | None = None

    @property
    def event_id(self) -> str:
        return _ADJUSTMENT + self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedSession:
    """What became of one session; `refusal` where it was refused, `deadline` where it has one and the time."""

    user_id: str
    session_id: str
    result: Adjusted
    deadline: datetime | None = None
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedSessions:
    """What became of each, in the order in which they were asked for; `complete`: there is nothing to ask again."""

    sessions: tuple[AdjustedSession, ...]
    complete: bool


@dataclass(slots=True, kw_only=True)
class _Request:
    """What is asked in one request, until when further sessions are begun, and whether that is over."""

    act: Act
    adjustment: Adjustment
    until: datetime | None = None
    over: bool = False

    def spent(self, times: Sequence[datetime]) -> bool:
        """Whether the time is over, by that of sessions that were done."""
        self.until = self.until or min(times) + REQUEST_TIME
        self.over = max(times) >= self.until
        return self.over


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustTimes:
    """An admin gives or takes time of up to 500 sessions at once, and says why; each is done or refused by itself.

    What a request has no time for is told as pending, and asked for again until nothing is: no session takes the same
    adjustment twice.
    """

    transact: Transaction[OverseeWork]
    oversee_reader: OverseeReader
    ids: IdGenerator

    async def __call__(self, actor: Actor, adjustment: Adjustment) -> AdjustedSessions:
        told = {"seconds": adjustment.seconds, "adjustmentId": adjustment.id}
        act = act_of(actor, "time_adjusted", "time_adjusted", adjustment.reason, needs_reason=True, told=told)
        request = _Request(act=act, adjustment=adjustment)
        if adjustment.exam_package_id is not None:
            return await self._of_package(request, adjustment.exam_package_id)
        wanted = tuple(dict.fromkeys(adjustment.sessions))
        sessions = await self._decided(request, wanted, await self._known(adjustment, wanted))
        return AdjustedSessions(sessions=sessions, complete=not _count(sessions, Adjusted.PENDING))

    async def _of_package(self, request: _Request, package_id: str) -> AdjustedSessions:
        """All live ones, a page after the other. Those that have too little time are there each time it is asked: they
        are told at a glance, and it goes on behind them.
        """
        sessions: tuple[AdjustedSession, ...] = ()
        after: Whose | None = None
        more, event_id = True, request.adjustment.event_id
        while more and not request.over and _count(sessions, Adjusted.ADJUSTED) < MOST_SESSIONS:
            found = await self.oversee_reader.live_without(package_id, event_id, MOST_SESSIONS + 1, after)
            page, more = found[:MOST_SESSIONS], len(found) > MOST_SESSIONS
            sessions += await self._decided(request, [each.whose for each in page], _foreseen(request.adjustment, page))
            after = page[-1].whose if page else None
            if _count(sessions, Adjusted.PENDING):
                break
        if not sessions and not await self.oversee_reader.has_package(package_id):
            raise PackageNotFound
        return AdjustedSessions(sessions=sessions, complete=not more and not _count(sessions, Adjusted.PENDING))

    async def _decided(
        self, request: _Request, wanted: Sequence[Whose], known: Mapping[Whose, AdjustedSession]
    ) -> tuple[AdjustedSession, ...]:
        """What becomes of each, as far as there is time."""
        found = {**known, **await self._begin(request, [each for each in wanted if each not in known])}
        return tuple(found.get(each) or _pending(each) for each in wanted)

    async def _known(self, adjustment: Adjustment, wanted: Sequence[Whose]) -> dict[Whose, AdjustedSession]:
        """Those that took it before, in one look, so that asking again goes on where there was no time left."""
        noted = await self.oversee_reader.noted(wanted, adjustment.event_id)
        return {
            (each.session.user_id, each.session.id): _told(adjustment, each.content, each.session, each.now)
            for each in noted
        }

    async def _begin(self, request: _Request, wanted: Sequence[Whose]) -> dict[Whose, AdjustedSession]:
        """As many as there is time for, a few at once. A store that does not answer is not asked for more."""
        act, adjustment = request.act, request.adjustment
        found: dict[Whose, AdjustedSession] = {}
        for first in range(0, len(wanted), AT_ONCE):
            several = wanted[first : first + AT_ONCE]
            done = await asyncio.gather(*(self._adjust(act, adjustment, whose) for whose in several))
            found |= {whose: adjusted for whose, (adjusted, _) in zip(several, done, strict=True)}
            times = [now for _, now in done if now is not None]
            if len(times) < len(done) or request.spent(times):
                break
        return found

    async def _adjust(self, act: Act, adjustment: Adjustment, whose: Whose) -> tuple[AdjustedSession, datetime | None]:
        """One session in its own unit, and the time of it. What time alone did to a refused one is kept too."""

        async def unit(work: OverseeWork) -> tuple[AdjustedSession, datetime | None]:
            try:
                held = await hold(work, lambda: self.ids.new("evt"), *whose)
                known = await work.find_event(*whose, adjustment.event_id)
                if known is not None:
                    return _told(adjustment, known.content, held.session, work.now), work.now
                after = await self._give(work, act, adjustment, held)
            except DomainError as refusal:
                return replace(_pending(whose), result=Adjusted.REFUSED, refusal=refusal), work.now
            given = replace(_pending(whose), result=Adjusted.ADJUSTED, deadline=deadline(after, work.now))
            return given, work.now

        try:
            return await self.transact(unit)
        except (OutcomeUnknown, StoreUnavailable):
            return _pending(whose), None

    async def _give(self, work: OverseeWork, act: Act, adjustment: Adjustment, held: Held) -> ExamSession:
        """The session with the time. The record names the adjustment, by which it is known when it comes again."""
        before = held.session
        adjusted = adjust_time(before, adjustment.seconds, work.now)
        draft = replace(act.note(self.ids).draft, client_event_id=adjustment.event_id)
        after, entry = append(adjusted, draft, work.now)
        await work.add_entries([entry])
        settled = await settle(work, lambda: self.ids.new("evt"), held, after, None)
        await work.audit(entry_of(act, before, settled.session, work.now))
        return settled.session


def _told(adjustment: Adjustment, content: str, session: ExamSession, now: datetime) -> AdjustedSession:
    """What became of a session whose record knows the adjustment, by what it tells of it."""
    found = _pending((session.user_id, session.id))
    if json.loads(content).get("seconds") != adjustment.seconds:
        return replace(found, result=Adjusted.REFUSED, refusal=AdjustmentReused())
    return replace(found, result=Adjusted.ADJUSTED, deadline=deadline(session, now))


def _foreseen(adjustment: Adjustment, page: Sequence[LiveSession]) -> dict[Whose, AdjustedSession]:
    """Those that have too little time to take that much."""
    found: dict[Whose, AdjustedSession] = {}
    for each in page:
        try:
            adjust_time(each.session, adjustment.seconds, each.now)
        except AdjustTooSmall as refusal:
            found[each.whose] = replace(_pending(each.whose), result=Adjusted.REFUSED, refusal=refusal)
        except DomainError:
            continue  # time has ended it, which is to be kept
    return found


def _count(sessions: Sequence[AdjustedSession], result: Adjusted) -> int:
    return sum(each.result is result for each in sessions)


def _pending(whose: Whose) -> AdjustedSession:
    user_id, session_id = whose
    return AdjustedSession(user_id=user_id, session_id=session_id, result=Adjusted.PENDING)

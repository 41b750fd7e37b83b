"""The signs of life of a browser in which somebody sits an exam."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.auth.claimants import Caller, claim_of, confirmed
from application.exam.ports.quick import KeptBeat, QuickBeat, QuickExam
from application.exam.ports.sessions import StartWork
from application.exam.settling import accepted, hold, refused
from application.exam.starting import StartExam
from application.exam.views import Pulse, instructions_for
from application.idempotency import once_only
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.heartbeats import Beaten, Sign, beat
from domain.exam.record import Draft, Entry, EntryKind, EntrySource, append, canonical
from domain.exam.refusals import ExamSessionNotFound, SnapshotTooLarge
from domain.exam.sessions import ExamSession, ExamStatus

MAX_SNAPSHOT = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A heartbeat. `snapshot` is a JSON object; without one the last one stays.

    `seq` counts the heartbeats of the browser, `client_at` is its clock. The package matters where the session is not
    known yet: then the heartbeat begins it.
    """

    exam_package_id: str | None = None
    seq: int | None = None
    client_at: datetime | None = None
    snapshot: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A browser says every few seconds that it is there, and leaves what it would need to go on; it learns the time.

    Heartbeats may be lost, repeated or overtaken by one another: the one with the highest number stands, and none of
    them ever changes a mark. A silence of more than 15 seconds and a clock that is more than 30 seconds off go into the
    record. With the id of a session that there is not, a heartbeat of an enrolled student begins it.

    Whether a claimant's session stands is asked in the statement that keeps the heartbeat, or before anything is told.
    """

    transact: Transaction[StartWork]
    ids: IdGenerator
    quick: QuickExam
    start_exam: StartExam

    async def __call__(self, caller: Caller, session_id: str, told: Beat) -> Pulse:
        fits = told.snapshot is None or len(told.snapshot) <= MAX_SNAPSHOT
        quickly = await self._quickly(caller, session_id, told) if fits else None
        if quickly is not None:
            return quickly
        actor = await confirmed(caller)
        if not fits:
            raise SnapshotTooLarge
        try:
            return await self._carefully(actor, session_id, told)
        except ExamSessionNotFound:
            return await self._beginning(actor, session_id, told)

    async def _quickly(self, caller: Caller, session_id: str, told: Beat) -> Pulse | None:
        if once_only.get() is not None:
            return None  # the answer to a key is kept by the unit of work
        kept = await self.quick.heartbeat(
            QuickBeat(
                user_id=caller.user_id,
                session_id=session_id,
                seq=told.seq,
                client_at=told.client_at,
                snapshot=told.snapshot,
                claim=claim_of(caller),
            )
        )
        return None if kept is None else _active(session_id, kept)

    async def _carefully(self, actor: Actor, session_id: str, told: Beat) -> Pulse:
        async def live_on(work: StartWork) -> Pulse | DomainError:
            held = await hold(work, self._new_id, actor.user_id, session_id)
            try:
                beaten = beat(held.session, told.seq, told.client_at, work.now)
            except DomainError as refusal:
                return refused(held, refusal)
            if not beaten.stale:
                await self._keep(work, beaten, told.snapshot)
            return Pulse.of(beaten.session, work.now, stale=beaten.stale)

        return accepted(await self.transact(live_on))

    async def _keep(self, work: StartWork, beaten: Beaten, snapshot: bytes | None) -> None:
        session, entries = self._recorded(beaten.session, beaten.signs, work.now)
        if entries:
            await work.add_entries(entries)
        if beaten.taken and snapshot is not None:
            await work.save_snapshot(session, snapshot)
        else:
            await work.save_session(session)

    def _recorded(self, session: ExamSession, signs: Sequence[Sign], now: datetime) -> tuple[ExamSession, list[Entry]]:
        entries = []
        for sign in signs:
            session, entry = append(session, self._draft(sign), now, effective_at=sign.effective_at)
            entries.append(entry)
        return session, entries

    def _draft(self, sign: Sign) -> Draft:
        return Draft(
            kind=EntryKind.EVENT,
            source=EntrySource.SYSTEM,
            id=self._new_id(),
            type=sign.type,
            client_at=sign.client_at,
            content=canonical({} if sign.seconds is None else {"seconds": sign.seconds}),
        )

    async def _beginning(self, actor: Actor, session_id: str, told: Beat) -> Pulse:
        """Another session of the package that is live is told of in its place, and takes nothing from the heartbeat."""
        started = await self.start_exam(actor, told.exam_package_id, session_id=session_id)
        if started.session.id == session_id:
            return await self._carefully(actor, session_id, told)
        return await self._elsewhere(actor, started.session.id)

    async def _elsewhere(self, actor: Actor, session_id: str) -> Pulse:
        async def look(work: StartWork) -> Pulse:
            held = await hold(work, self._new_id, actor.user_id, session_id)
            return Pulse.of(held.session, work.now, stale=True)

        return await self.transact(look)

    def _new_id(self) -> str:
        return self.ids.new("evt")


def _active(session_id: str, kept: KeptBeat) -> Pulse:
    left = None if kept.deadline is None else max(kept.deadline - kept.at, timedelta(0))
    seconds = None if left is None else math.ceil(left / timedelta(seconds=1))
    return Pulse(
        id=session_id,
        status=ExamStatus.ACTIVE,
        server_time=kept.at,
        deadline=kept.deadline,
        remaining_seconds=seconds,
        last_seq=kept.last_seq,
        instructions=instructions_for(ExamStatus.ACTIVE, seconds),
    )

"""What administrators do with sessions: end one, all of one person, or those of everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.admin.auditing import act, require_admin
from application.admin.limit_ports import Turnover
from application.admin.ports import AdminReader, AdminWork, EndedBatch
from application.admin.views import SessionView
from application.jobs import FINISHING_SECONDS, JobName, Payload
from application.ports import Job, Transaction
from domain.auth.people import Actor, UserNotFound
from domain.auth.sessions import Session, SessionEnd, SessionNotFound
from domain.errors import OutcomeUnknown, StoreUnavailable

# The subject of what is done to the sessions of everybody.
_EVERYBODY = "everybody"

# How many sessions one unit of work ends, a fraction of a second's work, and how long a request begins further ones.
BATCH = 10_000
REQUEST_TIME = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsOf:
    """An admin sees the sessions of a person under every door, the newest first; those that ended when asked to."""

    admin_reader: AdminReader

    async def __call__(self, user_id: str, *, ended_too: bool, after: str | None, limit: int) -> Sequence[SessionView]:
        if await self.admin_reader.user(user_id) is None:
            raise UserNotFound
        return await self.admin_reader.sessions(user_id, ended_too=ended_too, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionOf:
    """An admin ends one session of somebody, at once. One that has ended already stays as it is."""

    transact: Transaction[AdminWork]

    async def __call__(
        self, actor: Actor | None, user_id: str, session_id: str, reason: str | None = None
    ) -> SessionView:
        require_admin(actor)

        async def end(work: AdminWork) -> SessionView:
            session = await _find(work, user_id, session_id)
            if not session.is_live(work.now):
                return SessionView.of(session, work.now)
            if await work.end_session(user_id, session_id, SessionEnd.ADMIN_REVOKED):
                after = {"user_id": user_id, "revoked": 1}
                await work.audit(act("session.revoked", session_id, by=actor, after=after, reason=reason))
            return SessionView.of(await _find(work, user_id, session_id), work.now)

        return await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionsOf:
    """An admin ends every session of somebody, under every door, at once. Where none lives that is no act."""

    transact: Transaction[AdminWork]

    async def __call__(self, actor: Actor | None, user_id: str, reason: str | None = None) -> int:
        """How many that were."""
        require_admin(actor)

        async def end(work: AdminWork) -> int:
            # Held, so that a sign-in at this moment comes before or after and is not missed.
            user = await work.hold_user(user_id)
            if user is None or user.deleted_at is not None:
                raise UserNotFound
            revoked = await work.end_sessions_of(user_id, SessionEnd.ADMIN_REVOKED)
            if revoked:
                after = {"revoked": revoked}
                await work.audit(act("sessions.revoked", user_id, by=actor, after=after, reason=reason))
            return revoked

        return await self.transact(end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSessions:
    """How many sessions have ended, and whether these were all; the rest end soon, outside the request."""

    revoked: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEverySession:
    """In an emergency an admin signs everybody out, and stays to see to it; there is always a reason for that.

    What was opened until then ends, in batches; who signs in afterwards stays. The record of the order comes with a
    job, so that the order is carried out whatever becomes of the request.
    """

    transact: Transaction[AdminWork]
    turnover: Turnover
    batch: int = BATCH

    async def __call__(self, actor: Actor, reason: str) -> EndedSessions:
        """As many batches as a request has time for. A sign-in that is under way is let finish and ended."""
        require_admin(actor)

        async def order(work: AdminWork) -> datetime:
            after = {"opened_until": work.now.isoformat()}
            await work.audit(act("sessions.revoked", _EVERYBODY, by=actor, after=after, reason=reason))
            await work.enqueue(_finishing(work.now, actor.session_id))
            return work.now

        return await self._begin(await self.transact(order), actor.session_id)

    async def finish(self, payload: Payload) -> None:
        """All that the request has left, as a job. Doing it again ends nothing more."""
        opened_until = datetime.fromisoformat(str(payload["opened_until"]))
        async for _ in self._batches(opened_until, str(payload["but"])):
            pass

    async def _begin(self, ordered_at: datetime, but: str) -> EndedSessions:
        revoked = 0
        # The order is given: that the store fails now does not undo it.
        with suppress(StoreUnavailable, OutcomeUnknown):
            await self.turnover()
            async for ended, now in self._batches(ordered_at, but):
                revoked += ended.revoked
                if ended.revoked < self.batch:
                    return EndedSessions(revoked=revoked, complete=True)
                if now >= ordered_at + REQUEST_TIME:
                    break
        return EndedSessions(revoked=revoked, complete=False)

    async def _batches(self, opened_until: datetime, but: str) -> AsyncIterator[tuple[EndedBatch, datetime]]:
        """Ends all, batch by batch, and tells after each one what it was and when."""
        place, is_last = ("", ""), False
        while not is_last:
            ended, now = await self._end_batch(opened_until, but, place)
            place, is_last = ended.last, ended.revoked < self.batch
            yield ended, now

    async def _end_batch(self, opened_until: datetime, but: str, place: tuple[str, str]) -> tuple[EndedBatch, datetime]:
        async def end(work: AdminWork) -> tuple[EndedBatch, datetime]:
            reason = SessionEnd.ADMIN_REVOKED
            ended = await work.end_everybodys(opened_until, reason, but=but, after=place, limit=self.batch)
            return ended, work.now

        return await self.transact(end)


def _finishing(opened_until: datetime, but: str) -> Job:
    payload = {"opened_until": opened_until.isoformat(), "but": but}
    return Job(name=JobName.END_SESSIONS, payload=payload, delay_seconds=FINISHING_SECONDS)


async def _find(work: AdminWork, user_id: str, session_id: str) -> Session:
    session = await work.find_session(user_id, session_id)
    if session is None:
        raise SessionNotFound
    return session

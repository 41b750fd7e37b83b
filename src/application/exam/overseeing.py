"""What administrators do to one exam session. Each act says why, and is on record and in the audit log at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from application.exam.overseen import OverseenSession
from application.exam.ports.overseeing import OverseeWork
from application.exam.settling import Held, Note, accepted, hold, refused, settle
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.deadlines import deadline
from domain.exam.moves import (
    Intervention,
    adjust_time,
    force_submit,
    invalidate,
    pause,
    reason_of,
    reinstate,
    reopen,
    resume,
    terminate,
)
from domain.exam.record import EntrySource
from domain.exam.refusals import ExamNotReopenable
from domain.exam.sessions import ExamSession
from domain.question_bank.authority import require_admin

Move: TypeAlias = Callable[[ExamSession, datetime], ExamSession]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of an administrator: what the audit log and the record call it, why, and what more the record tells."""

    actor: Actor
    action: str
    event: str
    reason: str = ""
    told: Mapping[str, object] | None = None

    def note(self, ids: IdGenerator) -> Note:
        """The entry of the record."""
        return Note(
            id=ids.new("evt"),
            type=self.event,
            source=EntrySource.STAFF,
            actor_id=self.actor.user_id,
            told={**(self.told or {}), **({"reason": self.reason} if self.reason else {})},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseExam:
    """An admin stops the time of a session, and says why; only staff let it go on."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSession:
        act = act_of(actor, "paused", "session_paused", reason, needs_reason=True)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: pause(session, now, by_staff=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeExam:
    """An admin lets a paused session go on, and says why, with as much time as was left, whoever paused it."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSession:
        act = act_of(actor, "resumed", "session_resumed", reason, needs_reason=True)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: resume(session, now, by_staff=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustTime:
    """An admin gives or takes time, and says why; never so much that the deadline lies in the past."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, seconds: int, reason: str) -> OverseenSession:
        act = act_of(actor, "time_adjusted", "time_adjusted", reason, needs_reason=True, told={"seconds": seconds})
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: adjust_time(session, seconds, now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceSubmitExam:
    """An admin hands in for a student, also what was given up or terminated. What is handed in already stays so."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str = "") -> OverseenSession:
        act = act_of(actor, "force_submitted", "session_submitted", reason)
        by = Intervention(actor_id=actor.user_id, reason=reason)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: force_submit(session, by, now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateExam:
    """An admin ends a session so that it does not count. Of several the first, and the first reason, stand."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSession:
        act = act_of(actor, "terminated", "session_terminated", reason, needs_reason=True)
        by = Intervention(actor_id=actor.user_id, reason=act.reason)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: terminate(session, by, now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidateExam:
    """An admin declares that a session counts for nothing. Of several the first, and the first reason, stand."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSession:
        act = act_of(actor, "invalidated", "session_invalidated", reason, needs_reason=True)
        by = Intervention(actor_id=actor.user_id, reason=act.reason)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: invalidate(session, by, now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstateExam:
    """An admin takes an invalidation back: the session is what it was, or handed in if it was live."""

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str) -> OverseenSession:
        act = act_of(actor, "reinstated", "session_reinstated", reason, needs_reason=True)
        by = Intervention(actor_id=actor.user_id, reason=act.reason)
        return await _carry_out(
            self.transact, self.ids, act, user_id, session_id, lambda session, now: reinstate(session, by, now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenExam:
    """An admin lets a student go on with a session that time or staff ended, usually with more time.

    Not while another session of the package is live: a student sits one at a time.
    """

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(
        self, actor: Actor, user_id: str, session_id: str, reason: str, extra_seconds: int = 0
    ) -> OverseenSession:
        told = {"extraSeconds": extra_seconds}
        act = act_of(actor, "reopened", "session_reopened", reason, needs_reason=True, told=told)
        by = Intervention(actor_id=actor.user_id, reason=act.reason)

        async def unit(work: OverseeWork) -> OverseenSession | DomainError:
            held = await hold(work, lambda: self.ids.new("evt"), user_id, session_id)
            try:
                after = reopen(held.session, by, work.now, extra_seconds=extra_seconds)
                if after.is_live and await work.has_live_session(user_id, after.exam_package_id):
                    raise ExamNotReopenable("Another session of the package is live")
            except DomainError as refusal:
                return refused(held, refusal)
            return await keep(work, self.ids, act, held, after)

        return accepted(await self.transact(unit))


async def _carry_out(
    transact: Transaction[OverseeWork], ids: IdGenerator, act: Act, user_id: str, session_id: str, move: Move
) -> OverseenSession:
    """Holds the session as time has left it, moves it, and keeps what that made of it."""

    async def unit(work: OverseeWork) -> OverseenSession | DomainError:
        held = await hold(work, lambda: ids.new("evt"), user_id, session_id)
        try:
            after = move(held.session, work.now)
        except DomainError as refusal:
            return refused(held, refusal)
        return await keep(work, ids, act, held, after)

    return accepted(await transact(unit))


async def keep(work: OverseeWork, ids: IdGenerator, act: Act, held: Held, after: ExamSession) -> OverseenSession:
    """What changed is kept, told in the record and in the audit log; what changed nothing leaves no trace."""
    if after == held.session:
        return OverseenSession.of(after, work.now)
    settled = await settle(work, lambda: ids.new("evt"), held, after, act.note(ids))
    await work.audit(entry_of(act, held.session, settled.session, work.now))
    return OverseenSession.of(settled.session, work.now)


def entry_of(act: Act, before: ExamSession, after: ExamSession, now: datetime) -> AuditEntry:
    """What was and what is now different, and whose session it is."""
    was, became = _facts(before, now), _facts(after, now)
    changed = [name for name in was if was[name] != became[name]]
    return AuditEntry(
        actor_id=act.actor.user_id,
        action=f"exam_session.{act.action}",
        subject=after.id,
        before={name: was[name] for name in changed},
        after={"user_id": after.user_id, **{name: became[name] for name in changed}},
        reason=act.reason or None,
    )


def act_of(
    actor: Actor,
    action: str,
    event: str,
    reason: str,
    *,
    needs_reason: bool = False,
    told: Mapping[str, object] | None = None,
) -> Act:
    """Refuses whoever is no admin, and an act without a reason that needs one."""
    require_admin(actor)
    said = reason.strip()
    if needs_reason:
        said = reason_of(Intervention(actor_id=actor.user_id, reason=reason))
    return Act(actor=actor, action=action, event=event, reason=said, told=told)


def _facts(session: ExamSession, now: datetime) -> Mapping[str, object]:
    end = deadline(session, now)
    return {
        "status": session.status.value,
        "adjust_seconds": session.adjust_seconds,
        "time_multiplier": str(session.accommodation.multiplier),
        "extra_seconds": session.accommodation.extra_seconds,
        "deadline": None if end is None else end.isoformat(),
        "sealed_at": None if session.sealed_at is None else session.sealed_at.isoformat(),
        "seal_reason": None if session.seal_reason is None else session.seal_reason.value,
        "grade_revision": session.grade_revision,
    }

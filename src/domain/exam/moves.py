"""The moves of an exam session: pure functions of the session, what is asked, and the time.

Each one first lets time act on the session (`expire`), then asks the matrix, then its own conditions. Whoever moves a
session and changes nothing gets the session back that `expire` left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.enrollment.settings import OverduePolicy
from domain.errors import FieldProblem
from domain.exam.deadlines import allowed_seconds, deadline, due_at, is_due, told, window_end, without_pause
from domain.exam.lifecycle import Command, Rule, taken
from domain.exam.refusals import (
    AdjustTooSmall,
    ExamClosed,
    ExamNotOpen,
    ExamNotReopenable,
    ExamNotStarted,
    PausedByStaff,
    PauseNotAllowed,
    ReasonRequired,
)
from domain.exam.sessions import COUNTED, Accommodation, ExamSession, ExamStatus, SealReason

MAX_REASON = 500
_REOPENABLE = frozenset({SealReason.TIMEOUT, SealReason.FORCED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """Who interferes with a session, and why."""

    actor_id: str
    reason: str = ""


def reason_of(intervention: Intervention) -> str:
    """The reason that was given. Refuses none, and more than 500 characters."""
    reason = intervention.reason.strip()
    if not reason or len(reason) > MAX_REASON:
        message = f"1 to {MAX_REASON} characters that say why"
        raise ReasonRequired(message, problems=(FieldProblem("/reason", "required", message),))
    return reason


def expire(session: ExamSession, now: datetime) -> ExamSession:
    """The session as time has left it, the same whoever looks and whenever."""
    while is_due(session, now):
        session = _expired(session)
    return session


def begin(session: ExamSession, now: datetime) -> ExamSession:
    """A session that was waiting for it starts, within its window; one that has started goes on as it is.

    What is over does not begin again: after it there is only another attempt.
    """
    session = expire(session, now)
    leads = taken(session.status, Command.START)
    if leads is None:
        return session
    if leads.to is Rule.NEW_SESSION:
        taken(session.status, Command.RECORD_EVENT)
    refuse_outside_window(session.rules.window_opens_at, session.rules.window_closes_at, now)
    return replace(session, status=ExamStatus.ACTIVE, started_at=now)


def refuse_outside_window(opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> None:
    """A window is open from its first instant until before its last."""
    if opens_at is not None and now < opens_at:
        raise ExamNotOpen(facts={"opensAt": told(opens_at)})
    if closes_at is not None and now >= closes_at:
        raise ExamClosed(facts={"closedAt": told(closes_at)})


def submit(session: ExamSession, now: datetime) -> ExamSession:
    """The student hands in. What was handed in, and when, stays as it was however often it is repeated."""
    session = expire(session, now)
    if taken(session.status, Command.SUBMIT) is None:
        return session
    end = deadline(session, now)
    late = end is not None and now > end
    return _sealed(session, ExamStatus.SUBMITTED, SealReason.STUDENT, _effective(session, now), late=late)


def pause(session: ExamSession, now: datetime, *, by_staff: bool) -> ExamSession:
    """The time stops. Students may only where the package says so and no time runs that could stop."""
    session = expire(session, now)
    if taken(session.status, Command.PAUSE) is None:
        return session
    if not by_staff:
        _refuse_own_pause(session)
    return replace(session, status=ExamStatus.PAUSED, paused_at=now, paused_by_staff=by_staff)


def resume(session: ExamSession, now: datetime, *, by_staff: bool) -> ExamSession:
    """The time goes on with as much left as when it stopped."""
    session = expire(session, now)
    if taken(session.status, Command.RESUME) is None:
        return session
    if not by_staff:
        if session.paused_by_staff:
            raise PausedByStaff
        _refuse_own_pause(session)
    return replace(without_pause(session, now), status=ExamStatus.ACTIVE)


def adjust_time(session: ExamSession, seconds: int, now: datetime) -> ExamSession:
    """More time, or less, but never so little that the deadline lies in the past. An overdue session may run again."""
    session = expire(session, now)
    taken(session.status, Command.ADJUST_TIME)
    adjusted = replace(session, adjust_seconds=session.adjust_seconds + seconds)
    end = deadline(adjusted, now)
    if seconds < 0 and end is not None and end < now:
        message = "The deadline would lie in the past"
        raise AdjustTooSmall(message, problems=(FieldProblem("/seconds", "too_small", message),))
    return _running_again(adjusted, now)


def accommodate(session: ExamSession, accommodation: Accommodation, now: datetime) -> ExamSession:
    """A live session with other accommodations, which only ever add time to it. What is over stays as it is."""
    session = expire(session, now)
    changed = replace(session, accommodation=accommodation)
    if not session.is_live or _has_less(changed, session):
        return session
    return _running_again(changed, now)


def force_submit(session: ExamSession, by: Intervention, now: datetime) -> ExamSession:
    """Staff hand in for a student, also what had been given up or terminated, but nothing that never began."""
    session = expire(session, now)
    if taken(session.status, Command.FORCE_SUBMIT) is None:
        return session
    if session.started_at is None:
        raise ExamNotStarted
    reason = by.reason.strip()[:MAX_REASON] or None
    at = session.sealed_at or now
    return _sealed(session, ExamStatus.SUBMITTED, SealReason.FORCED, at, by=by.actor_id, note=reason)


def terminate(session: ExamSession, by: Intervention, now: datetime) -> ExamSession:
    """Staff end a session so that it does not count. The first who does it, and the first reason, stand."""
    reason = reason_of(by)
    session = expire(session, now)
    if taken(session.status, Command.TERMINATE) is None:
        return session
    at = session.sealed_at or now
    return _sealed(session, ExamStatus.TERMINATED, SealReason.TERMINATED, at, by=by.actor_id, note=reason)


def invalidate(session: ExamSession, by: Intervention, now: datetime) -> ExamSession:
    """Staff declare that a session counts for nothing. The first who does it, and the first reason, stand."""
    reason = reason_of(by)
    session = expire(session, now)
    if taken(session.status, Command.INVALIDATE) is None:
        return session
    before = session.status
    if session.is_live:
        session = _sealed(session, before, SealReason.INVALIDATED, now, by=by.actor_id, note=reason)
    return replace(
        session,
        status=ExamStatus.INVALIDATED,
        status_before_invalidation=before,
        invalidated_at=now,
        invalidated_by=by.actor_id,
        invalidation_reason=reason,
    )


def reinstate(session: ExamSession, by: Intervention, now: datetime) -> ExamSession:
    """Staff take an invalidation back: the session is what it was, or handed in, to be graded, if it was live."""
    reason_of(by)
    session = expire(session, now)
    taken(session.status, Command.REINSTATE)
    prior = session.status_before_invalidation
    return replace(
        session,
        status=ExamStatus.SUBMITTED if prior is None or prior.is_live else prior,
        status_before_invalidation=None,
        invalidated_at=None,
        invalidated_by=None,
        invalidation_reason=None,
    )


def reopen(session: ExamSession, by: Intervention, now: datetime, *, extra_seconds: int = 0) -> ExamSession:
    """Staff let a student go on, usually with more time. What students handed in themselves stays handed in.

    What was terminated is paused, as of its end, so that its student can be called back first and has the time that was
    left then; what was given up and has no time left is handed in, with the time that it was given but could not use.
    What never began does not go on, nor what the window would end at once.
    """
    reason_of(by)
    session = expire(session, now)
    taken(session.status, Command.REOPEN)
    if session.started_at is None or (session.status in COUNTED and session.seal_reason not in _REOPENABLE):
        raise ExamNotReopenable
    running = replace(_unsealed(session), adjust_seconds=session.adjust_seconds + extra_seconds)
    if session.status is ExamStatus.TERMINATED:
        return _called_back(running, session.sealed_at, now)
    if _has_time(running, now):
        return replace(running, status=ExamStatus.ACTIVE)
    if session.status is ExamStatus.ABANDONED:
        return replace(session, status=ExamStatus.SUBMITTED, adjust_seconds=running.adjust_seconds)
    raise ExamNotReopenable


def _called_back(session: ExamSession, paused_at: datetime | None, now: datetime) -> ExamSession:
    paused = replace(session, status=ExamStatus.PAUSED, paused_at=paused_at, paused_by_staff=True)
    if is_due(paused, now):
        raise ExamNotReopenable
    return paused


def accept_until(session: ExamSession, now: datetime) -> datetime:
    """The instant that what arrives now counts for: the present one, or the deadline where that has passed."""
    return _effective(session, now)


def _effective(session: ExamSession, now: datetime) -> datetime:
    end = deadline(session, now)
    return now if end is None else min(now, end)


def _refuse_own_pause(session: ExamSession) -> None:
    if not session.rules.pause_allowed or session.rules.time_limit_seconds is not None:
        raise PauseNotAllowed


def _has_less(changed: ExamSession, session: ExamSession) -> bool:
    """Whether a session would have less time than it has, by its limit or by its window."""
    limit, before = allowed_seconds(changed), allowed_seconds(session)
    if limit is not None and before is not None and limit < before:
        return True
    closes, closed = window_end(changed), window_end(session)
    return closes is not None and closed is not None and closes < closed


def _has_time(session: ExamSession, now: datetime) -> bool:
    end = deadline(session, now)
    return session.started_at is not None and (end is None or end > now)


def _running_again(session: ExamSession, now: datetime) -> ExamSession:
    if session.status is ExamStatus.OVERDUE and _has_time(session, now):
        return replace(session, status=ExamStatus.ACTIVE)
    return session


def _expired(session: ExamSession) -> ExamSession:
    """One step of what time does to a session that is due."""
    due = due_at(session)
    assert due is not None
    rules = session.rules
    if session.status is ExamStatus.OVERDUE:
        return _sealed(session, ExamStatus.ABANDONED, SealReason.TIMEOUT, due)
    end = due - timedelta(seconds=rules.latency_seconds)
    if session.status is ExamStatus.CREATED or rules.overdue_policy is OverduePolicy.ABANDON:
        return _sealed(session, ExamStatus.ABANDONED, SealReason.TIMEOUT, end)
    if rules.overdue_policy is OverduePolicy.AUTO_SUBMIT:
        return _sealed(session, ExamStatus.SUBMITTED, SealReason.TIMEOUT, end)
    return replace(without_pause(session, end), status=ExamStatus.OVERDUE)


def _sealed(
    session: ExamSession,
    status: ExamStatus,
    reason: SealReason,
    at: datetime,
    *,
    by: str | None = None,
    note: str | None = None,
    late: bool = False,
) -> ExamSession:
    return replace(
        without_pause(session, at),
        status=status,
        sealed_at=at,
        seal_reason=reason,
        sealed_by=by,
        seal_note=note,
        late=late,
    )


def _unsealed(session: ExamSession) -> ExamSession:
    return replace(session, sealed_at=None, seal_reason=None, sealed_by=None, seal_note=None, late=False)

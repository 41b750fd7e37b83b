"""When a session ends: the only definition of its deadline, of the time that remains, and of when it is due."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING

from domain.exam.sessions import ExamSession, ExamStatus

_ZERO = timedelta(0)


def deadline(session: ExamSession, now: datetime) -> datetime | None:
    """The end of the time allowed or of the window, whichever is first; None where nothing ends the session.

    While a session is paused, its time does not run and the end of it moves with `now`; the window does not wait.
    """
    ends = [end for end in (_limit_end(session, now), window_end(session)) if end is not None]
    if not ends:
        return None
    return min(ends) if session.started_at is None else max(min(ends), session.started_at)


def remaining(session: ExamSession, now: datetime) -> timedelta | None:
    """The time that is left, never below nothing; None where nothing ends the session."""
    end = deadline(session, now)
    return None if end is None else max(end - now, _ZERO)


def remaining_seconds(session: ExamSession, now: datetime) -> int | None:
    """Whole seconds, rounded up: a clock shows 0 when the time is over and not before."""
    left = remaining(session, now)
    return None if left is None else math.ceil(left / timedelta(seconds=1))


def due_at(session: ExamSession) -> datetime | None:
    """The last instant at which time has not yet ended the session by itself; None: as it is, nothing ever will.

    What arrives within the latency after the deadline still counts. An overdue session has its grace instead. It
    depends on nothing but what is stored: as long as nobody moves the session it stays the same.
    """
    if not session.is_live:
        return None
    if session.status is ExamStatus.OVERDUE:
        return _add(_fixed_deadline(session), session.rules.grace_seconds)
    if session.status is ExamStatus.PAUSED:
        return _add(_floored(session, window_end(session)), session.rules.latency_seconds)
    return _add(_fixed_deadline(session), session.rules.latency_seconds)


def is_due(session: ExamSession, now: datetime) -> bool:
    """The one rule for the sweeper and for every command."""
    end = due_at(session)
    return end is not None and now > end


def allowed_seconds(session: ExamSession) -> int | None:
    """The time allowed from the start, pauses apart; None without a limit."""
    limit = session.rules.time_limit_seconds
    if limit is None:
        return None
    extended = int((limit * session.accommodation.multiplier).to_integral_value(ROUND_CEILING))
    return extended + session.accommodation.extra_seconds + session.adjust_seconds


def window_end(session: ExamSession) -> datetime | None:
    """When the window closes for this session."""
    closes = session.rules.window_closes_at
    if closes is None or not session.rules.window_extends:
        return closes
    return closes + timedelta(seconds=session.accommodation.extra_seconds + session.adjust_seconds)


def without_pause(session: ExamSession, now: datetime) -> ExamSession:
    """The session going on: the pause that ends now counts as paused."""
    if session.paused_at is None:
        return session
    lasted = max(now - session.paused_at, _ZERO)
    return replace(
        session,
        paused_at=None,
        paused_by_staff=False,
        paused_microseconds=session.paused_microseconds + lasted // timedelta(microseconds=1),
    )


def told(instant: datetime) -> str:
    """An instant as it is told to clients."""
    return instant.isoformat().replace("+00:00", "Z")


def _fixed_deadline(session: ExamSession) -> datetime | None:
    """The deadline of a session that is not paused, whatever the time is."""
    return deadline(session, session.started_at or session.created_at)


def _floored(session: ExamSession, end: datetime | None) -> datetime | None:
    return end if end is None or session.started_at is None else max(end, session.started_at)


def _add(instant: datetime | None, seconds: int) -> datetime | None:
    return None if instant is None else instant + timedelta(seconds=seconds)


def _limit_end(session: ExamSession, now: datetime) -> datetime | None:
    allowed = allowed_seconds(session)
    if allowed is None or session.started_at is None:
        return None
    paused = timedelta(microseconds=session.paused_microseconds)
    if session.paused_at is not None:
        paused += max(now - session.paused_at, _ZERO)
    return session.started_at + timedelta(seconds=allowed) + paused

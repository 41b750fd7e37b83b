"""How often, and how soon after one another, exams of a package may be sat."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.enrollment.settings import PackageSettings
from domain.exam.deadlines import allowed_seconds, told
from domain.exam.lifecycle import Command, taken
from domain.exam.refusals import AttemptLimit, EntitlementDenied, RetakeCooldown, WeeklyExamLimit
from domain.exam.sessions import ExamSession, ExamStatus

WEEK = timedelta(days=7)
_ZERO = timedelta(0)
_NOT_USED = frozenset({ExamStatus.CREATED, ExamStatus.INVALIDATED})


def refuse_outside_tier(weekly_sessions: int | None) -> None:
    """A tier of no sessions is one without exams, and waiting does not change that."""
    if weekly_sessions == 0:
        raise EntitlementDenied(facts={"reason": "no_exams_in_tier"})


def refuse_full_week(earliest_counted: datetime | None, now: datetime) -> None:
    """`earliest_counted` is when the earliest of the latest sessions was started, as many of them as a week allows.

    None: there are fewer. A session counts for exactly seven days, whatever became of it.
    """
    if earliest_counted is not None:
        _refuse_until(WeeklyExamLimit, earliest_counted + WEEK, now)


def refuse_retake(sessions: Sequence[ExamSession], settings: PackageSettings, now: datetime) -> None:
    """After an attempt there may be no other one, or not yet: while it has no result, and before its cooldown is over.

    `sessions` are all of the student in the package, the first first.
    """
    if sessions:
        taken(sessions[-1].status, Command.START)
    used = attempts_used(sessions)
    if settings.attempts_allowed is not None and len(used) >= settings.attempts_allowed:
        raise AttemptLimit(facts={"attemptsAllowed": settings.attempts_allowed})
    if used:
        seconds = settings.cooldown_seconds if len(used) == 1 else settings.later_cooldown_seconds
        _refuse_until(RetakeCooldown, _ended(used[-1]) + timedelta(seconds=seconds), now)


def attempts_used(sessions: Iterable[ExamSession]) -> tuple[ExamSession, ...]:
    """Those that count: what has not begun does not, nor what was declared invalid."""
    return tuple(each for each in sessions if each.status not in _NOT_USED)


def next_attempt_no(sessions: Iterable[ExamSession]) -> int:
    """One more than any before, whatever became of it."""
    return max((each.attempt_no for each in sessions), default=0) + 1


def _ended(session: ExamSession) -> datetime:
    """When the student was through: at the end, or once the time allowed was over where the end came later."""
    assert session.sealed_at is not None
    allowed = allowed_seconds(session)
    if session.started_at is None or allowed is None:
        return session.sealed_at
    return min(session.sealed_at, session.started_at + timedelta(seconds=allowed))


def _refuse_until(refusal: type[WeeklyExamLimit | RetakeCooldown], retry_at: datetime, now: datetime) -> None:
    wait = retry_at - now
    if wait > _ZERO:
        raise refusal(retry_after_seconds=math.ceil(wait.total_seconds()), facts={"retryAt": told(retry_at)})

"""Who may begin to practise, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.practice.refusals import PracticeNotInTier, WeeklyPracticeLimit
from domain.question_bank.scoring import ScoringPolicy

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What an enrolment opens: how many sessions in seven days (None: any number), and how the package marks."""

    weekly_sessions: int | None
    policy: ScoringPolicy


def refuse_outside_tier(admission: Admission) -> None:
    """A tier of no sessions is one without practice, and waiting does not change that."""
    if admission.weekly_sessions == 0:
        raise PracticeNotInTier


def refuse_full_week(earliest_counted: datetime | None, now: datetime) -> None:
    """`earliest_counted` is when the earliest of the latest sessions was begun, as many of them as a week allows.

    None: there are fewer. A session counts for exactly seven days, in whatever state it is.
    """
    if earliest_counted is None:
        return
    wait = earliest_counted + WEEK - now
    if wait > timedelta(0):
        raise WeeklyPracticeLimit(retry_after_seconds=math.ceil(wait.total_seconds()))

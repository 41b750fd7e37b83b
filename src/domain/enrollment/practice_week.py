"""How much of what a tier allows of practice in seven days has been used, as the cap on new sessions counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeWeek:
    """`used` are the sessions begun in the last seven days, in whatever state they are. A limit of None is none."""

    weekly_limit: int | None
    used: int
    next_free_at: datetime | None

    @property
    def remaining(self) -> int | None:
        return None if self.weekly_limit is None else max(self.weekly_limit - self.used, 0)


def practice_week(weekly_limit: int | None, used: int, earliest_counted: datetime | None, at: datetime) -> PracticeWeek:
    """`earliest_counted` is when the earliest of the latest sessions was begun, as many of them as a week allows.

    The next session waits until that one is seven days old. Without a limit, or with one of none at all, there is
    nothing to wait for.
    """
    free_at = None if not weekly_limit or earliest_counted is None else earliest_counted + WEEK
    next_free_at = None if free_at is None or free_at <= at else free_at
    return PracticeWeek(weekly_limit=weekly_limit, used=used, next_free_at=next_free_at)

"""Days of study begin at midnight: a test that means one day does not run into the next."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def stay_within_one_day(seconds: float = 20.0) -> None:
    """Waits for midnight (UTC) where it is less than so many seconds away."""
    now = datetime.now(UTC)
    left = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC) - now
    if left < timedelta(seconds=seconds):
        time.sleep(left.total_seconds() + 0.1)

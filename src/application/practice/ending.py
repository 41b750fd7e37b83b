"""What follows when a practice session is over."""

from __future__ import annotations

from application.practice.ports.sessions import PracticeWork
from application.progress.repeating import ScheduleReviews
from domain.practice.sessions import PracticeSession


async def after_end(work: PracticeWork, session: PracticeSession) -> None:
    """What the answers of the session mean for later reviews is worked out soon, outside the request that ended it."""
    await work.enqueue(ScheduleReviews.job(session.user_id))

"""Bringing review cards up to date with what was answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.jobs import JobName, Payload
from application.ports import Job, Transaction
from application.progress.ports.repetition import RepetitionWork, ReviewScheduler
from domain.progress.repetition import AnsweredQuestion, ScheduledQuestion, replay


@dataclass(frozen=True, slots=True)
class ScheduleReviews:
    """A question is due again when its student is about to forget it, as all judged answers to it tell.

    A card is made anew from all of them, so it does not matter in which order they are judged, nor that some stop to
    count. At most `most` questions at a time: returns how many there were, fewer than `most` when none is left.
    """

    scheduler: ReviewScheduler
    most: int = 500

    async def __call__(self, work: RepetitionWork, user_id: str) -> int:
        await work.hold_reviews(user_id)
        stale = await work.stale_reviews(user_id, limit=self.most)
        if stale:
            await work.save_review_cards(user_id, await self._scheduled(stale))
        return len(stale)

    @staticmethod
    def job(user_id: str) -> Job:
        """To be enqueued by whatever makes answers of a student count, or not count any more."""
        return Job(name=JobName.SCHEDULE_REVIEWS, payload={"user_id": user_id})

    async def _scheduled(self, stale: Sequence[AnsweredQuestion]) -> list[ScheduledQuestion]:
        scheduled = []
        for each in stale:
            card = replay(each.answers, self.scheduler)
            scheduled.append(ScheduledQuestion(question_id=each.question_id, made_of=each.made_of, card=card))
            await asyncio.sleep(0)  # Others are served between two cards.
        return scheduled


@dataclass(frozen=True, slots=True)
class CatchUpReviews:
    """After a session its questions get their cards, each step a unit of work of its own; twice is harmless."""

    transact: Transaction[RepetitionWork]
    schedule_reviews: ScheduleReviews

    async def __call__(self, payload: Payload) -> None:
        user_id = str(payload["user_id"])

        async def step(work: RepetitionWork) -> int:
            return await self.schedule_reviews(work, user_id)

        while await self.transact(step) == self.schedule_reviews.most:
            pass

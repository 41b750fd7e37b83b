"""Looking back: what a student did, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.ports import Transaction
from application.progress.ports.history import HistoryReader, PractisedSession, SatExam
from application.progress.ports.repetition import RepetitionWork
from application.progress.repeating import ScheduleReviews
from domain.auth.people import Actor
from domain.progress.history import Effortful, summed_up, weeks_until


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """A student's history; `due` and `flagged` are how many questions of either kind can be practised now."""

    time_zone: str
    effort: Effortful
    topic_names: Mapping[str, str]
    sessions: tuple[PractisedSession, ...]
    exams: tuple[SatExam, ...]
    due: int
    flagged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProgress:
    """A student looks back on their own weeks, by the clock they live by: how much they did and how much was right.

    What is right is counted when the student may know it, not before. Weeks are cut here and not by the store, which
    only counts between the instants at which they begin. What was answered a moment ago counts among what is due, as
    it does for practice of that: its cards are made first, as many as one step makes, and the next reading goes on.
    """

    transact: Transaction[RepetitionWork]
    schedule_reviews: ScheduleReviews
    history: HistoryReader

    async def __call__(self, actor: Actor, *, exam_package_id: str | None, weeks: int) -> HistoryView:
        await self.transact(lambda work: self.schedule_reviews(work, actor.user_id))
        clock = await self.history.clock_of(actor.user_id)
        shown = weeks_until(clock.now, clock.time_zone, clock.day_start_hour, weeks)
        begins = [week.begins_at for week in shown]
        found = await self.history.records(actor.user_id, exam_package_id, now=clock.now, weeks=begins)
        return HistoryView(
            time_zone=clock.time_zone,
            effort=summed_up(found.cells, shown),
            topic_names=found.topic_names,
            sessions=found.sessions,
            exams=found.exams,
            due=found.due,
            flagged=found.flagged,
        )

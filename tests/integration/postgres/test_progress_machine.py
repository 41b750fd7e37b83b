"""Any history of answers, exams, sessions declared invalid and clocks that are changed: both stores and a model that
tells everything anew from the history agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from domain.errors import DomainError
from domain.progress.activity import Activity
from domain.progress.badges import Badge
from domain.progress.profile import TimeZoneChangedRecently
from domain.progress.students import StudentProgress
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.progress_model import Award, Event, History
from tests.support.progress_stores import ADA, InMemory, OnPostgres, Progress, an_answer, an_exam

# The evening before clocks are put back in Europe.
START = datetime(2026, 10, 24, 20, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "Antarctica/Troll", "Africa/Cairo", "Pacific/Kiritimati", "Etc/GMT+12"]
# Mostly about as long as to the start of a day; backwards a little, as clocks are set.
MINUTES = [-2, 1, 14, 15, 59, 60, 239, 240, 720, 1439, 1440, 1500, 2880]


@dataclass(frozen=True, slots=True)
class Together:
    """A database for all examples, on one event loop."""

    runner: asyncio.Runner
    cloned: ClonedDatabase
    database: Database


class Studying(RuleBasedStateMachine):
    """Ada studies, and her sessions are declared invalid now and then."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner = together.runner
        self.clock = SettableClock(START)
        self.memory = InMemory(clock=self.clock)
        self.postgres = OnPostgres(clock=self.clock, database=together.database)
        self.zone, self.hour = "UTC", 0
        self.changed_at: datetime | None = None
        self.history = History()
        self.sessions = 1
        self.both(lambda store: store.settle())

    # What happens.

    @rule(answers=st.sampled_from([1, 1, 50, 60, 120, 500]), elsewhere=st.booleans())
    def answer(self, answers: int, *, elsewhere: bool) -> None:
        """In the last session, or in another one that begins with it."""
        self.sessions += elsewhere
        self.do(an_answer(self.session, answers))

    @rule(passed=st.booleans(), perfect=st.booleans())
    def hand_in(self, *, passed: bool, perfect: bool) -> None:
        self.do(an_exam(f"exs_{len(self.history.events)}", passed=passed, perfect=perfect))

    @rule(days=st.integers(2, 9))
    def study_every_day(self, days: int) -> None:
        for _ in range(days):
            self.clock.advance(days=1)
            self.do(an_answer(self.session))

    def do(self, activity: Activity) -> StudentProgress:
        credited: StudentProgress = self.both(lambda store: store.credit(activity))
        self.happened(activity=activity)
        return credited

    @precondition(lambda self: self.untaken())
    @rule(back=st.sampled_from([1, 2, 2, 3]))
    def declare_a_session_invalid(self, back: int) -> None:
        """One of the last, which nobody answers in from then on."""
        session = self.untaken()[-back:][0]
        answers = self.history.counted(session)
        self.both(lambda store: store.take_back(answers))
        self.happened(taken=session)
        self.sessions += session == self.session

    def untaken(self) -> list[str]:
        """The sessions with answers that count."""
        taken = {event.taken for event in self.history.events}
        sessions = (f"prs_{number}" for number in range(1, self.sessions + 1))
        return [session for session in sessions if session not in taken and self.history.counted(session)]

    @rule(zone=st.sampled_from(ZONES), hour=st.sampled_from([0, 0, 2, 12]))
    def go_by_another_clock(self, zone: str, hour: int) -> None:
        told = self.both(lambda store: store.change(time_zone=zone, day_start_hour=hour))
        if (zone, hour) == (self.zone, self.hour):
            assert not isinstance(told, str)
        elif self.changed_at is not None and self.clock.now() < self.changed_at + timedelta(hours=24):
            assert told == TimeZoneChangedRecently.code
        else:
            assert not isinstance(told, str)
            self.zone, self.hour, self.changed_at = zone, hour, self.clock.now()

    @rule(minutes=st.sampled_from(MINUTES))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @rule(days=st.integers(0, 1), seconds=st.sampled_from([-1, 0, 1]), off=st.sampled_from([0, -2]))
    def study_about_the_start_of_a_day(self, days: int, seconds: int, off: int) -> None:
        """And perhaps again when the clock has been put back."""
        known_until = self.do(an_answer(self.session)).credited_until
        assert known_until is not None
        self.clock.set(known_until + timedelta(days=days, seconds=seconds))
        self.do(an_answer(self.session))
        self.clock.advance(seconds=off)
        self.do(an_answer(self.session))

    # What holds after each step.

    @invariant()
    def both_stores_hold_what_the_model_says(self) -> None:
        standing, metrics = self.both(lambda store: store.standing()), self.history.metrics()
        student = standing.student
        assert student.questions_answered == metrics["questions_answered"]
        assert student.exams_finished == metrics["exams_finished"]
        assert (student.exams_passed, student.perfect_exams) == (metrics["exams_passed"], metrics["perfect_exams"])
        assert student.last_activity_at == self.history.last_activity_at
        assert set(standing.days) == self.history.days
        assert {badge.code: award_of(badge) for badge in standing.badges} == self.history.badges()

    @invariant()
    def the_profile_tells_the_streak_of_today(self) -> None:
        view = self.runner.run(self.postgres.reader.profile(ADA.user_id))
        assert view is not None
        today = Event(at=self.clock.now(), zone=self.zone, hour=self.hour).day
        last = max(self.history.days, default=None)
        assert (view.streak_current, view.streak_longest, view.last_activity_date) == (
            self.history.current(today),
            self.history.longest,
            last,
        )

    @property
    def session(self) -> str:
        return f"prs_{self.sessions}"

    def happened(self, *, activity: Activity | None = None, taken: str | None = None) -> None:
        self.history.events.append(
            Event(at=self.clock.now(), zone=self.zone, hour=self.hour, activity=activity, taken=taken)
        )

    def both(self, act: Callable[[Progress], Awaitable[Any]]) -> Any:
        """What both stores answer, which is the same."""
        ours, theirs = (self.runner.run(told(act(store))) for store in (self.memory, self.postgres))
        assert ours == theirs
        return theirs


async def told(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except DomainError as refusal:
        return refusal.code


def award_of(badge: Badge) -> Award:
    return Award(badge.value, badge.source_id, badge.awarded_at, badge.revoked_at)


@pytest.fixture
def together(cloned: ClonedDatabase) -> Iterator[Together]:
    with asyncio.Runner() as runner:
        database = Database(cloned.urls.app, pool_min=1, pool_max=1)
        runner.run(database.open())
        yield Together(runner, cloned, database)
        runner.run(database.close())


def test_both_stores_do_what_the_history_says(together: Together) -> None:
    class Here(Studying):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=20))

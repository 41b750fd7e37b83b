"""Any history of enrolments: both stores do what the model says, whether or not anybody ever sweeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from adapters.postgres.database import Database
from application.enrollment.administering import Terms
from domain.auth.people import Actor, Role
from domain.enrollment.enrolling import Enrollment, Until
from domain.errors import DomainError
from tests.support.enrollment_builders import ALL_TIERS, MONTHLY, CountingIds, a_package, a_student
from tests.support.enrollment_model import UNSAID, Studies, Term
from tests.support.enrollment_stores import EnrollmentStore, InMemory, OnPostgres
from tests.support.postgres import ClonedDatabase, SettableClock

PACKAGE = a_package(tiers=ALL_TIERS)
ROOT = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_1")
TIER_IDS = st.sampled_from([*(tier.id for tier in ALL_TIERS), "tier_unknown"])
TERMS = st.sampled_from([UNSAID, UNSAID, None, 1, 30, 0, -1])


class Together:
    """Memory and PostgreSQL on one event loop, for all examples."""

    def __init__(self, runner: asyncio.Runner, cloned: ClonedDatabase, database: Database) -> None:
        self.runner, self.cloned, self.database = runner, cloned, database


class Enrollments(RuleBasedStateMachine):
    """One student, who studies, and one administrator."""

    def __init__(self, together: Together) -> None:
        super().__init__()
        together.cloned.empty()
        self.runner, self.clock = together.runner, SettableClock()
        self.stores: Sequence[EnrollmentStore] = (
            InMemory(clock=self.clock, ids=CountingIds()),
            OnPostgres(database=together.database, clock=self.clock, ids=CountingIds()),
        )
        self.model = Studies()
        self.before: list[list[Enrollment]] = [[], []]
        for store in self.stores:
            self.runner.run(store.add_package(PACKAGE))
            self.runner.run(store.add_student("usr_ada"))

    # What happens.

    @rule(tier_id=st.none() | TIER_IDS)
    def enroll(self, tier_id: str | None) -> None:
        self.told(lambda store: store.enroll(a_student(), PACKAGE.id, tier_id), self.model.enroll(tier_id, self.now))

    @rule(tier_id=TIER_IDS)
    def upgrade(self, tier_id: str) -> None:
        self.told(lambda store: store.upgrade(a_student(), PACKAGE.id, tier_id), self.model.upgrade(tier_id, self.now))

    @rule()
    def cancel(self) -> None:
        self.told(lambda store: store.cancel(a_student(), PACKAGE.id), self.model.cancel(self.now))

    @rule(days=st.sampled_from([0, 1, 29]))
    def come_back(self, days: int) -> None:
        """To the tier that is open to all for some days."""
        self.cancel()
        self.clock.advance(days=days)
        self.enroll(MONTHLY.id)

    @rule(tier_id=st.none() | TIER_IDS, term=TERMS)
    def admit(self, tier_id: str | None, term: Term) -> None:
        expected = self.model.admit(tier_id, term, self.now)
        self.told(lambda store: store.enroll_student(ROOT, "usr_ada", PACKAGE.id, self.terms(tier_id, term)), expected)

    @rule(tier_id=st.none() | TIER_IDS, term=TERMS)
    def change(self, tier_id: str | None, term: Term) -> None:
        expected = self.model.change(tier_id, term, self.now)
        self.told(lambda store: store.change(ROOT, "usr_ada", PACKAGE.id, self.terms(tier_id, term)), expected)

    @rule()
    def end(self) -> None:
        self.told(lambda store: store.end(ROOT, "usr_ada", PACKAGE.id), self.model.cancel(self.now, "admin"))

    @rule(days=st.sampled_from([0, 1, 1, 29, 30, 90]), seconds=st.sampled_from([0, 0, 1, -1]))
    def wait(self, days: int, seconds: int) -> None:
        """Up to an end, to the instant of it, or just past it; never back."""
        self.clock.advance(days=days, seconds=seconds if days else abs(seconds))

    @rule(which=st.sampled_from([0, 1]))
    def sweep(self, which: int) -> None:
        """One store only: the other one must not differ for anybody who looks."""
        self.keep()
        self.runner.run(self.stores[which].sweep({}))

    # What holds after each step.

    @invariant()
    def whoever_looks_sees_what_the_model_says(self) -> None:
        self.model.running(self.now)
        told = [(s.tier, s.since, s.until, s.ended, s.reason) for s in self.model.stretches]
        for store in self.stores:
            rows = [row.as_of(self.now) for row in self.rows(store)]
            seen = [(row.tier_id, row.started_at, row.expires_at, row.ended_at, row.end_reason) for row in rows]
            assert seen == told

    @invariant()
    def one_row_at_most_is_active_and_none_overlap(self) -> None:
        for store in self.stores:
            rows = self.rows(store)
            assert all(row.ended_at is not None for row in rows[:-1])
            for earlier, later in pairwise(rows):
                assert earlier.ended_at is not None
                assert earlier.started_at <= earlier.ended_at <= later.started_at

    @invariant()
    def a_row_that_was_written_changes_by_its_single_end_only(self) -> None:
        for store, before in zip(self.stores, self.before, strict=True):
            after = self.rows(store)
            assert [row.id for row in after[: len(before)]] == [row.id for row in before]
            for was, now in zip(before, after, strict=False):
                assert now == was or (was.ended_at is None and _beginning(now) == _beginning(was))

    @invariant()
    def each_act_of_an_administrator_is_on_record_once(self) -> None:
        for store in self.stores:
            assert list(self.runner.run(_value(store.audited()))) == self.model.acts

    # How it is asked.

    @property
    def now(self) -> Any:
        return self.clock.now()

    def terms(self, tier_id: str | None, term: Term) -> Terms:
        days = timedelta(days=term) if isinstance(term, int) else None
        until = None if term == UNSAID else Until(at=None if days is None else self.now + days)
        return Terms(tier_id=tier_id, until=until)

    def told(self, ask: Callable[[EnrollmentStore], Awaitable[Any]], expected: str | None) -> None:
        self.keep()
        for store in self.stores:
            assert self.runner.run(_refusal(ask(store))) == expected

    def keep(self) -> None:
        self.before = [self.rows(store) for store in self.stores]

    def rows(self, store: EnrollmentStore) -> list[Enrollment]:
        return list(self.runner.run(_value(store.history())))


def _beginning(row: Enrollment) -> Any:
    return row.id, row.tier_id, row.started_at, row.expires_at


async def _refusal(answer: Awaitable[Any]) -> str | None:
    try:
        await answer
    except DomainError as refusal:
        return refusal.code
    return None


async def _value(answer: Awaitable[Any]) -> Any:
    return await answer


@pytest.fixture
def together(cloned: ClonedDatabase) -> Iterator[Together]:
    with asyncio.Runner() as runner:
        database = Database(cloned.urls.app, pool_min=1, pool_max=1)
        runner.run(database.open())
        yield Together(runner, cloned, database)
        runner.run(database.close())


def test_enrolments_do_what_the_model_says_on_both_stores(together: Together) -> None:
    class Here(Enrollments):
        def __init__(self) -> None:
            super().__init__(together)

    run_state_machine_as_test(Here, settings=settings(stateful_step_count=20))

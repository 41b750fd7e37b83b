"""A student who asks for readiness twice at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.postgres.database import Database
from adapters.postgres.progress.evidence import PostgresReadinessWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.progress.estimating import ShowReadiness
from domain.auth.people import Actor, Role
from domain.progress.readiness import Prediction
from tests.support.evidence_stores import ADA, PACKAGE, PostgresEvidence, several
from tests.support.postgres import ClonedDatabase, SettableClock

ACTOR = Actor(user_id=ADA, role=Role.STUDENT, session_id="ses_ada")
_BLOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@dataclass(slots=True)
class Gate:
    """Where the first one stops, until it is told to go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


async def test_the_second_waits_for_the_first_and_then_sees_what_it_kept(
    cloned: ClonedDatabase, database: Database, clock: SettableClock
) -> None:
    store = PostgresEvidence(clock, cloned, database)
    store.enroll()
    for number in range(10):
        store.publish(f"qst_{number}", "top_1")
    store.give(*several("top_1", 8, 2, ago=timedelta(hours=1)))
    gate, ids = Gate(), TimeOrderedIds()

    class Slow(PostgresReadinessWork):
        async def add_prediction(self, prediction: Prediction) -> None:
            gate.reached.set()
            await asyncio.wait_for(gate.go.wait(), 30)
            await PostgresReadinessWork.add_prediction(self, prediction)

    slow = PostgresTransaction(database, Slow, ids, clock)
    first = asyncio.create_task(ShowReadiness(transact=slow, ids=ids)(ACTOR, PACKAGE))
    await asyncio.wait_for(gate.reached.wait(), 30)
    second = asyncio.create_task(ShowReadiness(transact=store.readiness, ids=ids)(ACTOR, PACKAGE))
    await _until_somebody_waits(cloned)
    gate.go.set()
    assert await first == await second
    assert len(store.predictions()) == 1


async def _until_somebody_waits(cloned: ClonedDatabase) -> None:
    for _ in range(3_000):
        (blocked,) = cloned.keeper.execute(_BLOCKED).fetchone() or (0,)
        if blocked:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")

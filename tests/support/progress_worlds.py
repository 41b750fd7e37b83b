"""Sessions that were sat, as what is read of them: told to any store at once, without being answered one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, LiteralString, Protocol

import msgspec
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from adapters.memory.progress.flags import MemoryFlagWork
from adapters.memory.progress.repetition import MemoryRepetitionWork, StoredCard
from adapters.memory.store import MemoryTransaction
from adapters.postgres.database import Database
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.progress.flags import PostgresFlagWork
from adapters.postgres.progress.repetition import PostgresRepetitionWork
from adapters.postgres.rows import entity
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from adapters.system.clock import TimeOrderedIds
from application.ports import Transaction
from application.progress.ports.flags import FlagWork
from application.progress.ports.repetition import RepetitionWork
from application.progress.repeating import ScheduleReviews
from domain.practice.judging import FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot, PracticeStatus
from domain.progress.repetition import ReviewCard
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import PACKAGE, START, STUDENT, MemoryWorld, PostgresWorld, World

RIGHT, WRONG = True, False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer: what, whether right, how long after the session began, and how sure."""

    question_id: str
    correct: bool = RIGHT
    after: timedelta = timedelta(minutes=1)
    certainty: Certainty | None = None
    topic_id: str | None = None
    seconds: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A session with its slots; with deferred feedback it is unfinished unless it says when it ended."""

    id: str
    answers: tuple[Given, ...] = ()
    open_questions: tuple[str, ...] = ()
    user_id: str = STUDENT.user_id
    package_id: str = PACKAGE
    at: datetime = START
    feedback: FeedbackMode = FeedbackMode.IMMEDIATE
    certainty: bool = False
    deadline: datetime | None = None
    finished_at: datetime | None = None
    invalidated: bool = False

    @property
    def session(self) -> PracticeSession:
        status = PracticeStatus.ACTIVE if self.finished_at is None else PracticeStatus.FINISHED
        if self.invalidated:
            status = PracticeStatus.INVALIDATED
        return PracticeSession(
            user_id=self.user_id,
            id=self.id,
            exam_package_id=self.package_id,
            status=status,
            feedback=self.feedback,
            certainty=self.certainty,
            requested=len(self.slots),
            served=len(self.slots),
            answered_count=len(self.answers),
            correct_count=sum(answer.correct for answer in self.answers),
            started_at=self.at,
            deadline=self.deadline,
            finished_at=(self.finished_at or self.at) if self.invalidated else self.finished_at,
            last_event_at=self.at,
        )

    @property
    def slots(self) -> tuple[PracticeSlot, ...]:
        answered = [self._answered(answer) for answer in self.answers]
        open_ = [self._open(question_id) for question_id in self.open_questions]
        return tuple(replace(slot, slot=number) for number, slot in enumerate((*answered, *open_), start=1))

    def _answered(self, answer: Given) -> PracticeSlot:
        return replace(
            self._open(answer.question_id),
            topic_id=answer.topic_id,
            response=Response.choosing("B" if answer.correct else "A"),
            certainty=answer.certainty,
            correct=answer.correct,
            mark=Decimal(answer.correct),
            answered_at=self.at + answer.after,
            time_spent_seconds=answer.seconds,
        )

    def _open(self, question_id: str) -> PracticeSlot:
        return PracticeSlot(
            user_id=self.user_id,
            session_id=self.id,
            slot=1,
            question_id=question_id,
            version=1,
            choice_order=("A", "B"),
            max_mark=Decimal(1),
        )


class ProgressWorld(Protocol):
    """A place where students have done things, whatever it is made of."""

    @property
    @abstractmethod
    def practice(self) -> World:
        """Where questions are offered and students enrol."""

    @property
    @abstractmethod
    def reviews(self) -> Transaction[RepetitionWork]: ...

    @property
    @abstractmethod
    def flags(self) -> Transaction[FlagWork]: ...

    @abstractmethod
    def let_enrollment_expire(self, user_id: str, at: datetime) -> None: ...

    @abstractmethod
    def keep(self, *sittings: Sitting) -> None:
        """A sitting that is there already becomes what is said now."""

    @abstractmethod
    def cards(self, user_id: str = STUDENT.user_id) -> Mapping[str, ReviewCard]: ...

    @abstractmethod
    def flagged(self) -> Mapping[tuple[str, str], datetime]:
        """When whom flagged what, by student and question."""


@dataclass(slots=True)
class InMemory(ProgressWorld):
    """On dictionaries."""

    clock: SettableClock
    practice: MemoryWorld = field(init=False)
    reviews: Transaction[RepetitionWork] = field(init=False)
    flags: Transaction[FlagWork] = field(init=False)

    def __post_init__(self) -> None:
        self.practice = MemoryWorld(self.clock)
        self.reviews = MemoryTransaction(self.practice.store, MemoryRepetitionWork, self.clock)
        self.flags = MemoryTransaction(self.practice.store, MemoryFlagWork, self.clock)

    def let_enrollment_expire(self, user_id: str, at: datetime) -> None:
        rows = self._table("enrollments")
        rows.update({key: replace(row, expires_at=at) for key, row in rows.items() if row.user_id == user_id})

    def keep(self, *sittings: Sitting) -> None:
        for sitting in sittings:
            self._table("practice_sessions")[sitting.user_id, sitting.id] = sitting.session
            for slot in sitting.slots:
                self._table("practice_slots")[slot.user_id, slot.session_id, slot.slot] = slot

    def cards(self, user_id: str = STUDENT.user_id) -> Mapping[str, ReviewCard]:
        rows: dict[tuple[str, str], StoredCard] = self._table("review_cards")
        return {question_id: row.card for (owner, question_id), row in rows.items() if owner == user_id}

    def flagged(self) -> Mapping[tuple[str, str], datetime]:
        return dict(self._table("flagged_questions"))

    def _table(self, name: str) -> dict[Any, Any]:
        return self.practice.store.tables[name]


@dataclass(slots=True)
class OnPostgres(ProgressWorld):
    """On a cloned database."""

    cloned: ClonedDatabase
    practice: PostgresWorld
    reviews: Transaction[RepetitionWork]
    flags: Transaction[FlagWork]

    def let_enrollment_expire(self, user_id: str, at: datetime) -> None:
        self._run("update enrollments set expires_at = %s where user_id = %s", at, user_id)

    def keep(self, *sittings: Sitting) -> None:
        for sitting in sittings:
            self._run(_USER_SQL, sitting.user_id, sitting.user_id)
            self._run(_SESSION_SQL, _json([asdict(sitting.session)]))
            self._run(_SLOTS_SQL, _json([asdict(slot) for slot in sitting.slots]))

    def cards(self, user_id: str = STUDENT.user_id) -> Mapping[str, ReviewCard]:
        with self.cloned.keeper.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute("select * from review_cards where user_id = %s", (user_id,)).fetchall()
        return {row["question_id"]: entity(row, ReviewCard) for row in rows}

    def flagged(self) -> Mapping[tuple[str, str], datetime]:
        rows = self.cloned.keeper.execute("select user_id, question_id, flagged_at from flagged_questions").fetchall()
        return {(user_id, question_id): at for user_id, question_id, at in rows}

    def _run(self, statement: LiteralString, *values: Any) -> None:
        self.cloned.keeper.execute(statement, values)


def world_of(request: pytest.FixtureRequest, clock: SettableClock) -> ProgressWorld:
    """On dictionaries or on the real database, as a fixture of either parameter asks."""
    return InMemory(clock) if request.param == "memory" else on_postgres(request, clock)


def on_postgres(request: pytest.FixtureRequest, clock: SettableClock) -> OnPostgres:
    database: Database = request.getfixturevalue("database")
    cloned: ClonedDatabase = request.getfixturevalue("cloned")
    ids = TimeOrderedIds()
    practice = PostgresWorld(cloned, PostgresTransaction(database, PostgresPracticeWork, ids, clock))
    reviews = PostgresTransaction(database, PostgresRepetitionWork, ids, clock)
    return OnPostgres(cloned, practice, reviews, PostgresTransaction(database, PostgresFlagWork, ids, clock))


async def catch_up(world: ProgressWorld, user_id: str = STUDENT.user_id, *, most: int = 500) -> int:
    """One step; how many questions had a stale card."""
    schedule_reviews = ScheduleReviews(FsrsScheduler(), most)
    return await world.reviews(lambda work: schedule_reviews(work, user_id))


def _json(rows: list[dict[str, Any]]) -> Jsonb:
    return Jsonb(rows, dumps=msgspec.json.encode)


_USER_SQL: Final = """
insert into users (id, email, role, password_hash, created_at, updated_at)
values (%s, %s || '@example.org', 'student', 'x', now(), now()) on conflict do nothing
"""
_SESSION_SQL: Final = """
insert into practice_sessions (user_id, id, exam_package_id, status, feedback, certainty, requested, served,
                               answered_count, correct_count, started_at, deadline, finished_at, last_event_at)
select user_id, id, exam_package_id, status, feedback, certainty, requested, served, answered_count, correct_count,
       started_at, deadline, finished_at, last_event_at
  from jsonb_populate_recordset(null::practice_sessions, %s)
    on conflict (user_id, id) do update set status = excluded.status, finished_at = excluded.finished_at
"""
_SLOTS_SQL: Final = """
insert into practice_slots (user_id, session_id, slot, question_id, version, topic_id, choice_order, max_mark, response,
                            certainty, correct, mark, answered_at, time_spent_seconds)
select user_id, session_id, slot, question_id, version, topic_id, choice_order, max_mark,
       nullif(response, 'null'), certainty, correct, mark, answered_at, time_spent_seconds
  from jsonb_populate_recordset(null::practice_slots, %s)
    on conflict do nothing
"""

"""Two students with the same papers on one database: one answers the quick way where it is open, one never does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.memory.practice.answering import NoQuickAnswers
from adapters.postgres.database import Database
from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.system.clock import TimeOrderedIds
from application.practice.answering import AnswerQuestion
from application.practice.ports.sessions import PracticeWork, SlotTarget
from domain.auth.people import Actor, Role
from domain.errors import DomainError
from domain.practice.judging import Answer, FeedbackMode
from domain.practice.sessions import PracticeSession, PracticeSlot
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import shown_ids
from domain.question_bank.questions import Response
from tests.support.postgres import ClonedDatabase, SettableClock
from tests.support.practice_builders import EVERY_KIND, PACKAGE, START, Offer, PostgresWorld

PAPER: tuple[Offer, ...] = EVERY_KIND
_ROWS = {
    "sessions": """select status, answered_count, correct_count, paused_at, finished_at, last_event_at
                     from practice_sessions where user_id = %s order by started_at, right(id, 1)""",
    "slots": """select right(session_id, 1) as session, slot, response, certainty, correct, mark, certainty_mark,
                       answered_at, time_spent_seconds, feedback
                  from practice_slots where user_id = %s order by 1, 2""",
    "progress": """select questions_answered, last_day, credited_from, credited_until, last_activity_at
                     from student_progress where user_id = %s""",
    "days": "select day, credited_at, kind, right(source_id, 1) from study_days where user_id = %s order by day",
    "badges": """select code, value, right(source_id, 1), awarded_at, revoked_at
                   from student_badges where user_id = %s order by code""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One of the two."""

    name: str
    answer: AnswerQuestion

    @property
    def actor(self) -> Actor:
        return Actor(user_id=f"usr_{self.name}", role=Role.STUDENT, session_id=f"ses_{self.name}")

    def session_id(self, number: int) -> str:
        return f"prs_{self.name}_{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Both, their store and their common clock."""

    world: PostgresWorld
    clock: SettableClock
    quick: Twin
    careful: Twin

    @property
    def both(self) -> tuple[Twin, Twin]:
        return self.quick, self.careful

    async def begin(
        self,
        number: int,
        *,
        feedback: FeedbackMode = FeedbackMode.IMMEDIATE,
        certainty: bool = False,
        limit: int | None = None,
        paper: Sequence[Offer] = PAPER,
    ) -> None:
        """The same session for each of them."""
        for twin in self.both:
            now = self.clock.now()
            session = PracticeSession(
                user_id=twin.actor.user_id,
                id=twin.session_id(number),
                exam_package_id=PACKAGE,
                feedback=feedback,
                certainty=certainty,
                requested=len(paper),
                served=len(paper),
                started_at=now,
                deadline=None if limit is None else now + timedelta(seconds=limit),
                last_event_at=now,
            )
            await self._add(session, [_slot(session, place, offer) for place, offer in enumerate(paper, start=1)])

    async def _add(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None:
        async def add(work: PracticeWork) -> None:
            await work.add_session(session, slots)

        await self.world.transact(add)

    async def give(self, twin: Twin, number: int, place: int, answer: Answer) -> Any:
        """The view, or the class of the refusal."""
        try:
            return await twin.answer(twin.actor, twin.session_id(number), SlotTarget(slot=place), answer)
        except DomainError as refusal:
            return type(refusal), [(problem.pointer, problem.code) for problem in refusal.problems]

    def rows(self, twin: Twin) -> dict[str, list[tuple[Any, ...]]]:
        """All that an answer can change, without names."""
        keeper = self.world.cloned.keeper
        return {what: keeper.execute(sql, [twin.actor.user_id]).fetchall() for what, sql in _ROWS.items()}

    def set(self, sql: str) -> None:
        """Changes something for both, behind the back of all rules. `%s` is the student."""
        for twin in self.both:
            self.world.cloned.keeper.execute(sql, [twin.actor.user_id])


def twins(cloned: ClonedDatabase, database: Database, clock: SettableClock, at: datetime = START) -> Twins:
    """Both are enrolled; questions of every kind are on offer."""
    clock.set(at)
    transact = PostgresTransaction(database, PostgresPracticeWork, TimeOrderedIds(), clock)
    world = PostgresWorld(cloned, transact)
    world.offer(PAPER)
    quick = Twin(name="quick", answer=AnswerQuestion(transact=transact, quick=PostgresQuickAnswers(database, clock)))
    careful = Twin(name="careful", answer=AnswerQuestion(transact=transact, quick=NoQuickAnswers()))
    for twin in (quick, careful):
        world.enroll(twin.actor.user_id)
    return Twins(world=world, clock=clock, quick=quick, careful=careful)


def shown(offer: Offer, answer: Answer) -> Answer:
    """The answer as a student would send it: by the ids that the session shows."""
    names = shown_ids(offer.kind, tuple(offer.options))
    return replace(answer, response=answer.response.renamed(names))


def right(offer: Offer) -> Response:
    """What the key asks for."""
    if offer.bands:
        return Response.counting("98.6")
    if offer.accepted:
        return Response.writing("dns")
    if offer.matches:
        return Response.matching(offer.pairs)
    return Response.arranging(offer.correct) if len(offer.correct) > 2 else Response.choosing(offer.correct)


def _slot(session: PracticeSession, place: int, offer: Offer) -> PracticeSlot:
    return PracticeSlot(
        user_id=session.user_id,
        session_id=session.id,
        slot=place,
        question_id=offer.id,
        version=1,
        choice_order=tuple(offer.options),
        max_mark=Decimal(2) if offer.kind is QuestionKind.NUMERIC else offer.points,
    )

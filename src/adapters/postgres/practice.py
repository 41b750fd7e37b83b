"""Practice on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from adapters.postgres.transaction import PostgresWork
from application.ports import Clock
from application.practice.ports import HeldSlot, PracticeReader, PracticeWork, SlotTarget
from application.practice.views import (
    PracticeView,
    QuestionView,
    ReviewItem,
    ReviewView,
    SessionView,
    SummaryView,
    in_order,
)
from domain.practice.plans import PracticePlan
from domain.practice.results import SlotResult, may_review, summarise
from domain.practice.revelation import Revelation, reveal
from domain.practice.sessions import PracticeSession, PracticeSlot, lapse
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import shown_ids
from domain.question_bank.questions import AnswerKey, Choice, KeyedQuestion, PublicQuestion, Response
from domain.question_bank.seeds import draw_start

SQL = load("practice")


class PostgresPracticeWork(PostgresWork, PracticeWork):
    """The session's row decides whose turn it is."""

    async def holds_enrollment(self, user_id: str, exam_package_id: str) -> bool:
        row = await self._one(SQL["holds_enrollment"], {"user_id": user_id, "exam_package_id": exam_package_id})
        return row is not None and row["held"] is True

    async def draw_questions(self, plan: PracticePlan, session_id: str) -> tuple[PublicQuestion, ...]:
        params = {
            "exam_package_id": plan.exam_package_id,
            "topic_ids": list(plan.topic_ids),
            "difficulty_ids": list(plan.difficulty_ids),
            "count": plan.count,
            "session_id": session_id,
            "start": draw_start(session_id),
        }
        return entities(await self._all(SQL["draw_questions"], params), PublicQuestion)

    async def add_session(self, session: PracticeSession, slots: Sequence[PracticeSlot]) -> None:
        frozen = [
            {
                "slot": slot.slot,
                "question_id": slot.question_id,
                "version": slot.version,
                "choice_order": slot.choice_order,
                "max_mark": slot.max_mark,
            }
            for slot in slots
        ]
        await self._run(SQL["add_session"], record(session) | {"slots": Jsonb(frozen)})

    async def hold_session(self, user_id: str, session_id: str) -> PracticeSession | None:
        row = await self._one(SQL["hold_session"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else entity(row, PracticeSession)

    async def hold_slot(self, user_id: str, session_id: str, target: SlotTarget) -> HeldSlot | None:
        params = {"user_id": user_id, "session_id": session_id}
        row = await self._one(SQL["hold_slot"], params | {"slot": target.slot, "question_id": target.question_id})
        if row is None:
            return None
        slot = entity(row | {"session_id": row["id"], "feedback": row["revelation"]}, PracticeSlot)
        question = KeyedQuestion(
            kind=QuestionKind(row["kind"]),
            choice_ids=slot.choice_order,
            prompt_ids=tuple(row["prompt_ids"]),
            key=entity(row["answer_key"], AnswerKey),
        )
        return HeldSlot(
            session=entity(row, PracticeSession), slot=slot, question=question, enrolled=row["enrolled"] is True
        )

    async def save_session(self, session: PracticeSession) -> None:
        await self._run(SQL["save_session"], record(session))

    async def save_answer(self, session: PracticeSession, slot: PracticeSlot) -> None:
        await self._run(SQL["save_answer"], record(session) | record(slot))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SlotRow:
    """A slot as `read_session` and `review` return it; what only the review reads is None in the other."""

    slot: int
    question_id: str
    version: int
    kind: QuestionKind
    stem: str
    stem_format: TextFormat
    choices: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    choice_order: tuple[str, ...]
    max_mark: Decimal
    response: Response | None
    answered_at: datetime | None
    correct: bool | None = None
    mark: Decimal | None = None
    time_spent_seconds: int = 0
    feedback: Revelation | None = None
    answer_key: AnswerKey | None = None

    def question(self) -> QuestionView:
        return QuestionView(
            slot=self.slot,
            question_id=self.question_id,
            version=self.version,
            kind=self.kind,
            stem=self.stem,
            stem_format=self.stem_format,
            choices=in_order(self.kind, self.choices, self.choice_order),
            prompts=self.prompts,
            max_mark=self.max_mark,
            response=None if self.response is None else self.response.renamed(self._names()),
            answered_at=self.answered_at,
        )

    def revelation(self) -> Revelation | None:
        """What was shown, or what may be shown now; None as long as nothing may."""
        known = self.feedback
        if known is None and self.answer_key is not None:
            known = reveal(self.kind, self.answer_key, self.choice_order)
        return None if known is None else known.renamed(self._names())

    def _names(self) -> Mapping[str, str]:
        return shown_ids(self.kind, self.choice_order)


class PostgresPracticeReader(PracticeReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def session(self, user_id: str, session_id: str) -> PracticeView | None:
        row = await self._database.fetch_one(SQL["read_session"], self._of(user_id, session_id))
        if row is None:
            return None
        questions = tuple(slot.question() for slot in entities(row["slots"], _SlotRow))
        return PracticeView(session=_view(row), questions=questions)

    async def sessions(self, user_id: str, before_id: str | None, limit: int) -> tuple[SessionView, ...]:
        params = {"user_id": user_id, "before_id": before_id, "limit": limit, "now": self._now()}
        return tuple(_view(row) for row in await self._database.fetch_all(SQL["list_sessions"], params))

    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        row = await self._database.fetch_one(SQL["review"], self._of(user_id, session_id))
        if row is None:
            return None
        session = _session(row)
        items = (_reviewed(session, slot) for slot in entities(row["slots"], _SlotRow))
        return ReviewView(session=session, items=tuple(item for item in items if item is not None))

    async def summary(self, user_id: str, session_id: str) -> SummaryView | None:
        row = await self._database.fetch_one(SQL["summary"], self._of(user_id, session_id))
        if row is None:
            return None
        results = entities(row["slots"], SlotResult)
        return SummaryView(session=_view(row), summary=summarise(_session(row), results))

    def _of(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {"user_id": user_id, "session_id": session_id, "now": self._now()}

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


def _session(row: Mapping[str, Any]) -> PracticeSession:
    """As time has left it, whether or not anybody wrote that down."""
    return lapse(entity(row, PracticeSession), row["now"])


def _view(row: Mapping[str, Any]) -> SessionView:
    return SessionView.of(_session(row), row["now"])


def _reviewed(session: PracticeSession, slot: _SlotRow) -> ReviewItem | None:
    revelation = slot.revelation()
    if revelation is None or not may_review(session, answered=slot.answered_at is not None):
        return None
    return ReviewItem(
        question=slot.question(),
        correct=slot.correct,
        mark=slot.mark,
        time_spent_seconds=slot.time_spent_seconds,
        revelation=revelation,
    )

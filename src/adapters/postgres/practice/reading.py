"""Reads of practice on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from adapters.postgres.claims import claim_params
from adapters.postgres.database import Database
from adapters.postgres.rows import entities, entity, record
from adapters.postgres.statements import load
from application.auth.claimants import Claimant
from application.ports import Clock
from application.practice.ports.reading import AttemptReader, OversightReader, PracticeReader, WantedSessions
from application.practice.views import (
    Attempts,
    OverseenPracticeView,
    OverseenSlot,
    PackageScore,
    PracticeView,
    QuestionView,
    ReviewItem,
    ReviewView,
    SessionView,
    SummaryView,
)
from domain.practice.results import SlotResult, may_review, summarise
from domain.practice.sessions import PracticeSession, lapse
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.ordering import in_order, shown_ids
from domain.question_bank.questions import AnswerKey, Choice, Response
from domain.question_bank.revelation import Revelation, reveal

SQL = load("practice/reading")


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
    topic_id: str | None = None
    max_mark: Decimal
    response: Response | None
    certainty: Certainty | None
    answered_at: datetime | None
    flagged: bool
    correct: bool | None = None
    mark: Decimal | None = None
    certainty_mark: Decimal | None = None
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
            topic_id=self.topic_id,
            max_mark=self.max_mark,
            response=None if self.response is None else self.response.renamed(self._names()),
            certainty=self.certainty,
            answered_at=self.answered_at,
            flagged=self.flagged,
        )

    def revelation(self) -> Revelation | None:
        """What was shown, or what may be shown now; None as long as nothing may."""
        known = self.feedback
        if known is None and self.answer_key is not None:
            known = reveal(self.kind, self.answer_key, self.choice_order)
        return None if known is None else known.renamed(self._names())

    def _names(self) -> Mapping[str, str]:
        return shown_ids(self.kind, self.choice_order)


_SLOTS = msgspec.json.Decoder(tuple[_SlotRow, ...])


class PostgresPracticeReader(PracticeReader, AttemptReader, OversightReader):
    """Each read is one statement; `clock` replaces the database's own, for tests."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    async def session(self, user_id: str, session_id: str, *, claim: Claimant | None = None) -> PracticeView | None:
        params = self._of(user_id, session_id) | claim_params(claim)
        row = await self._database.read_one(SQL["read_session"], params)
        if row is None:
            return None
        questions = tuple(slot.question() for slot in _SLOTS.decode(row["slots"]))
        return PracticeView(session=_view(row), questions=questions)

    async def sessions(
        self, user_id: str, wanted: WantedSessions, before_id: str | None, limit: int
    ) -> tuple[SessionView, ...]:
        place = {"user_id": user_id, "before_id": before_id, "limit": limit, "now": self._now()}
        states = {"statuses": [status.value for status in wanted.statuses]}
        rows = await self._database.fetch_all(SQL["list_sessions"], record(wanted) | states | place)
        return tuple(_view(row) for row in rows)

    async def review(self, user_id: str, session_id: str) -> ReviewView | None:
        row = await self._database.fetch_one(SQL["review"], self._of(user_id, session_id))
        if row is None:
            return None
        session = _session(row)
        items = (_reviewed(session, slot) for slot in _SLOTS.decode(row["slots"]))
        told = tuple(item for item in items if item is not None)
        return ReviewView(session=session, items=told, under_exam=row["under_exam"])

    async def summary(self, user_id: str, session_id: str) -> SummaryView | None:
        row = await self._database.fetch_one(SQL["summary"], self._of(user_id, session_id))
        if row is None:
            return None
        results = entities(row["slots"], SlotResult)
        return SummaryView(session=_view(row), summary=summarise(_session(row), results), under_exam=row["under_exam"])

    async def attempts(self, user_id: str, exam_package_id: str | None, *, offset: int, limit: int) -> Attempts:
        wanted = {"user_id": user_id, "exam_package_id": exam_package_id, "now": self._now()}
        row = await self._database.fetch_one(SQL["attempts"], wanted | {"offset": offset, "limit": limit})
        if row is None:
            return Attempts(total=0, sessions=())
        shown = tuple(_view(each | {"now": row["now"]}) for each in row["sessions"])
        return Attempts(total=row["total"], sessions=shown)

    async def scores(self, user_id: str) -> tuple[PackageScore, ...]:
        rows = await self._database.fetch_all(SQL["scores"], {"user_id": user_id, "now": self._now()})
        return entities(rows, PackageScore)

    async def overseen(self, user_id: str, session_id: str) -> OverseenPracticeView | None:
        row = await self._database.fetch_one(SQL["oversee_session"], self._of(user_id, session_id))
        if row is None:
            return None
        return OverseenPracticeView(user_id=user_id, session=_view(row), slots=entities(row["slots"], OverseenSlot))

    async def has_person(self, user_id: str) -> bool:
        row = await self._database.fetch_one(SQL["has_person"], {"user_id": user_id})
        return row is not None and row["found"] is True

    def _of(self, user_id: str, session_id: str) -> dict[str, Any]:
        return {"user_id": user_id, "session_id": session_id, "now": self._now()}

    def _now(self) -> datetime | None:
        return None if self._clock is None else self._clock.now()


def _session(row: Mapping[str, Any]) -> PracticeSession:
    """As time has left it, whether or not anybody wrote that down."""
    return lapse(entity(row, PracticeSession), row["now"])


def _view(row: Mapping[str, Any]) -> SessionView:
    """A row without `under_exam` is read for staff, or is one of those that no exam asks."""
    return SessionView.of(_session(row), row["now"], under_exam=row.get("under_exam", False))


def _reviewed(session: PracticeSession, slot: _SlotRow) -> ReviewItem | None:
    revelation = slot.revelation()
    if revelation is None or not may_review(session, answered=slot.answered_at is not None):
        return None
    return ReviewItem(
        question=slot.question(),
        correct=slot.correct,
        mark=slot.mark,
        certainty_mark=slot.certainty_mark,
        time_spent_seconds=slot.time_spent_seconds,
        revelation=revelation,
    )

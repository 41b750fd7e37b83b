"""Answering in one round trip on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from sys import getsizeof
from typing import Any

import msgspec

from adapters.postgres.claims import claim_params
from adapters.postgres.database import Database
from adapters.postgres.remembering import Remembered
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.auth.claimants import Claimant
from application.ports import Clock
from application.practice.ports.answering import FrozenPaper, OpenSlot, QuickAnswers, Tally
from domain.practice.judging import MarkingRules
from domain.practice.sessions import MAX_SECONDS_PER_EVENT, PracticeSlot
from domain.progress.badges import answer_thresholds
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.revelation import Revelation

SQL = load("practice/answering")
_MEMORY = 32 * 2**20
_SLOT_BYTES = 1_500
"""What a slot takes apart from its explanations, measured."""
_RULES: dict[str, Any] = {
    "thresholds": "{" + ",".join(map(str, answer_thresholds())) + "}",
    "longest": MAX_SECONDS_PER_EVENT,
}
_Named = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SlotRow:
    """A slot as `read_paper` returns it."""

    slot: int
    question_id: str
    version: int
    topic_id: str | None
    choice_order: tuple[str, ...]
    max_mark: Decimal
    kind: QuestionKind
    answer_key: AnswerKey
    prompt_ids: tuple[str, ...]

    def opened(self, named: _Named) -> OpenSlot:
        """Of the session that is named by its student and its id."""
        user_id, session_id = named
        return OpenSlot(
            slot=PracticeSlot(
                user_id=user_id,
                session_id=session_id,
                slot=self.slot,
                question_id=self.question_id,
                version=self.version,
                topic_id=self.topic_id,
                choice_order=self.choice_order,
                max_mark=self.max_mark,
            ),
            question=KeyedQuestion(
                kind=self.kind, choice_ids=self.choice_order, prompt_ids=self.prompt_ids, key=self.answer_key
            ),
        )


_SLOTS = msgspec.json.Decoder(tuple[_SlotRow, ...])


class PostgresQuickAnswers(QuickAnswers):
    """One guarded statement. The frozen papers of the latest sessions are remembered, in a bounded number of bytes.

    What is remembered is immutable and says nothing of who may answer: the statement asks for all that can change.
    """

    def __init__(self, database: Database, clock: Clock | None = None, *, memory_bytes: int = _MEMORY) -> None:
        """`clock` replaces the database's own, for tests."""
        self._database = database
        self._clock = clock
        self._papers: Remembered[_Named, FrozenPaper] = Remembered(memory_bytes, _bytes)

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        named = (user_id, session_id)
        known = self._papers.get(named)
        if known is not None:
            return known
        row = await self._database.read_one(SQL["read_paper"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else self._papers.keep(named, _paper(named, row))

    async def keep(self, answered: PracticeSlot, *, claim: Claimant | None = None) -> Tally | None:
        params = _RULES | claim_params(claim) | _kept(answered)
        params["now"] = None if self._clock is None else self._clock.now()
        row = await self._database.write_one(SQL["keep_answer"], params, key=answered.user_id)
        return None if row is None else Tally(answered_count=row["answered_count"], correct_count=row["correct_count"])


def _kept(answered: PracticeSlot) -> dict[str, Any]:
    """What an answer changes, and where. Documents are text as they are stored."""
    return {
        "user_id": answered.user_id,
        "session_id": answered.session_id,
        "slot": answered.slot,
        "response": _document(answered.response),
        "certainty": answered.certainty and answered.certainty.value,
        "correct": answered.correct,
        "mark": answered.mark,
        "certainty_mark": answered.certainty_mark,
        "feedback": _document(answered.feedback),
    }


def _document(value: Response | Revelation | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _bytes(paper: FrozenPaper) -> int:
    """About what a paper takes. Its explanations are what there is no bound for."""
    keys = [each.question.key for each in paper.by_slot.values()]
    texts = [text for key in keys for text in (*key.explanations.values(), *filter(None, [key.explanation]))]
    return len(keys) * _SLOT_BYTES + sum(getsizeof(each.text) for each in texts)


def _paper(named: _Named, row: Mapping[str, Any]) -> FrozenPaper:
    slots = [each.opened(named) for each in _SLOTS.decode(row["slots"])]
    return FrozenPaper(
        rules=entity(row, MarkingRules),
        by_slot={each.slot.slot: each for each in slots},
        by_question={each.slot.question_id: each for each in slots},
    )

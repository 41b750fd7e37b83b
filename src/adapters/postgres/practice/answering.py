"""Answering in one round trip on PostgreSQL."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from sys import getsizeof
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.rows import entity, record
from adapters.postgres.statements import load
from application.ports import Clock
from application.practice.ports.answering import FrozenPaper, OpenSlot, QuickAnswers
from domain.practice.judging import MarkingRules
from domain.practice.sessions import MAX_SECONDS_PER_EVENT, PracticeSession, PracticeSlot
from domain.progress.badges import answer_thresholds
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion

SQL = load("practice/answering")
_MEMORY = 32 * 2**20
_SLOT_BYTES = 1_500
"""What a slot takes apart from its explanations, measured."""
_Named = tuple[str, str]


class PostgresQuickAnswers(QuickAnswers):
    """One guarded statement. The frozen papers of the latest sessions are remembered, in a bounded number of bytes.

    What is remembered is immutable and says nothing of who may answer: the statement asks for all that can change.
    """

    def __init__(self, database: Database, clock: Clock | None = None, *, memory_bytes: int = _MEMORY) -> None:
        """`clock` replaces the database's own, for tests."""
        self._database = database
        self._clock = clock
        self._papers: OrderedDict[_Named, FrozenPaper] = OrderedDict()
        self._room = memory_bytes

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        named = (user_id, session_id)
        known = self._papers.get(named)
        if known is not None:
            self._papers.move_to_end(named)
            return known
        row = await self._database.fetch_one(SQL["read_paper"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else self._remember(named, _paper(named, row))

    async def keep(self, answered: PracticeSlot) -> PracticeSession | None:
        row = await self._database.fetch_one(
            SQL["keep_answer"],
            record(answered)
            | {
                "now": None if self._clock is None else self._clock.now(),
                "thresholds": list(answer_thresholds()),
                "longest": MAX_SECONDS_PER_EVENT,
            },
        )
        return None if row is None else entity(row, PracticeSession)

    def _remember(self, named: _Named, paper: FrozenPaper) -> FrozenPaper:
        if named not in self._papers:
            self._room -= _bytes(paper)
        self._papers[named] = paper
        while self._room < 0 and self._papers:
            _, forgotten = self._papers.popitem(last=False)
            self._room += _bytes(forgotten)
        return paper


def _bytes(paper: FrozenPaper) -> int:
    """About what a paper takes. Its explanations are what there is no bound for."""
    keys = [each.question.key for each in paper.by_slot.values()]
    texts = [text for key in keys for text in (*key.explanations.values(), *filter(None, [key.explanation]))]
    return len(keys) * _SLOT_BYTES + sum(getsizeof(each.text) for each in texts)


def _paper(named: _Named, row: Mapping[str, Any]) -> FrozenPaper:
    slots = [_open_slot(named, slot) for slot in row["slots"]]
    return FrozenPaper(
        rules=entity(row, MarkingRules),
        by_slot={each.slot.slot: each for each in slots},
        by_question={each.slot.question_id: each for each in slots},
    )


def _open_slot(named: _Named, row: Mapping[str, Any]) -> OpenSlot:
    slot = entity({**row, "user_id": named[0], "session_id": named[1]}, PracticeSlot)
    question = KeyedQuestion(
        kind=QuestionKind(row["kind"]),
        choice_ids=slot.choice_order,
        prompt_ids=tuple(row["prompt_ids"]),
        key=entity(row["answer_key"], AnswerKey),
    )
    return OpenSlot(slot=slot, question=question)

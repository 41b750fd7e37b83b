"""Heartbeats and answers of exams in one round trip on PostgreSQL."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from sys import getsizeof
from typing import Any

from msgspec import Raw
from psycopg.types.json import Jsonb

from adapters.postgres.database import Database
from adapters.postgres.exam.columns import asked_slot
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.exam.ports.quick import KeptAnswer, KeptBeat, QuickAnswer, QuickBeat, QuickExam
from application.ports import Clock, IdGenerator
from domain.exam.papers import FrozenPaper
from domain.exam.record import Draft, EntryKind, EntrySource, answer_content, digest
from domain.exam.sessions import ExamRules

SQL = load("exam/quick")
_MEMORY = 32 * 2**20
_SLOT_BYTES = 650
"""About what a slot takes beside the names of what can be chosen, measured."""
_POINTER_BYTES = 8
_LONGEST_SILENCE = timedelta(seconds=15)
_LONGEST_DRIFT = timedelta(seconds=30)
_DRIFT_PAUSE = timedelta(seconds=60)
_Named = tuple[str, str]


class PostgresQuickExam(QuickExam):
    """One guarded statement each. The papers of the latest sessions are remembered, in a bounded number of bytes.

    What is remembered is immutable, holds no key, and says nothing of who may answer: the statement asks for all that
    can change.
    """

    def __init__(
        self, database: Database, ids: IdGenerator, clock: Clock | None = None, *, memory_bytes: int = _MEMORY
    ) -> None:
        """`clock` replaces the database's own, for tests."""
        self._database = database
        self._ids = ids
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
        return None if row is None else self._remember(named, frozen_paper(named, row))

    async def save_answer(self, answer: QuickAnswer) -> KeptAnswer | None:
        paper = await self.paper(answer.user_id, answer.session_id)
        asked = None if paper is None else paper.slots.get(answer.slot)
        if asked is None:
            return None
        row = await self._database.fetch_one(SQL["keep_answer"], self._answer_params(answer))
        if row is None:
            return None
        slot = replace(
            asked.slot,
            response=answer.response,
            revision=row["revision"],
            certainty=answer.certainty,
            answered_at=row["answered_at"],
            flagged=row["flagged"],
        )
        return KeptAnswer(at=row["at"], slot=slot, deadline=row["deadline"])

    async def heartbeat(self, beat: QuickBeat) -> KeptBeat | None:
        gap = Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id=self._ids.new("evt"), type="connection_gap")
        row = await self._database.fetch_one(
            SQL["keep_heartbeat"],
            {
                "now": None if self._clock is None else self._clock.now(),
                "user_id": beat.user_id,
                "session_id": beat.session_id,
                "seq": beat.seq,
                "client_at": beat.client_at,
                "snapshot": None if beat.snapshot is None else Raw(beat.snapshot),
                "event_id": gap.id,
                "digest": digest(gap),
                "longest_silence": _LONGEST_SILENCE,
                "longest_drift": _LONGEST_DRIFT,
                "drift_pause": _DRIFT_PAUSE,
            },
        )
        return None if row is None else entity(row, KeptBeat)

    def _answer_params(self, answer: QuickAnswer) -> dict[str, Any]:
        content = answer_content(answer.response, answer.certainty)
        told = Draft(
            kind=EntryKind.ANSWER,
            slot=answer.slot,
            revision=answer.base_revision + 1,
            autosave=answer.autosave,
            content=content,
        )
        return {
            "now": None if self._clock is None else self._clock.now(),
            "user_id": answer.user_id,
            "session_id": answer.session_id,
            "slot": answer.slot,
            "base_revision": answer.base_revision,
            "response": None if answer.response is None else Jsonb(answer.response),
            "certainty": None if answer.certainty is None else answer.certainty.value,
            "flagged": answer.flagged,
            "autosave": answer.autosave,
            "content": content,
            "digest": digest(told),
        }

    def _remember(self, named: _Named, paper: FrozenPaper) -> FrozenPaper:
        if named not in self._papers:
            self._room -= bytes_of(paper)
        self._papers[named] = paper
        while self._room < 0 and self._papers:
            _, forgotten = self._papers.popitem(last=False)
            self._room += bytes_of(forgotten)
        return paper


def bytes_of(paper: FrozenPaper) -> int:
    """About what it takes. What can be chosen is named once: a question and its slot share the names."""
    asked = (each.question for each in paper.slots.values())
    names = sum(getsizeof(name) + _POINTER_BYTES for each in asked for name in (*each.choice_ids, *each.prompt_ids))
    return len(paper.slots) * _SLOT_BYTES + _SLOT_BYTES + names


def frozen_paper(named: _Named, row: Mapping[str, Any]) -> FrozenPaper:
    owner = {"user_id": named[0], "session_id": named[1]}
    slots = [asked_slot({**slot, **owner}) for slot in row["slots"] or ()]
    return FrozenPaper(rules=entity(row["rules"], ExamRules), slots={each.slot.slot: each for each in slots})

"""Heartbeats and answers of exams in one round trip on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from sys import getsizeof
from typing import Any

from msgspec import Raw
from psycopg.types.json import Jsonb

from adapters.postgres.claims import claim_params
from adapters.postgres.database import Database
from adapters.postgres.exam.columns import asked_slot
from adapters.postgres.remembering import Remembered
from adapters.postgres.rows import entity
from adapters.postgres.statements import load
from application.exam.ports.quick import KeptAnswer, KeptBeat, QuickAnswer, QuickBeat, QuickExam
from application.ports import Clock, IdGenerator
from domain.exam.papers import FrozenPaper
from domain.exam.record import Draft, EntryKind, EntrySource, answer_content, digest, spelt
from domain.exam.sessions import ExamRules, ExamSlot

SQL = load("exam/quick")
_MEMORY = 32 * 2**20
_SLOT_BYTES = 650
"""About what a slot takes beside the names of what can be chosen, measured."""
_POINTER_BYTES = 8
# Intervals, as PostgreSQL reads them.
_LONGEST_SILENCE = "15 s"
_LONGEST_DRIFT = "30 s"
_DRIFT_PAUSE = "60 s"
_SPARE_SECONDS = 1.0
_Named = tuple[str, str]
# What the entry of a gap says, before and after its id: the id is all that differs.
_GAP = tuple(
    spelt(Draft(kind=EntryKind.EVENT, source=EntrySource.SYSTEM, id="|", type="connection_gap")).split(b"|", 1)
)


@dataclass(frozen=True, slots=True)
class _Gap:
    """The entry of a gap in the connection, before anybody knows whether there was one."""

    event_id: str
    digest: bytes
    made_at: float


class _Gaps:
    """Entries for heartbeats to take along. Few heartbeats come after a gap; what one did not need the next one takes.

    An id tells when it was made, so that none is kept for longer than `seconds`.
    """

    def __init__(self, ids: IdGenerator, seconds: float) -> None:
        self._ids = ids
        self._seconds = seconds
        self._spare: list[_Gap] = []

    def take(self) -> _Gap:
        now = time.monotonic()
        if self._spare and now - self._spare[-1].made_at < self._seconds:
            return self._spare.pop()
        self._spare.clear()
        event_id = self._ids.new("evt")
        return _Gap(event_id, gap_digest(event_id), now)

    def put_back(self, gap: _Gap) -> None:
        """Nobody has told of it. One that was long under way is too old, and would lie on top of younger ones."""
        if time.monotonic() - gap.made_at < self._seconds:
            self._spare.append(gap)


class PostgresQuickExam(QuickExam):
    """One guarded statement each. The papers of the latest sessions are remembered, in a bounded number of bytes.

    What is remembered is immutable, holds no key, and says nothing of who may answer: the statement asks for all that
    can change.
    """

    def __init__(
        self, database: Database, ids: IdGenerator, clock: Clock | None = None, *, memory_bytes: int = _MEMORY
    ) -> None:
        """`clock` replaces the database's own, for tests; where time is set, ids are of the very instant."""
        self._database = database
        self._clock = clock
        self._papers = Remembered[_Named, FrozenPaper](memory_bytes, bytes_of)
        self._gaps = _Gaps(ids, _SPARE_SECONDS if clock is None else 0.0)

    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        named = (user_id, session_id)
        known = self._papers.get(named)
        if known is not None:
            return known
        row = await self._database.read_one(SQL["read_paper"], {"user_id": user_id, "session_id": session_id})
        return None if row is None else self._papers.keep(named, frozen_paper(named, row))

    async def save_answer(self, answer: QuickAnswer) -> KeptAnswer | None:
        paper = await self.paper(answer.user_id, answer.session_id)
        asked = None if paper is None else paper.slots.get(answer.slot)
        if asked is None:
            return None
        row = await self._database.write_one(SQL["keep_answer"], self._answer_params(answer), key=answer.user_id)
        return None if row is None else _kept(asked.slot, answer, row)

    async def heartbeat(self, beat: QuickBeat) -> KeptBeat | None:
        gap = self._gaps.take()
        row = await self._database.write_one(SQL["keep_heartbeat"], self._beat_params(beat, gap), key=beat.user_id)
        if row is None or not row["told_gap"]:
            self._gaps.put_back(gap)
        return None if row is None else KeptBeat(at=row["at"], last_seq=row["last_seq"], deadline=row["deadline"])

    def _beat_params(self, beat: QuickBeat, gap: _Gap) -> dict[str, Any]:
        return {
            "now": None if self._clock is None else self._clock.now(),
            "user_id": beat.user_id,
            "session_id": beat.session_id,
            "seq": beat.seq,
            "client_at": beat.client_at,
            "snapshot": None if beat.snapshot is None else Raw(beat.snapshot),
            "event_id": gap.event_id,
            "digest": gap.digest,
            "longest_silence": _LONGEST_SILENCE,
            "longest_drift": _LONGEST_DRIFT,
            "drift_pause": _DRIFT_PAUSE,
            **claim_params(beat.claim),
        }

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
            **claim_params(answer.claim),
        }


def gap_digest(event_id: str) -> bytes:
    """What `digest` says of a gap in the connection with this id."""
    before, after = _GAP
    return sha256(before + event_id.encode() + after).digest()


def _kept(slot: ExamSlot, answer: QuickAnswer, row: Mapping[str, Any]) -> KeptAnswer:
    """The slot as the paper has it, answered."""
    after = ExamSlot(
        user_id=slot.user_id,
        session_id=slot.session_id,
        slot=slot.slot,
        section=slot.section,
        question_id=slot.question_id,
        version=slot.version,
        topic_id=slot.topic_id,
        choice_order=slot.choice_order,
        max_mark=slot.max_mark,
        response=answer.response,
        revision=row["revision"],
        certainty=answer.certainty,
        answered_at=row["answered_at"],
        flagged=row["flagged"],
    )
    return KeptAnswer(at=row["at"], slot=after, deadline=row["deadline"])


def bytes_of(paper: FrozenPaper) -> int:
    """About what it takes. What can be chosen is named once: a question and its slot share the names."""
    asked = (each.question for each in paper.slots.values())
    names = sum(getsizeof(name) + _POINTER_BYTES for each in asked for name in (*each.choice_ids, *each.prompt_ids))
    return len(paper.slots) * _SLOT_BYTES + _SLOT_BYTES + names


def frozen_paper(named: _Named, row: Mapping[str, Any]) -> FrozenPaper:
    owner = {"user_id": named[0], "session_id": named[1]}
    slots = [asked_slot({**slot, **owner}) for slot in row["slots"] or ()]
    return FrozenPaper(rules=entity(row["rules"], ExamRules), slots={each.slot.slot: each for each in slots})

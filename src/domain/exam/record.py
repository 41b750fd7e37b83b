"""The record of a session: every answer and event that was accepted, each linked to the one before by its hash.

Changing, dropping or inserting an entry afterwards breaks every later link and the one that the session itself keeps.
A link is SHA-256 over the link before, the digest of what the entry says, its place, and its two instants; numbers are
eight bytes, big end first. The same is computed by the statements that append an entry in one round trip.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.exam.sessions import ExamSession
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class EntryKind(StrEnum):
    """What an entry is about."""

    ANSWER = "answer"
    EVENT = "event"


class EntrySource(StrEnum):
    """Who made it: the student, somebody of the staff, or the system itself."""

    STUDENT = "student"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an entry says, before it has a place and a time. `content` is JSON, kept letter by letter as it is.

    `id` names an event, `type` says which; `slot`, `revision` and `autosave` belong to an answer.
    """

    kind: EntryKind
    source: EntrySource = EntrySource.STUDENT
    actor_id: str | None = None
    id: str | None = None
    type: str | None = None
    client_event_id: str | None = None
    client_at: datetime | None = None
    slot: int | None = None
    revision: int | None = None
    autosave: bool = False
    content: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry in its place (from 1). `at` is when it was accepted, `effective_at` the instant that it counts for.

    That is: of an answer never after the deadline, of a gap in the connection the last sign of life before it.
    """

    user_id: str
    session_id: str
    position: int
    at: datetime
    effective_at: datetime
    hash: bytes
    kind: EntryKind
    source: EntrySource
    actor_id: str | None = None
    id: str | None = None
    type: str | None = None
    client_event_id: str | None = None
    client_at: datetime | None = None
    slot: int | None = None
    revision: int | None = None
    autosave: bool = False
    content: str = "{}"

    @property
    def draft(self) -> Draft:
        """What the entry says."""
        return Draft(
            kind=self.kind,
            source=self.source,
            actor_id=self.actor_id,
            id=self.id,
            type=self.type,
            client_event_id=self.client_event_id,
            client_at=self.client_at,
            slot=self.slot,
            revision=self.revision,
            autosave=self.autosave,
            content=self.content,
        )


def append(
    session: ExamSession, draft: Draft, now: datetime, *, effective_at: datetime | None = None
) -> tuple[ExamSession, Entry]:
    """The session with one more entry in its record, and the entry."""
    position, effective = session.record_count + 1, effective_at or now
    linked = link(session.record_hash, digest(draft), position, now, effective)
    entry = Entry(
        user_id=session.user_id,
        session_id=session.id,
        position=position,
        at=now,
        effective_at=effective,
        hash=linked,
        kind=draft.kind,
        source=draft.source,
        actor_id=draft.actor_id,
        id=draft.id,
        type=draft.type,
        client_event_id=draft.client_event_id,
        client_at=draft.client_at,
        slot=draft.slot,
        revision=draft.revision,
        autosave=draft.autosave,
        content=draft.content,
    )
    return replace(session, record_count=position, record_hash=linked), entry


def digest(draft: Draft) -> bytes:
    """32 bytes for what an entry says."""
    return hashlib.sha256(spelt(draft)).digest()


def spelt(draft: Draft) -> bytes:
    """What an entry says, a line each. No field before the content holds a line break, so none can pose as another."""
    told = (
        draft.kind,
        draft.source,
        draft.actor_id,
        draft.id,
        draft.type,
        draft.client_event_id,
        None if draft.client_at is None else microseconds(draft.client_at),
        draft.slot,
        draft.revision,
        int(draft.autosave),
        draft.content,
    )
    return "\n".join(["" if each is None else str(each) for each in told]).encode()


def link(previous: bytes, digest: bytes, position: int, at: datetime, effective_at: datetime) -> bytes:
    """32 bytes for an entry in its place."""
    numbers = (position, microseconds(at), microseconds(effective_at))
    return hashlib.sha256(
        previous + digest + b"".join(each.to_bytes(8, "big", signed=True) for each in numbers)
    ).digest()


def microseconds(instant: datetime) -> int:
    """Since 1970, as PostgreSQL counts them too."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def answer_content(response: Response | None, certainty: Certainty | None) -> str:
    """An answer as its entry says it: the same answer is always the same text; None is an answer taken back."""
    told: dict[str, object] = {}
    if response is not None:
        told = {
            "choiceIds": list(response.choice_ids),
            "numericValue": None if response.numeric_value is None else str(response.numeric_value),
            "text": response.text,
            "order": list(response.order),
            "pairs": [list(pair) for pair in response.pairs],
        }
    if certainty is not None:
        told["certainty"] = certainty.value
    return canonical({name: value for name, value in told.items() if value not in (None, [])})


def canonical(document: Mapping[str, object]) -> str:
    """A JSON document in one spelling."""
    return _CANONICAL.encode(document)


def fingerprint(document: Mapping[str, object]) -> str:
    """64 hexadecimal digits for a document."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def first_broken(entries: Iterable[Entry]) -> int | None:
    """The position of the first entry that does not follow from those before it; None: the record holds together."""
    previous = b""
    for expected, entry in enumerate(entries, start=1):
        right = link(previous, digest(entry.draft), expected, entry.at, entry.effective_at)
        if entry.position != expected or entry.hash != right:
            return expected
        previous = entry.hash
    return None

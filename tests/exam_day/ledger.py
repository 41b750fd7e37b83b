"""What a candidate was told: whatever was acknowledged must be found again, whatever happened in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Said = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Ledger:
    """One candidate's own book. `answers` holds the acknowledged response of every revision, by slot.

    `revisions` is what the candidate believes each slot has come to; `seq` numbers heartbeats, of which `beat` is the
    highest that was acknowledged. `events` are the ids that were given, by the candidate's own ids.
    """

    number: int
    headers: dict[str, str]
    user_id: str
    session_id: str = ""
    slots: list[Said] = field(default_factory=list)
    answers: dict[int, dict[int, Said]] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    seq: int = 0
    beat: int = 0
    events: dict[str, str] = field(default_factory=dict)
    submitted: Said | None = None

    def answered(self, slot: int, revision: int, response: Said) -> None:
        self.answers.setdefault(slot, {})[revision] = response
        self.revisions[slot] = max(revision, self.revisions.get(slot, 0))


@dataclass(slots=True)
class Tally:
    """What happened to all candidates together.

    `served_since` is the instant since which a server is there, infinite while one is started again. The time of an
    answer is counted from its request and not before that instant: a connection is taken in before anybody serves it.
    """

    done: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    slowest: str = ""
    served_since: float = 0.0

    def took(self, what: str, begun: float, answered: float) -> None:
        seconds = answered - max(begun, self.served_since)
        if seconds > self.slowest_seconds:
            self.slowest_seconds, self.slowest = seconds, what

    def complain(self, complaint: str) -> None:
        if len(self.complaints) < 100:
            self.complaints.append(complaint)

"""What exams do, written down a second time, word by word and with nothing in common with the first: for tests.

What each command does to each status is read from the published matrix; here stand the rules beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "exam-lifecycle.json"
RIGHT = "B"
LIVE = ("created", "active", "paused", "overdue")
Refusal = str | None


@cache
def matrix() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    found: Mapping[str, Mapping[str, tuple[str, str]]] = json.loads(VECTORS.read_bytes())["matrix"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """What the package says. Every question is worth a point; of the dropped ones none counts."""

    limit: int | None = 3600
    closes: datetime | None = None
    extends: bool = False
    policy: str = "auto_submit"
    latency: int = 60
    grace: int = 86_400
    linear: bool = False
    pause_allowed: bool = False
    authorised: bool = False
    attempts: int | None = None
    cooldown: int = 0
    later_cooldown: int = 0
    weekly: int | None = None
    questions: int = 3
    dropped: int = 0


@dataclass(slots=True)
class ModelSlot:
    """The answer of one slot, and the instant that it counts for."""

    letter: str | None = None
    revision: int = 0
    counts_for: datetime | None = None


@dataclass(slots=True)
class ModelExam:
    """One session. A command is answered with the code of its refusal, or None."""

    id: str
    rules: ModelRules
    attempt: int
    created: datetime
    multiplier: Decimal
    extra: int
    status: str = "created"
    started: datetime | None = None
    adjust: int = 0
    paused_at: datetime | None = None
    paused_by_staff: bool = False
    paused_total: timedelta = timedelta(0)
    sealed: datetime | None = None
    seal_reason: str | None = None
    sealed_by: tuple[str, str] | None = None
    late: bool = False
    before_invalidation: str | None = None
    invalidated: tuple[datetime, str, str] | None = None
    last_seq: int = 0
    furthest: int = 0
    grades: int = 0
    mark: int | None = None
    slots: list[ModelSlot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slots = [ModelSlot() for _ in range(self.rules.questions)]
        if not self.rules.authorised:
            self.status, self.started = "active", self.created

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    # Time.

    def window_end(self) -> datetime | None:
        more = self.extra + self.adjust if self.rules.extends else 0
        return None if self.rules.closes is None else self.rules.closes + timedelta(seconds=more)

    def allowed(self) -> int | None:
        if self.rules.limit is None:
            return None
        return math.ceil(self.rules.limit * Fraction(self.multiplier)) + self.extra + self.adjust

    def deadline(self, now: datetime) -> datetime | None:
        ends = [self.window_end()]
        allowed = self.allowed()
        if allowed is not None and self.started is not None:
            paused = self.paused_total + (now - self.paused_at if self.paused_at else timedelta(0))
            ends.append(self.started + timedelta(seconds=allowed) + paused)
        found = [end for end in ends if end is not None]
        if not found:
            return None
        return min(found) if self.started is None else max(min(found), self.started)

    def expire(self, now: datetime) -> None:
        """Past the deadline and the latency, or, in a pause, past the hard window alone."""
        latency = timedelta(seconds=self.rules.latency)
        if self.status in ("created", "active", "paused"):
            end = self.window_end() if self.status == "paused" else self.deadline(now)
            end = end if end is None or self.started is None else max(end, self.started)
            if end is not None and now > end + latency:
                self._time_is_over(end)
        if self.status == "overdue":
            end = self.deadline(now)
            assert end is not None
            if now > end + timedelta(seconds=self.rules.grace):
                self._seal("abandoned", "timeout", end + timedelta(seconds=self.rules.grace))

    def _time_is_over(self, end: datetime) -> None:
        if self.status == "created" or self.rules.policy == "abandon":
            self._seal("abandoned", "timeout", end)
        elif self.rules.policy == "auto_submit":
            self._seal("submitted", "timeout", end)
        else:
            self._end_pause(end)
            self.status = "overdue"

    # What the matrix says.

    def _asked(self, command: str, now: datetime) -> tuple[str, str]:
        self.expire(now)
        verdict, target, *_ = matrix()[self.status][command]
        return verdict, target

    def submit(self, now: datetime, finals: list[tuple[int, str | None, int]]) -> Refusal:
        verdict, code = self._asked("submit", now)
        if verdict != "ok":
            return code if verdict == "err" else None
        before = [ModelSlot(slot.letter, slot.revision, slot.counts_for) for slot in self.slots], self.furthest
        for slot, letter, base in finals:
            refusal, _ = self.save(now, slot, letter, base, autosave=False)
            if refusal is not None:
                self.slots, self.furthest = before
                return refusal
        end = self.deadline(now)
        self.late = end is not None and now > end
        self._seal("submitted", "student", now if end is None else min(now, end), late=self.late)
        return None

    def save(
        self, now: datetime, slot: int, letter: str | None, base: int, *, autosave: bool
    ) -> tuple[Refusal, str | None]:
        """The refusal, and what became of it: `stale`, `same` or `saved`.

        Retrying the same request has one effect: what made the revision that stands is the `same` when it comes again.
        """
        verdict, code = self._asked("save_answer", now)
        if verdict == "err":
            return code, None
        wrong = self._wrong_with(slot, letter)
        if wrong is not None:
            return wrong, None
        answer = self.slots[slot - 1]
        if base + 1 == answer.revision and letter == answer.letter:
            return None, "same"
        if base != answer.revision:
            return (None, "stale") if autosave else ("exam.stale_write", None)
        if letter == answer.letter:
            return None, "same"
        end = self.deadline(now)
        self.slots[slot - 1] = ModelSlot(letter, base + 1, now if end is None else min(now, end))
        self.furthest = max(self.furthest, slot)
        return None, "saved"

    def _wrong_with(self, slot: int, letter: str | None) -> Refusal:
        if not 1 <= slot <= len(self.slots):
            return "exam.slot_not_found"
        if letter is not None and letter not in "ABCD":
            return "answer.invalid"
        return "exam.no_return" if self.rules.linear and slot < self.furthest else None

    def beat(self, now: datetime, seq: int) -> Refusal:
        verdict, code = self._asked("heartbeat", now)
        if verdict == "ok":
            self.last_seq = max(seq, self.last_seq)
        return code if verdict == "err" else None

    def event(self, now: datetime) -> Refusal:
        verdict, code = self._asked("record_event", now)
        return code if verdict == "err" else None

    def pause(self, now: datetime, *, staff: bool) -> Refusal:
        verdict, code = self._asked("pause", now)
        if verdict != "ok":
            return code if verdict == "err" else None
        if not staff and self._may_not_pause():
            return "exam.pause_not_allowed"
        self.status, self.paused_at, self.paused_by_staff = "paused", now, staff
        return None

    def resume(self, now: datetime, *, staff: bool) -> Refusal:
        verdict, code = self._asked("resume", now)
        if verdict != "ok":
            return code if verdict == "err" else None
        if not staff and self.paused_by_staff:
            return "exam.paused_by_staff"
        if not staff and self._may_not_pause():
            return "exam.pause_not_allowed"
        self._end_pause(now)
        self.status = "active"
        return None

    def _may_not_pause(self) -> bool:
        return not self.rules.pause_allowed or self.rules.limit is not None

    def adjust_time(self, now: datetime, seconds: int) -> Refusal:
        verdict, code = self._asked("adjust_time", now)
        if verdict == "err":
            return code
        self.adjust += seconds
        end = self.deadline(now)
        if seconds < 0 and end is not None and end < now:
            self.adjust -= seconds
            return "exam.adjust_too_small"
        self._runs_again(now)
        return None

    def accommodate(self, now: datetime, multiplier: Decimal, extra: int) -> None:
        """Never to less time than there is, by the limit or by the window."""
        self.expire(now)
        before = self.allowed(), self.window_end(), self.multiplier, self.extra
        if not self.is_live:
            return
        self.multiplier, self.extra = multiplier, extra
        allowed, closes = self.allowed(), self.window_end()
        less = before[0] is not None and allowed is not None and allowed < before[0]
        if less or (before[1] is not None and closes is not None and closes < before[1]):
            self.multiplier, self.extra = before[2:]
            return
        self._runs_again(now)

    def _runs_again(self, now: datetime) -> None:
        end = self.deadline(now)
        if self.status == "overdue" and (end is None or end > now):
            self.status = "active"

    def force_submit(self, now: datetime, by: tuple[str, str]) -> Refusal:
        verdict, code = self._asked("force_submit", now)
        if verdict != "ok":
            return code if verdict == "err" else None
        if self.started is None:
            return "exam.not_started"
        self._seal("submitted", "forced", self.sealed or now, by)
        return None

    def terminate(self, now: datetime, by: tuple[str, str]) -> Refusal:
        verdict, code = self._asked("terminate", now)
        if verdict == "ok":
            self._seal("terminated", "terminated", self.sealed or now, by)
        return code if verdict == "err" else None

    def invalidate(self, now: datetime, by: tuple[str, str]) -> Refusal:
        verdict, code = self._asked("invalidate", now)
        if verdict != "ok":
            return code if verdict == "err" else None
        before = self.status
        if self.is_live:
            self._seal("invalidated", "invalidated", now, by)
        self.status, self.before_invalidation, self.invalidated = "invalidated", before, (now, *by)
        return None

    def reinstate(self, now: datetime) -> Refusal:
        verdict, code = self._asked("reinstate", now)
        if verdict == "err":
            return code
        prior, self.before_invalidation, self.invalidated = self.before_invalidation, None, None
        assert prior is not None
        if prior in LIVE:
            self._grade()
        else:
            self.status = prior
        return None

    def reopen(self, now: datetime, extra: int, *, another_is_live: bool) -> Refusal:
        verdict, code = self._asked("reopen", now)
        if verdict == "err":
            return code
        counted = self.status in ("submitted", "finished")
        if self.started is None or (counted and self.seal_reason not in ("timeout", "forced")):
            return "exam.not_reopenable"
        self.adjust += extra
        end = self.deadline(now)
        goes_on = end is None or end > now
        if self.status == "terminated":
            # Its own time stood still from its end; the window did not wait, as it never does.
            closes = self.window_end()
            closes = closes and max(closes, self.started)
            goes_on = closes is None or now <= closes + timedelta(seconds=self.rules.latency)
        if not goes_on and self.status == "abandoned":
            self._grade()
            return None
        if another_is_live or not goes_on:
            self.adjust -= extra
            return "exam.not_reopenable"
        if self.status == "terminated":
            self.status, self.paused_at, self.paused_by_staff = "paused", self.sealed, True
        else:
            self.status = "active"
        self.sealed, self.seal_reason, self.sealed_by, self.late = None, None, None, False
        return None

    def regrade(self, now: datetime) -> Refusal:
        verdict, code = self._asked("regrade", now)
        if verdict == "err":
            return code
        status = self.status
        self._grade()
        self.status = status
        return None

    def authorise(self, now: datetime) -> Refusal:
        """What waits is started; what is over is over, and tells how it ended."""
        verdict, target = self._asked("start", now)
        if verdict == "ok" and target == "*new_session":
            return matrix()[self.status]["record_event"][1]
        if verdict == "ok":
            if self.rules.closes is not None and now >= self.rules.closes:
                return "exam.closed"
            self.status, self.started = "active", now
        return target if verdict == "err" else None

    # What follows.

    def _end_pause(self, at: datetime) -> None:
        if self.paused_at is not None:
            self.paused_total += max(at - self.paused_at, timedelta(0))
        self.paused_at, self.paused_by_staff = None, False

    def _seal(
        self, status: str, reason: str, at: datetime, by: tuple[str, str] | None = None, *, late: bool = False
    ) -> None:
        self._end_pause(at)
        self.status, self.seal_reason, self.sealed, self.sealed_by, self.late = status, reason, at, by, late
        if status == "submitted":
            self._grade()

    def _grade(self) -> None:
        """All questions are graded by machine, so that what is handed in is finished at once."""
        counted = self.slots[self.rules.dropped :]
        self.mark, self.grades = sum(slot.letter == RIGHT for slot in counted), self.grades + 1
        self.status = "finished"

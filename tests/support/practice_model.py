"""What practice does, written down a second time and in fewer words: a model for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.errors import DomainError
from domain.practice.judging import FeedbackMode
from domain.practice.refusals import (
    AlreadyAnswered,
    PracticeFinished,
    PracticePaused,
    TimedPracticeCannotPause,
    WeeklyPracticeLimit,
)
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import AnswerInvalid

Refusal = type[DomainError] | None
RIGHT = "B"


@dataclass(slots=True)
class ModelSession:
    """A session of questions of which B is right."""

    feedback: FeedbackMode
    certainty: bool
    served: int
    begun: datetime
    limit: int | None
    status: str = "active"
    reason: str | None = None
    answers: dict[int, tuple[str, Certainty | None]] = field(default_factory=dict)

    def look(self, now: datetime) -> None:
        """Time is over whether anybody looks or not."""
        if self.limit is not None and now >= self.begun + timedelta(seconds=self.limit):
            self._end("finished")

    @property
    def right(self) -> int:
        return sum(letter == RIGHT for letter, _ in self.answers.values())

    @property
    def right_as_told(self) -> int | None:
        return self.right if self.feedback is FeedbackMode.IMMEDIATE or self.status == "finished" else None

    def answer(self, slot: int, letter: str, certainty: Certainty | None) -> Refusal:
        counted = certainty or Certainty.LOW if self.certainty else certainty
        if self.answers.get(slot) == (letter, counted):
            return None
        if self.status != "active":
            return PracticePaused if self.status == "paused" else PracticeFinished
        if slot in self.answers and self.feedback is FeedbackMode.IMMEDIATE:
            return AlreadyAnswered
        if certainty and not self.certainty:
            return AnswerInvalid
        self.answers[slot] = (letter, counted)
        if len(self.answers) == self.served:
            self._end("finished")
        return None

    def pause(self) -> Refusal:
        if self._is_over:
            return PracticeFinished
        if self.limit is not None:
            return TimedPracticeCannotPause
        self.status = "paused"
        return None

    def resume(self) -> Refusal:
        if self._is_over:
            return PracticeFinished
        self.status = "active"
        return None

    def finish(self) -> Refusal:
        self._end("finished")
        return None

    def invalidate(self, reason: str) -> Refusal:
        if self.status == "finished":
            return PracticeFinished
        if self.status != "invalidated":
            self.reason = reason
        self._end("invalidated")
        return None

    @property
    def _is_over(self) -> bool:
        return self.status in ("finished", "invalidated")

    def _end(self, how: str) -> None:
        if not self._is_over:
            self.status = how


@dataclass(slots=True)
class ModelStudent:
    """Sessions in the order of their beginning, of which a week has so many."""

    weekly: int
    sessions: list[ModelSession] = field(default_factory=list)

    def begin(self, session: ModelSession) -> Refusal:
        week = [each for each in self.sessions if each.begun + timedelta(days=7) > session.begun]
        if len(week) >= self.weekly:
            return WeeklyPracticeLimit
        self.sessions.append(session)
        return None

    @property
    def questions_answered(self) -> int:
        """What is void does not count."""
        return sum(len(each.answers) for each in self.sessions if each.status != "invalidated")

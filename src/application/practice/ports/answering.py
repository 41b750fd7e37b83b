"""What answering in one round trip needs of its store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from application.auth.claimants import Claimant
from domain.practice.judging import MarkingRules
from domain.practice.sessions import PracticeSlot
from domain.question_bank.questions import KeyedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlot:
    """A slot as it was frozen, with its key. What has been answered since is not in here."""

    slot: PracticeSlot
    question: KeyedQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPaper:
    """What never changes of a session: how it marks, and its slots by place and by question."""

    rules: MarkingRules
    by_slot: Mapping[int, OpenSlot]
    by_question: Mapping[str, OpenSlot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many questions of a session that stays open are answered, and how many of them rightly."""

    answered_count: int
    correct_count: int


class QuickAnswers(Protocol):
    """The common case of an answer in one round trip; what is not the common case is left to the unit of work."""

    @abstractmethod
    async def paper(self, user_id: str, session_id: str) -> FrozenPaper | None:
        """None when there is no such session of this student. It may be remembered, for it never changes."""

    @abstractmethod
    async def keep(self, answered: PracticeSlot, *, claim: Claimant | None = None) -> Tally | None:
        """Keep an answer with all that follows from it, if nothing follows but counting; else do nothing.

        That is: the session runs, is in time and stays open, the slot is unanswered, the student is enrolled, has
        been credited the day and does not reach a badge. `answered_at` and the time spent are the store's to tell.
        With a claim, only if that stands.
        """

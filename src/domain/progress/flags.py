"""Questions that a student has flagged for later practice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.errors import DomainError, Kind
from domain.question_bank.lifecycle_refusals import QuestionNotFound

MOST_FLAGS: Final = 10_000
"""Nobody works through more; what is drawn from the flagged questions stays quick."""


class TooManyFlags(DomainError):
    """A student flags at most 10,000 questions; flags that are no longer needed make room."""

    code = "question.too_many_flags"
    kind = Kind.CONFLICT
    title = "There are too many flagged questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagStanding:
    """How a question and a student stand: whether they may see it, whether they flagged it, and how many they did."""

    visible: bool
    flagged: bool
    flags: int


def may_flag(standing: FlagStanding) -> bool:
    """Whether the flag is new. Refuses what the student may not see, and one too many."""
    if not standing.visible:
        raise QuestionNotFound
    if standing.flagged:
        return False
    if standing.flags >= MOST_FLAGS:
        raise TooManyFlags
    return True


def may_unflag(standing: FlagStanding) -> bool:
    """Whether there is a flag to take away. An own flag can be taken away even where the question is gone from view."""
    if not (standing.flagged or standing.visible):
        raise QuestionNotFound
    return standing.flagged

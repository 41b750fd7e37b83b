"""Questions that statistics find wanting, as a suggestion to those who review questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind
from domain.exam.item_report import ItemReport, Report
from domain.exam.statistics import ItemStatistics

VERY_HARD_BELOW: Final = 0.2
VERY_EASY_ABOVE: Final = 0.95
"""Facilities beyond these say that nearly nobody, or nearly everybody, knows the answer."""
LONGEST_REASON: Final = 500
_DIGITS: Final = 10

SuggestionKey: TypeAlias = tuple[str, str, int]
"""Package, question and version."""


class ReviewReason(StrEnum):
    """What is wanting: the share of marks that is earned, or how the question goes with the rest of the test.

    A question discriminates poorly when it is dubious, and negatively when the better students fare worse on it.
    """

    VERY_HARD = "very_hard"
    VERY_EASY = "very_easy"
    POOR_DISCRIMINATOR = "poor_discriminator"
    NEGATIVE_DISCRIMINATOR = "negative_discriminator"


class SuggestionNotFound(DomainError):
    """Nothing is suggested about this question, or its bank is hidden from the caller."""

    code = "review_suggestion.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such suggestion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A version of a question that should be looked at, for what it came to in the exams of a package.

    Once dismissed it stays so, whatever later exams say: the next version is another matter.
    """

    exam_package_id: str
    question_id: str
    version: int
    reasons: tuple[ReviewReason, ...]
    figures: Mapping[str, str | None]
    attempts: int
    suggested_at: datetime
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None
    dismiss_reason: str | None = None

    @property
    def key(self) -> SuggestionKey:
        return self.exam_package_id, self.question_id, self.version

    @property
    def is_open(self) -> bool:
        return self.dismissed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes of the suggestions about a package: those to keep as they are now, and those that are settled."""

    keep: tuple[Suggestion, ...]
    drop: tuple[SuggestionKey, ...]


def reasons_for(figures: ItemStatistics) -> tuple[ReviewReason, ...]:
    """Everything that is wanting; nothing is known against what has no figure."""
    return tuple(_wanting(figures))


def suggestions_from(exam_package_id: str, report: Report, now: datetime) -> tuple[Suggestion, ...]:
    """What a report says against the newest versions of its questions, each judged by its own attempts.

    Whoever declared a version void has looked at it; what it came to since was not earned.
    """
    found = (_suggestion(exam_package_id, item, now) for item in report.items if item.voided is None)
    return tuple(each for each in found if each is not None)


def renewed(before: Iterable[Suggestion], found: Sequence[Suggestion]) -> Changes:
    """New figures for what is still wanting, and an end of what is not any more; what was dismissed stays as it is."""
    known = {each.key: each for each in before}
    wanting = {each.key for each in found}
    keep = tuple(
        replace(each, suggested_at=known[each.key].suggested_at) if each.key in known else each
        for each in found
        if each.key not in known or known[each.key].is_open
    )
    return Changes(keep=keep, drop=tuple(key for key, each in known.items() if each.is_open and key not in wanting))


def dismiss(suggestion: Suggestion, by: str, reason: str | None, now: datetime) -> Suggestion:
    """The suggestion, looked at and put aside. Doing it again changes nothing and keeps the first reason."""
    if not suggestion.is_open:
        return suggestion
    if reason is not None and len(reason) > LONGEST_REASON:
        message = f"At most {LONGEST_REASON} characters"
        raise InvalidInput(problems=(FieldProblem("/reason", "too_long", message),))
    return replace(suggestion, dismissed_at=now, dismissed_by=by, dismiss_reason=reason)


def _wanting(figures: ItemStatistics) -> Iterator[ReviewReason]:
    if figures.facility is not None and figures.facility < VERY_HARD_BELOW:
        yield ReviewReason.VERY_HARD
    if figures.facility is not None and figures.facility > VERY_EASY_ABOVE:
        yield ReviewReason.VERY_EASY
    if figures.discrimination_index is not None and figures.discrimination_index < 0:
        yield ReviewReason.NEGATIVE_DISCRIMINATOR
    elif figures.is_dubious:
        yield ReviewReason.POOR_DISCRIMINATOR


def _suggestion(exam_package_id: str, item: ItemReport, now: datetime) -> Suggestion | None:
    figures = item.latest_figures
    reasons = () if figures is None else reasons_for(figures)
    if figures is None or not reasons:
        return None
    return Suggestion(
        exam_package_id=exam_package_id,
        question_id=item.question_id,
        version=item.latest,
        reasons=reasons,
        figures={
            "facility": _told(figures.facility),
            "discriminationIndex": _told(figures.discrimination_index),
            "discriminativeEfficiency": _told(figures.discriminative_efficiency),
        },
        attempts=figures.attempts,
        suggested_at=now,
    )


def _told(figure: float | None) -> str | None:
    return None if figure is None else format(Decimal(f"{figure:.{_DIGITS}g}"), "f")

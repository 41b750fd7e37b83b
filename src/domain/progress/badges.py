"""Badges: what is counted, how much of it earns one, and when one is taken away again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from domain.progress.streaks import longest
from domain.progress.students import StudentProgress


class Metric(StrEnum):
    """What is counted. All of them only ever grow, but for sessions that are declared invalid."""

    EXAMS_FINISHED = "exams_finished"
    EXAMS_PASSED = "exams_passed"
    QUESTIONS_ANSWERED = "questions_answered"
    LONGEST_STREAK = "longest_streak"
    DAYS_ACTIVE = "days_active"
    PERFECT_EXAMS = "perfect_exams"
    STRONG_TOPICS = "strong_topics"


Metrics = Mapping[Metric, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeDefinition:
    """A badge is earned when its metric reaches the threshold. Another threshold is another version."""

    code: str
    metric: Metric
    threshold: int
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A badge that a student has earned, and the evidence: what the metric was, and by which session, when.

    A row for each student and code. One that was revoked and is reached again is awarded again in the same row.
    """

    user_id: str
    code: str
    version: int
    metric: Metric
    value: int
    source_id: str
    awarded_at: datetime
    revoked_at: datetime | None = None

    @property
    def is_held(self) -> bool:
        return self.revoked_at is None


DEFINITIONS: Final = (
    BadgeDefinition(code="first_exam", metric=Metric.EXAMS_FINISHED, threshold=1),
    BadgeDefinition(code="first_pass", metric=Metric.EXAMS_PASSED, threshold=1),
    BadgeDefinition(code="streak_7", metric=Metric.LONGEST_STREAK, threshold=7),
    BadgeDefinition(code="streak_30", metric=Metric.LONGEST_STREAK, threshold=30),
    BadgeDefinition(code="answers_100", metric=Metric.QUESTIONS_ANSWERED, threshold=100),
    BadgeDefinition(code="answers_1000", metric=Metric.QUESTIONS_ANSWERED, threshold=1000),
    BadgeDefinition(code="perfect_exam", metric=Metric.PERFECT_EXAMS, threshold=1),
)


def answer_thresholds() -> tuple[int, ...]:
    """The numbers of answers at which a badge may be due; at all others none is."""
    return tuple(each.threshold for each in DEFINITIONS if each.metric is Metric.QUESTIONS_ANSWERED)


def metrics_of(student: StudentProgress, days: Iterable[date]) -> Metrics:
    """What is counted of a student. Strong topics are not: no badge asks for them yet."""
    known = frozenset(days)
    return {
        Metric.EXAMS_FINISHED: student.exams_finished,
        Metric.EXAMS_PASSED: student.exams_passed,
        Metric.QUESTIONS_ANSWERED: student.questions_answered,
        Metric.LONGEST_STREAK: longest(known),
        Metric.DAYS_ACTIVE: len(known),
        Metric.PERFECT_EXAMS: student.perfect_exams,
    }


def due(metrics: Metrics, badges: Iterable[Badge]) -> tuple[BadgeDefinition, ...]:
    """What has been reached and is not held."""
    held = {badge.code for badge in badges if badge.is_held}
    return tuple(
        each for each in DEFINITIONS if each.code not in held and metrics.get(each.metric, 0) >= each.threshold
    )


def lost(metrics: Metrics, badges: Iterable[Badge]) -> tuple[Badge, ...]:
    """The badges held whose threshold is not reached any more, whichever session brought them.

    So what is held depends on what counts, and not on the order in which sessions were declared invalid.
    """
    thresholds = {each.code: each.threshold for each in DEFINITIONS}
    return tuple(
        badge for badge in badges if badge.is_held and metrics.get(badge.metric, 0) < thresholds.get(badge.code, 0)
    )

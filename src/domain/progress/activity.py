"""What counts as a day of study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ActivityKind(StrEnum):
    """What a student did: an answer in practice was accepted, an exam was handed in, a lesson was completed."""

    PRACTICE_ANSWER = "practice_answer"
    EXAM_SEALED = "exam_sealed"
    LESSON_COMPLETED = "lesson_completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that credits the day it is done on. `answers`: questions that it answers for the first time.

    `passed` and `perfect` are said of exams only.
    """

    kind: ActivityKind
    source_id: str
    answers: int = 0
    passed: bool = False
    perfect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamOutcome:
    """What a finished exam counts for its student: the questions answered in it, and how it went.

    It is a day of study only where the student handed it in.
    """

    session_id: str
    answers: int
    passed: bool
    perfect: bool
    by_student: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDay:
    """A local day on which a student did something, and the first thing that it was."""

    user_id: str
    day: date
    credited_at: datetime
    kind: ActivityKind
    source_id: str

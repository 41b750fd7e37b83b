"""A student's own row: what they say about themselves, their days, and the counters of a lifetime."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.progress.activity import Activity, ActivityKind


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentProgress:
    """Where a student stands. From `credited_from` until before `credited_until` the local day is `last_day`.

    Until then nothing that the student does credits another day.
    """

    user_id: str
    bio: str = ""
    time_zone: str = "UTC"
    day_start_hour: int = 0
    time_zone_changed_at: datetime | None = None
    questions_answered: int = 0
    exams_finished: int = 0
    exams_passed: int = 0
    perfect_exams: int = 0
    last_day: date | None = None
    credited_from: datetime | None = None
    credited_until: datetime | None = None
    last_activity_at: datetime | None = None
    version: int = 1

    def day_is_known(self, now: datetime) -> bool:
        """Whether `now` is on `last_day`, so that no day need be looked for."""
        if self.credited_from is None or self.credited_until is None:
            return False
        return self.credited_from <= now < self.credited_until

    def with_activity(self, activity: Activity, at: datetime) -> StudentProgress:
        """As what was done counts."""
        exam = activity.kind is ActivityKind.EXAM_SEALED
        return replace(
            self,
            questions_answered=self.questions_answered + activity.answers,
            exams_finished=self.exams_finished + exam,
            exams_passed=self.exams_passed + (exam and activity.passed),
            perfect_exams=self.perfect_exams + (exam and activity.perfect),
            last_activity_at=max(at, self.last_activity_at or at),
        )

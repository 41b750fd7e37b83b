"""How a student's exams went over time, package by package."""

from __future__ import annotations

from dataclasses import dataclass

from application.exam.ports.reading import DueExams
from application.exam.ports.results import PackageHistory, ResultReader
from application.exam.sweeping import LapseExam
from domain.auth.people import Actor
from domain.exam.results import Attempt, Official, official
from domain.exam.sessions import ExamSession

LATEST_ATTEMPTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResults:
    """The exams of a student in one package: what counts of them, and the latest ones, the newest first.

    `official` is None as long as none is finished; `sessions` is how many there are in all.
    """

    exam_package_id: str
    title: str
    official: Official | None
    sessions: int
    latest: tuple[ExamSession, ...]

    @classmethod
    def of(cls, history: PackageHistory) -> PackageResults:
        attempts = [attempt for attempt in map(Attempt.of, history.sessions) if attempt is not None]
        newest = sorted(history.sessions, key=lambda each: each.attempt_no, reverse=True)
        return cls(
            exam_package_id=history.exam_package_id,
            title=history.title,
            official=official(history.settings.official_result, attempts),
            sessions=len(history.sessions),
            latest=tuple(newest[:LATEST_ATTEMPTS]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExamHistory:
    """A student looks back on their exams, package by package, and sees which result counts in each.

    What time has ended is written down first.
    """

    results: ResultReader
    due_exams: DueExams
    lapse_exam: LapseExam

    async def __call__(
        self, actor: Actor, *, exam_package_id: str | None, after: str | None, limit: int
    ) -> tuple[PackageResults, ...]:
        for due in await self.due_exams.due_of(actor.user_id):
            await self.lapse_exam(due.user_id, due.id)
        found = await self.results.history(actor.user_id, exam_package_id, after=after, limit=limit)
        return tuple(map(PackageResults.of, found))

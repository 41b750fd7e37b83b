"""Sitting an exam in tests: every use case of it on one store, under short names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.postgres.exam.reading import PostgresExamReader
from application.exam.answering import GivenAnswer, SaveAnswer
from application.exam.events import NewEvent, RecordEvent
from application.exam.pausing import PauseOwnExam, ResumeOwnExam
from application.exam.ports.reading import DueExam, DueExams
from application.exam.pulse import Beat, Heartbeat
from application.exam.starting import StartExam
from application.exam.submitting import SubmitExam
from application.exam.sweeping import LapseExam, SweepExams, Swept
from application.exam.views import AnswerSaved, EventRecorded, Pulse, SessionView
from domain.auth.people import Actor
from domain.exam.deadlines import due_at, is_due
from domain.exam.sessions import ExamSession
from domain.question_bank.questions import Response
from tests.support.exam_builders import PAPER, SESSION, STUDENT, right
from tests.support.exam_stores import ExamsInMemory, ExamsOnPostgres, ExamStore


@dataclass(frozen=True, slots=True)
class MemoryDueExams(DueExams):
    """Looks through everything."""

    store: ExamsInMemory

    async def due(self, after: DueExam | None, limit: int) -> tuple[DueExam, ...]:
        return tuple(each for each in self._every() if after is None or each > after)[:limit]

    async def due_of(self, user_id: str) -> tuple[DueExam, ...]:
        return tuple(each for each in self._every() if each.user_id == user_id)

    def _every(self) -> list[DueExam]:
        rows: list[ExamSession] = list(self.store.store.tables["exam_sessions"].values())
        now = self.store.clock.now()
        return sorted(
            DueExam(due_at=end, user_id=row.user_id, id=row.id)
            for row in rows
            if is_due(row, now) and (end := due_at(row)) is not None
        )


@dataclass(frozen=True, slots=True)
class Sitting:
    """The first student of the tests sits the first session, unless a test says something else."""

    store: ExamStore

    @property
    def due_exams(self) -> DueExams:
        if isinstance(self.store, ExamsInMemory):
            return MemoryDueExams(self.store)
        assert isinstance(self.store, ExamsOnPostgres)
        return PostgresExamReader(self.store.database, self.store.clock)

    @property
    def lapse_exam(self) -> LapseExam:
        return LapseExam(transact=self.store.exams, ids=self.store.ids)

    async def save(
        self,
        slot: int,
        response: Response | None,
        base: int = 0,
        *,
        actor: Actor = STUDENT,
        session_id: str = SESSION,
        **more: object,
    ) -> AnswerSaved:
        answer = GivenAnswer(slot=slot, response=response, base_revision=base, **more)  # type: ignore[arg-type]
        use_case = SaveAnswer(transact=self.store.exams, ids=self.store.ids, quick=self.store.quick_exam)
        return await use_case(actor, session_id, answer)

    async def beat(
        self, *, actor: Actor = STUDENT, session_id: str = SESSION, package_id: str | None = None, **told: object
    ) -> Pulse:
        store = self.store
        start = StartExam(ids=store.ids, transact=store.exams, paper_reader=store.papers)
        use_case = Heartbeat(transact=store.exams, ids=store.ids, quick=store.quick_exam, start_exam=start)
        return await use_case(actor, session_id, Beat(exam_package_id=package_id, **told))  # type: ignore[arg-type]

    async def record(
        self, type_: str = "focus_lost", *, actor: Actor = STUDENT, session_id: str = SESSION, **more: object
    ) -> EventRecorded:
        event = NewEvent(type=type_, **more)  # type: ignore[arg-type]
        return await RecordEvent(transact=self.store.exams, ids=self.store.ids)(actor, session_id, event)

    async def submit(
        self, answers: Sequence[GivenAnswer] = (), *, actor: Actor = STUDENT, session_id: str = SESSION
    ) -> SessionView:
        return await SubmitExam(transact=self.store.exams, ids=self.store.ids)(actor, session_id, answers)

    async def pause(self, *, actor: Actor = STUDENT, session_id: str = SESSION) -> SessionView:
        return await PauseOwnExam(transact=self.store.exams, ids=self.store.ids)(actor, session_id)

    async def resume(self, *, actor: Actor = STUDENT, session_id: str = SESSION) -> SessionView:
        return await ResumeOwnExam(transact=self.store.exams, ids=self.store.ids)(actor, session_id)

    async def sweep(self, at_once: int = 4) -> Swept:
        return await SweepExams(due_exams=self.due_exams, lapse_exam=self.lapse_exam, at_once=at_once)()

    async def answer_all(self, *, actor: Actor = STUDENT, session_id: str = SESSION) -> None:
        """Every question of the usual paper, right."""
        for slot, offer in enumerate(PAPER, start=1):
            await self.save(slot, right(offer), actor=actor, session_id=session_id)


def final(slot: int, response: Response | None, base: int = 0) -> GivenAnswer:
    """An answer that comes with the submission."""
    return GivenAnswer(slot=slot, response=response, base_revision=base)
